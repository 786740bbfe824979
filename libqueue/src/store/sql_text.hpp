#pragma once

#include <libqueue/job.hpp>

#include <optional>
#include <string>

// Values as the text PostgreSQL reads, whatever the session's settings are.

namespace libqueue::store {

/// ISO 8601 in UTC. A time before 1970 becomes 1970 and one after 9999 the end of 9999: nothing
/// stored here lies outside.
[[nodiscard]] std::optional<std::string> time_text(const std::optional<time_point>& when);

}  // namespace libqueue::store
