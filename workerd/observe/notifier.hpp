#pragma once

#include "logging/logger.hpp"
#include "observe/metric_set.hpp"

#include <libqueue/alerts.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <string>
#include <vector>

namespace workerd::observe {

/// An alert that somebody is to be told of.
class notice {
   public:
    notice() = default;
    [[nodiscard]] bool is_over() const noexcept { return !resolved_at.empty(); }

    std::int64_t id{0};
    std::string rule;
    std::string subject;
    std::string severity;
    std::string summary;
    std::string value;
    std::string threshold;
    std::string raised_at;
    int number{1};            ///< of the notices that it fires, from 1
    std::string resolved_at;  ///< empty: it fires
};

/// Tells one channel; whether it took the notice. May block for some seconds. Called for different
/// channels at the same time, for one channel never.
using teller = std::function<bool(const notice& what, const std::string& channel)>;

/// Tells channels of alerts, each on a thread of its own while there is something to tell: one that
/// hangs keeps neither the others waiting nor who looks for alerts. Who is still to be told stands
/// in the database; a process that dies between telling and noting tells twice. One thread, but for
/// stop().
class notifier {
   public:
    notifier(metric_set& counted, logger& log) : counted_{counted}, log_{log} {}
    notifier(const notifier&) = delete;
    notifier& operator=(const notifier&) = delete;
    /// Waits for what is under way.
    ~notifier();

    /// Before anything is told.
    void tell_by(teller how) { tell_ = std::move(how); }
    /// Begins to tell channels that have nothing under way what they are still to be told, critical
    /// things first.
    void tell_untold(libqueue::alerts& from);
    /// Notes what has come of it by now.
    void note_told(libqueue::alerts& into);
    /// Nothing is begun until tell_untold is called again: somebody else tells now.
    void pause() noexcept { paused_ = true; }
    /// From any thread: nothing is begun any more.
    void stop() noexcept { stopping_ = true; }
    /// Waits for what is under way, and notes it.
    void finish(libqueue::alerts& into);

   private:
    class outcome {
       public:
        explicit outcome(notice what_) : what{std::move(what_)} {}
        notice what;
        bool told{false};
    };

    [[nodiscard]] std::vector<outcome> tell_all(const std::string& channel,
                                                std::vector<notice> what) const;
    void note(libqueue::alerts& into, const std::string& channel, const outcome& came_of_it);

    metric_set& counted_;
    logger& log_;
    teller tell_;
    std::atomic<bool> stopping_{false};
    std::atomic<bool> paused_{false};
    std::map<std::string, std::future<std::vector<outcome>>> under_way_;  // by channel
};

}  // namespace workerd::observe
