#pragma once

#include "instant.hpp"
#include "values.hpp"

#include <libqueue/operations.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// Reports as text in each output format. Pure: what is printed depends on the arguments only.

namespace qctl {

/// How to print.
class view {
   public:
    output_format format{output_format::table};
    std::vector<std::string> columns;  ///< chosen by --columns; empty: the default
    std::string_view default_columns;  ///< of the table format, comma separated; empty: all
    bool headers{true};
    bool color{false};
    bool for_people{false};  ///< relative times, cut to `width`
    std::string zone;        ///< tables show times in it, not relative; empty: UTC
    std::size_t width{80};
    time_point now{};
};

/// A report in pages: a list may be longer than memory allows, and its first line should not wait
/// for the last. Table formats need all rows for their widths and print at the end.
class list_renderer {
   public:
    explicit list_renderer(view how) : how_{std::move(how)} {}

    /// The text to print now. Throws `stop` (usage) on an unknown column.
    [[nodiscard]] std::string add(const libqueue::report& page);
    [[nodiscard]] std::string finish();

   private:
    [[nodiscard]] std::string json_rows(const libqueue::report& page);
    [[nodiscard]] std::string csv_rows(const libqueue::report& page);

    view how_;
    libqueue::report table_;
    bool started_{false};
    bool any_row_{false};
};

/// One thing: an object in JSON, names and values below each other in a table. `report` has one
/// row.
[[nodiscard]] std::string render_object(const libqueue::report& one, const view& how);

/// One row as a JSON object.
[[nodiscard]] std::string json_object(const libqueue::report& of, std::size_t row);

/// The rows as a JSON array.
[[nodiscard]] std::string json_array(const libqueue::report& of);

/// Only the wanted columns, in that order; unknown names throw `stop` (usage).
[[nodiscard]] libqueue::report chosen_columns(const libqueue::report& from,
                                              const std::vector<std::string>& names);

}  // namespace qctl
