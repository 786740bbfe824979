#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace libqueue::engine {

/// Counts the blocking handlers now running, so that a leaving worker knows whether any still is.
/// Thread-safe.
class blocking_calls {
   public:
    /// False: closed, the handler must not begin.
    [[nodiscard]] bool enter() {
        const std::lock_guard lock{mutex_};
        if (closed_) {
            return false;
        }
        ++inside_;
        return true;
    }
    void leave() {
        const std::lock_guard lock{mutex_};
        --inside_;
        changed_.notify_all();
    }
    /// From here on none begins. True when none runs any more, waiting at most so long.
    [[nodiscard]] bool close(std::chrono::milliseconds at_most) {
        std::unique_lock lock{mutex_};
        closed_ = true;
        return changed_.wait_for(lock, at_most, [this] { return inside_ == 0; });
    }

   private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int inside_{0};
    bool closed_{false};
};

}  // namespace libqueue::engine
