#pragma once

#include <libqueue/observer.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace test {

/// One event, owned.
class recorded_event {
   public:
    explicit recorded_event(const libqueue::event& e);

    libqueue::event_type type;
    std::int64_t worker;
    std::int64_t other_worker;
    std::optional<libqueue::job> job;
    libqueue::outcome::type outcome;
    std::chrono::microseconds duration;
    std::chrono::microseconds waited;
    std::int64_t count;
    std::string message;
};

/// The tests' signal: keeps every event and lets a test await one instead of napping.
/// Thread-safe. Must outlive the worker it observes.
class recording_observer final : public libqueue::observer {
   public:
    using condition = std::function<bool(const recorded_event&)>;

    void on_event(const libqueue::event& e) noexcept override;

    [[nodiscard]] std::vector<recorded_event> events() const;
    [[nodiscard]] std::size_t count(libqueue::event_type type) const;

    /// True once `times` events of the type (that satisfy `matching`) have been seen, counting
    /// those before the call; false at the deadline.
    [[nodiscard]] bool wait_for(libqueue::event_type type, std::size_t times = 1,
                                std::chrono::milliseconds deadline = std::chrono::seconds{10});
    [[nodiscard]] bool wait_for(libqueue::event_type type, const condition& matching,
                                std::size_t times = 1,
                                std::chrono::milliseconds deadline = std::chrono::seconds{10});
    void clear();

   private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<recorded_event> events_;
};

}  // namespace test
