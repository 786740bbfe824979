#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace workerd {

enum class log_level { trace, debug, info, warn, error };

[[nodiscard]] std::string_view to_string(log_level level) noexcept;
[[nodiscard]] std::optional<log_level> parse_log_level(std::string_view text) noexcept;

using log_value = std::variant<std::string_view, std::int64_t, double, bool>;

/// One key and value of a log line. A key "err.code" becomes member "code" of the object "err".
/// Views must live as long as the call.
class log_field {
   public:
    log_field(std::string_view key_, std::string_view value_) : key{key_}, value{value_} {}
    log_field(std::string_view key_, const char* value_)
        : key{key_}, value{std::string_view{value_}} {}
    log_field(std::string_view key_, const std::string& value_)
        : key{key_}, value{std::string_view{value_}} {}
    log_field(std::string_view key_, std::int64_t value_) : key{key_}, value{value_} {}
    log_field(std::string_view key_, int value_) : key{key_}, value{std::int64_t{value_}} {}
    log_field(std::string_view key_, std::size_t value_)
        : key{key_}, value{static_cast<std::int64_t>(value_)} {}
    log_field(std::string_view key_, double value_) : key{key_}, value{value_} {}
    log_field(std::string_view key_, bool value_) : key{key_}, value{value_} {}

    std::string_view key;
    log_value value;
};

/// One log line before it is written. `message` is a constant; what varies goes into fields.
class log_record {
   public:
    log_record() = default;
    std::chrono::system_clock::time_point at{};
    log_level level = log_level::info;
    std::string_view event;
    std::string_view message;
    std::span<const log_field> fields;
};

}  // namespace workerd
