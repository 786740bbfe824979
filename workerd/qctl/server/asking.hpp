#pragma once

#include "server/api_client.hpp"

#include <libqueue/job.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// What the classes any_* say to a server, and read out of its answers.

namespace qctl {

/// A route that takes no members takes no body at all: an empty object is left out.
[[nodiscard]] api_request posting(std::string path, std::string body = {});

/// A parameter of the query; what is unset is left out.
void add(api_request& to, std::string_view name, const std::optional<std::string>& value);
void add(api_request& to, std::string_view name, const std::optional<std::int64_t>& value);
void add(api_request& to, std::string_view name, const std::optional<libqueue::time_point>& value);

[[nodiscard]] libqueue::result<void> done(const libqueue::result<api_answer>& answer);

/// A whole number, 0 or more, of the first row; 0 when it is NULL or not there. Throws `stop`.
[[nodiscard]] std::int64_t number_of(const libqueue::report& row, std::string_view name);
[[nodiscard]] bool truth_of(const libqueue::report& row, std::string_view name);

}  // namespace qctl
