#pragma once

#include <libqueue/error.hpp>
#include <libqueue/filter.hpp>

#include <span>
#include <string>
#include <string_view>

// The words a filter knows, and how their values are written. Pure; any thread.

namespace libqueue::core {

enum class filter_type {
    state,    ///< a state, or a name for several
    name,     ///< exact, or a pattern with *
    id_text,  ///< exact
    uuid,     ///< or none
    integer,  ///< or a range
    time,     ///< an instant or a day in UTC, or a range
    age,      ///< a range of durations
    part,     ///< a substring, whatever the case
    json,     ///< a member of the payload: exact, a pattern, a range of numbers, or none
};

class filter_field {
   public:
    std::string_view name;
    filter_type type;
    std::string_view expected;  ///< for messages
};

[[nodiscard]] std::span<const filter_field> filter_fields() noexcept;
/// Null when there is none. `args.user.id` is the field `args`.
[[nodiscard]] const filter_field* find_filter_field(std::string_view name) noexcept;
/// The name closest to a mistyped one; empty when none is close.
[[nodiscard]] std::string_view closest_filter_field(std::string_view name);

class state_name {
   public:
    std::string_view name;
    std::string_view states;  ///< separated by commas
};
/// Every state and every name for several of them.
[[nodiscard]] std::span<const state_name> state_names() noexcept;

/// One value as it was written, without its quotes. `quoted`: nothing in it has a meaning. Appends
/// to `any`; the error is what was expected.
[[nodiscard]] result<void> read_filter_value(const filter_field& field, std::string_view text,
                                             bool quoted, std::vector<filter_value>& any);

}  // namespace libqueue::core
