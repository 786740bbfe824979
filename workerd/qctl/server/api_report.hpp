#pragma once

#include "stop.hpp"

#include <libqueue/error.hpp>
#include <libqueue/operations.hpp>

#include <optional>
#include <string>
#include <string_view>

// What an API server answers, as the reports the library would give: the API's names are the
// library's column names. Numbers and documents stay the text they came as. Pure; any thread.

namespace qctl {

/// A page of a list.
class api_page {
   public:
    libqueue::report rows;
    std::optional<std::string> cursor;  ///< of the next page
};

/// `{"items":[{...}],"next":...}`, or the array of items alone. Throws `stop` (failed) on anything
/// else: it is no server of ours.
[[nodiscard]] api_page read_page(std::string_view body);

/// `{...}` as one row.
[[nodiscard]] libqueue::report read_object(std::string_view body);

/// The value of a column of the first row; nothing when it is NULL or not there.
[[nodiscard]] std::optional<std::string> field_of(const libqueue::report& row,
                                                  std::string_view name);

/// Puts the rows of `page` under those of `all`, by the names of the columns.
void align_rows(libqueue::report& all, const libqueue::report& page);

/// The `id` of the last row of a list that goes by falling ids; nothing for any other list.
[[nodiscard]] std::optional<libqueue::job_id> last_of_falling(const libqueue::report& of);

/// A refusal: problem+json (RFC 9457) as far as it could be read.
class api_problem {
   public:
    int status{0};
    std::string code;        ///< a name of the library; empty: unknown
    std::string message;     ///< what was expected and what came
    std::string request_id;  ///< under which the server has logged it
};

[[nodiscard]] api_problem read_problem(int status, std::string_view body);

/// What the library would have returned for it; nothing when it is no domain error.
[[nodiscard]] std::optional<libqueue::error> domain_error(const api_problem& of);

/// What the verb ends with. 401 and 403: 4, 404: 3, 409 and 412: 5, 503 and its like: 9.
[[nodiscard]] stop to_stop(const api_problem& of);

}  // namespace qctl
