#pragma once

#include "logging/logger.hpp"
#include "observe/job_counters.hpp"
#include "observe/metric_set.hpp"
#include "observe/notifier.hpp"
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
#include <string>
#include <thread>
#include <vector>

namespace workerd::observe {

/// The thread that keeps: every process writes its minutes; the one that holds the duty `observe`
/// also looks at the whole database, sends canaries, evaluates the rules and tells the channels. It
/// has a connection of its own and needs no queue and no worker: what tells of a queue that stands
/// still must not stand in it. A database that is away is tried again.
class keeper {
   public:
    keeper(const options& given, libqueue::client_options database, const job_counters& jobs,
           metric_set& told, metric_set& database_gauges, logger& log);
    keeper(const keeper&) = delete;
    keeper& operator=(const keeper&) = delete;
    ~keeper();

    /// Before start.
    void tell_by(teller how) { notifier_.tell_by(std::move(how)); }
    /// It looks for the first time when `ready` says so, and writes nothing before.
    void start(std::function<bool()> ready);
    /// Writes the minute that has begun, lets the duty go and returns.
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

    const options& given_;
    logger& log_;
    metric_set& gauges_;
    sample_taker minutes_;
    notifier notifier_;
    std::function<bool()> ready_;

    libqueue::client client_;
    libqueue::observation look_;
    libqueue::alerts alerts_;

    std::thread thread_;
    std::mutex mutex_;
    std::condition_variable woken_;
    bool stopping_{false};
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
