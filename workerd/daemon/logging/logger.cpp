#include "logging/logger.hpp"

#include "logging/line_format.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

namespace workerd {

namespace {

constexpr std::array<std::pair<log_level, std::string_view>, 5> level_names{
    {{log_level::trace, "trace"},
     {log_level::debug, "debug"},
     {log_level::info, "info"},
     {log_level::warn, "warn"},
     {log_level::error, "error"}}};

std::unique_ptr<spdlog::logger> make_sink(spdlog::sink_ptr sink) {
    auto made = std::make_unique<spdlog::logger>("workerd", std::move(sink));
    // Lines arrive finished, and the level was checked before they were made.
    made->set_pattern("%v");
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    // A full disk or a closed pipe must not stop the work; spdlog would print to the same stream.
    made->set_error_handler([](const std::string&) {});
    return made;
}

}  // namespace

std::string_view to_string(log_level level) noexcept {
    for (const auto& [value, name] : level_names) {
        if (value == level)
            return name;
    }
    return "info";
}

std::optional<log_level> parse_log_level(std::string_view text) noexcept {
    for (const auto& [value, name] : level_names) {
        if (name == text)
            return value;
    }
    return std::nullopt;
}

log_format parse_log_format(std::string_view text) noexcept {
    if (text == "json")
        return log_format::json;
    return text == "text" ? log_format::text : log_format::automatic;
}

logger::logger(log_level level, log_format format)
    : level_{level},
      configured_level_{level},
      is_text_{format == log_format::text ||
               (format == log_format::automatic && ::isatty(STDERR_FILENO) == 1)},
      is_coloured_{is_text_ && ::isatty(STDERR_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr},
      sink_{make_sink(std::make_shared<spdlog::sinks::stderr_sink_mt>())},
      redactor_{std::make_shared<const redactor>()} {}

logger::logger(log_level level, log_format format, std::ostream& out)
    : level_{level},
      configured_level_{level},
      is_text_{format == log_format::text},
      sink_{make_sink(std::make_shared<spdlog::sinks::ostream_sink_mt>(out))},
      redactor_{std::make_shared<const redactor>()} {}

logger::~logger() = default;

void logger::log(log_level level, std::string_view event, std::string_view message,
                 std::initializer_list<log_field> fields) {
    write(level, event, message, {fields.begin(), fields.size()});
}

void logger::write(log_level level, std::string_view event, std::string_view message,
                   std::span<const log_field> fields) {
    if (!enabled(level))
        return;
    log_record record;
    record.at = std::chrono::system_clock::now();
    record.level = level;
    record.event = event;
    record.message = message;
    record.fields = fields;
    const auto hide = current_redactor();
    const auto line =
        is_text_ ? to_text_line(record, *hide, is_coloured_) : to_json_line(record, *hide);
    sink_->log(spdlog::level::info, spdlog::string_view_t{line.data(), line.size()});
}

void logger::set_level(log_level level) noexcept {
    configured_level_ = level;
    level_ = level;
}

void logger::toggle_debug() noexcept {
    level_ = level_ == log_level::debug ? configured_level_.load() : log_level::debug;
}

void logger::set_redacted_keys(const std::vector<std::string>& keys) {
    auto made = std::make_shared<const redactor>(keys);
    const std::lock_guard lock{mutex_};
    redactor_ = std::move(made);
}

std::shared_ptr<const redactor> logger::current_redactor() {
    const std::lock_guard lock{mutex_};
    return redactor_;
}

}  // namespace workerd
