#include "recording_observer.hpp"

#include "wait_until.hpp"

#include <algorithm>

namespace test {

recorded_event::recorded_event(const libqueue::event& e)
    : type{e.type},
      worker{e.worker},
      other_worker{e.other_worker},
      job{e.job == nullptr ? std::nullopt : std::optional{*e.job}},
      outcome{e.outcome},
      duration{e.duration},
      waited{e.waited},
      count{e.count},
      message{e.message} {}

void recording_observer::on_event(const libqueue::event& e) noexcept {
    {
        const std::lock_guard lock{mutex_};
        events_.emplace_back(e);
    }
    changed_.notify_all();
}

std::vector<recorded_event> recording_observer::events() const {
    const std::lock_guard lock{mutex_};
    return events_;
}

std::size_t recording_observer::count(libqueue::event_type type) const {
    const std::lock_guard lock{mutex_};
    return static_cast<std::size_t>(
        std::count_if(events_.begin(), events_.end(),
                      [type](const recorded_event& e) { return e.type == type; }));
}

bool recording_observer::wait_for(libqueue::event_type type, std::size_t times,
                                  std::chrono::milliseconds deadline) {
    return wait_for(
        type, [](const recorded_event&) { return true; }, times, deadline);
}

bool recording_observer::wait_for(libqueue::event_type type, const condition& matching,
                                  std::size_t times, std::chrono::milliseconds deadline) {
    const auto enough = [&] {
        const auto seen =
            std::count_if(events_.begin(), events_.end(),
                          [&](const recorded_event& e) { return e.type == type && matching(e); });
        return static_cast<std::size_t>(seen) >= times;
    };
    std::unique_lock lock{mutex_};
    // wait_until, not wait_for: with gcc 12 the latter calls pthread_cond_clockwait, which its
    // ThreadSanitizer does not know and takes for a lock held twice.
    return changed_.wait_until(lock, std::chrono::system_clock::now() + scaled(deadline), enough);
}

void recording_observer::clear() {
    const std::lock_guard lock{mutex_};
    events_.clear();
}

}  // namespace test
