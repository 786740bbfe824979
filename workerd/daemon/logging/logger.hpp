#pragma once

#include "logging/record.hpp"
#include "logging/redactor.hpp"

#include <atomic>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace spdlog {
class logger;
}

namespace workerd {

enum class log_format { automatic, json, text };

[[nodiscard]] log_format parse_log_format(std::string_view text) noexcept;

/// Writes log lines, one per record, through spdlog: to stderr, or to a stream in tests. Thread
/// safe. Level and redaction change at run time.
class logger {
   public:
    /// `automatic` is text when stderr is a terminal, JSON otherwise.
    logger(log_level level, log_format format);
    /// Writes to `out`, which must outlive the logger.
    logger(log_level level, log_format format, std::ostream& out);
    logger(const logger&) = delete;
    logger& operator=(const logger&) = delete;
    ~logger();

    void log(log_level level, std::string_view event, std::string_view message,
             std::initializer_list<log_field> fields = {});
    void write(log_level level, std::string_view event, std::string_view message,
               std::span<const log_field> fields);

    void debug(std::string_view event, std::string_view message,
               std::initializer_list<log_field> fields = {}) {
        log(log_level::debug, event, message, fields);
    }
    void info(std::string_view event, std::string_view message,
              std::initializer_list<log_field> fields = {}) {
        log(log_level::info, event, message, fields);
    }
    void warn(std::string_view event, std::string_view message,
              std::initializer_list<log_field> fields = {}) {
        log(log_level::warn, event, message, fields);
    }
    void error(std::string_view event, std::string_view message,
               std::initializer_list<log_field> fields = {}) {
        log(log_level::error, event, message, fields);
    }

    [[nodiscard]] bool enabled(log_level level) const noexcept {
        return level >= level_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] log_level level() const noexcept { return level_.load(); }
    void set_level(log_level level) noexcept;
    /// To debug, or back to the level set last.
    void toggle_debug() noexcept;
    void set_redacted_keys(const std::vector<std::string>& keys);

   private:
    [[nodiscard]] std::shared_ptr<const redactor> current_redactor();

    std::atomic<log_level> level_;
    std::atomic<log_level> configured_level_;
    bool is_text_;
    bool is_coloured_ = false;
    std::unique_ptr<spdlog::logger> sink_;
    std::mutex mutex_;
    // Shared by this object and the lines being formatted while the keys change.
    std::shared_ptr<const redactor> redactor_;
};

}  // namespace workerd
