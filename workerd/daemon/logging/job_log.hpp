#pragma once

#include "logging/logger.hpp"

#include <libqueue/observer.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace workerd {

/// Lets at most `per_second` lines through each second and counts the others. One thread.
class repeat_limit {
   public:
    explicit repeat_limit(std::int64_t per_second) : per_second_{per_second} {}

    class verdict {
       public:
        bool allowed = false;
        /// Held back in the second that just ended; reported once.
        std::int64_t held_back = 0;
    };
    [[nodiscard]] verdict take(std::chrono::steady_clock::time_point now);

   private:
    std::int64_t per_second_;
    std::chrono::steady_clock::time_point second_{};
    std::int64_t count_ = 0;
};

/// Turns what the library reports into log lines. `on_event` runs on the worker's loop thread and
/// never throws; payloads and outputs are never logged.
class job_log final : public libqueue::observer {
   public:
    explicit job_log(logger& log) : log_{log} {}

    /// Log starts and successful ends, too.
    void set_every_job(bool on) noexcept { every_job_ = on; }

    void on_event(const libqueue::event& e) noexcept override;
    [[nodiscard]] bool wants_every_job() const noexcept override;

   private:
    void write(const libqueue::event& e);
    [[nodiscard]] bool passes_limit(const libqueue::event& e);

    static constexpr std::size_t event_types = 32;
    static constexpr std::int64_t lines_per_second = 200;

    logger& log_;
    std::atomic<bool> every_job_{false};
    std::array<repeat_limit, event_types> limits_ = [] {
        return []<std::size_t... i>(std::index_sequence<i...>) {
            return std::array<repeat_limit, event_types>{
                (static_cast<void>(i), repeat_limit{lines_per_second})...};
        }
        (std::make_index_sequence<event_types>{});
    }();
};

}  // namespace workerd
