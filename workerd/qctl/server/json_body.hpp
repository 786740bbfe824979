#pragma once

#include <libqueue/job.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qctl {

/// A JSON object, member by member; what is unset is left out. Durations are whole milliseconds,
/// times ISO 8601.
class json_body {
   public:
    json_body& text(std::string_view name, const std::optional<std::string>& value);
    json_body& texts(std::string_view name, const std::vector<std::string>& values);
    json_body& integer(std::string_view name, std::optional<std::int64_t> value);
    json_body& number(std::string_view name, std::optional<double> value);
    json_body& boolean(std::string_view name, bool value);
    /// `value` is JSON already; empty: left out.
    json_body& raw(std::string_view name, std::string_view value);
    json_body& time(std::string_view name, const std::optional<libqueue::time_point>& value);

    [[nodiscard]] std::string done() const { return "{" + members_ + "}"; }

   private:
    std::string members_;
};

}  // namespace qctl
