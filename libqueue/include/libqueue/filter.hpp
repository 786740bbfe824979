#pragma once

#include <libqueue/error.hpp>

#include <string>
#include <string_view>
#include <vector>

// Which jobs, as people write it; one grammar for qctl, the HTTP API and the dashboard, described
// in docs/filters.md:
//
//   state:failed,retrying queue:mail kind:email.* args.user.id:42 -tag:vip error:"time out"
//   age:>10m
//
// All terms must hold; of the values of one term, separated by commas, any. Pure; any thread.

namespace libqueue {

/// One of the values of a term.
class filter_value {
   public:
    std::string written;  ///< as text, quoted where it must be
    std::string json;     ///< as the SQL functions read it
};

class filter_term {
   public:
    std::string field;              ///< `text` for a word without a field
    std::vector<std::string> path;  ///< of `args.user.id`: user, id
    bool negated{false};
    std::vector<filter_value> any;
};

class filter {
   public:
    filter() = default;
    std::vector<filter_term> terms;

    [[nodiscard]] bool empty() const noexcept { return terms.empty(); }
    /// The shortest text with this meaning; reading it back gives the same filter.
    [[nodiscard]] std::string text() const;
    /// As the SQL functions read it (queue.find_jobs).
    [[nodiscard]] std::string json() const;
};

/// A text of at most 4096 bytes, 64 terms and 100 values per term. Errors (invalid_argument) name
/// the position, what was expected and what came, and what was probably meant; nothing is ignored.
[[nodiscard]] result<filter> parse_filter(std::string_view text);

/// The text as one value: quoted where the grammar would read more into it.
[[nodiscard]] std::string quote_filter_value(std::string_view value);

/// What can stand where `text` ends: names of fields (`queue:`), or values of the field that was
/// begun where the grammar knows them (states). Whole words, at most 20.
[[nodiscard]] std::vector<std::string> complete_filter(std::string_view text);

}  // namespace libqueue
