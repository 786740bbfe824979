#pragma once

#include "logging/logger.hpp"
#include "observe/job_counters.hpp"
#include "observe/metric_set.hpp"
#include "observe/options.hpp"

#include <libqueue/alerts.hpp>
#include <libqueue/client.hpp>
#include <libqueue/observation.hpp>

#include <boost/json.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace workerd::observe {

/// An alert that somebody is to be told of.
class notice {
   public:
    notice() = default;
    std::int64_t id{0};
    std::string rule;
    std::string subject;
    std::string severity;
    std::string summary;
    std::string value;
    std::string threshold;
    std::string raised_at;
};

/// Tells one channel; whether it took the notice. May block for some seconds.
using teller = std::function<bool(const notice& what, const std::string& channel)>;

/// The thread that keeps: every process writes its minutes; the one that holds the duty `observe`
/// also looks at the whole database, sends canaries and evaluates the rules. A second thread tells
/// the channels, so that one that hangs delays neither minutes nor the duty. Both have connections
/// of their own and need no queue and no worker: what tells of a queue that stands still must not
/// stand in it. A database that is away is tried again.
class keeper {
   public:
    keeper(const options& given, libqueue::client_options database, const job_counters& jobs,
           metric_set& told, metric_set& database_gauges, logger& log);
    keeper(const keeper&) = delete;
    keeper& operator=(const keeper&) = delete;
    ~keeper();

    /// Before start.
    void tell_by(teller how) { tell_ = std::move(how); }
    /// It looks for the first time when `ready` says so, and writes nothing before.
    void start(std::function<bool()> ready);
    /// Writes the minute that has begun, lets the duty go and returns, after the notice that is on
    /// its way.
    void stop();

    /// From the worker's loop thread: a level that a handler told of.
    void put_level(const libqueue::measure& told);

    [[nodiscard]] bool leads() const noexcept { return leads_; }
    /// As last measured.
    [[nodiscard]] std::chrono::milliseconds clock_offset() const noexcept {
        return std::chrono::milliseconds{clock_offset_ms_.load()};
    }

   private:
    using clock = std::chrono::steady_clock;

    void run();
    void round(bool last);
    void take_minute();
    void write_minutes();
    void write_levels();
    void look();
    void keep_gauges(const libqueue::report& gauges, double took);
    void add_unhandled(std::vector<metric_set::value_of>& to);
    void write_depths();
    void ask_canaries();
    void send_canaries();
    void evaluate();
    [[nodiscard]] std::chrono::milliseconds hold() const noexcept;

    // On the second thread.
    void run_telling();
    [[nodiscard]] bool is_stopping();
    using notice_row = std::vector<std::optional<std::string>>;
    [[nodiscard]] notice_row next_notice(const std::set<std::string>& tried);
    void tell_channels();

    const options& given_;
    logger& log_;
    metric_set& told_;
    metric_set& gauges_;
    sample_taker minutes_;
    teller tell_;
    std::function<bool()> ready_;

    libqueue::client client_;
    libqueue::observation look_;
    libqueue::alerts alerts_;

    // The second thread's own.
    libqueue::client telling_client_;
    libqueue::observation telling_look_;
    libqueue::alerts telling_;
    std::set<std::string> slow_;  // channels that took their time with the latest notice
    bool telling_failed_{false};

    std::thread thread_;
    std::thread telling_thread_;
    std::mutex mutex_;
    std::condition_variable woken_;
    bool stopping_{false};
    bool to_tell_{false};
    std::map<std::string, boost::json::object> levels_;  // by name and labels
    std::atomic<bool> leads_{false};
    std::atomic<std::int64_t> clock_offset_ms_{0};

    // The thread's own.
    std::int64_t minute_{0};             // since 1970, the one that is being filled
    std::deque<std::string> unwritten_;  // minutes
    clock::time_point next_look_{};
    std::optional<std::int64_t> depths_of_;  // the minute whose depths are written
    clock::time_point next_canary_{};
    std::map<std::string, std::pair<libqueue::job_id, clock::time_point>> canaries_;
    bool away_{false};
};

}  // namespace workerd::observe
