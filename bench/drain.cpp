#include "bench/backlog.hpp"
#include "bench/measurements.hpp"
#include "bench/noop_worker.hpp"
#include "bench/workerd_process.hpp"

#include <optional>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

// Looking takes the processor from what is measured.
constexpr std::chrono::milliseconds look_interval{5};
constexpr std::chrono::seconds daemon_at_most{300};

void wait_for(session& db, workerd_process& daemon, const std::string& sql) {
    const auto until = clock::now() + daemon_at_most;
    db.prepare("", sql);
    while (std::string{PQgetvalue(db.run("").get(), 0, 0)} != "t") {
        daemon.check();
        if (clock::now() > until) {
            throw std::runtime_error{"workerd: not true after five minutes: " + sql};
        }
        std::this_thread::sleep_for(look_interval);
    }
}

/// Seconds from the daemon's entry in the database to the last job's record.
double drain_by_daemon(session& db, const arguments& given) {
    const std::int64_t last = db.number(
        "SELECT max(j.id) FROM queue.job j JOIN queue.line l ON l.id = j.line_id "
        "WHERE l.kind = 'debug.noop' AND j.run_at <= now()");
    // The look for the last job is planned while the history is empty.
    db.exec("SET enable_seqscan = off");
    workerd_process daemon{given.text("workerd"), given.text("config")};
    wait_for(db, daemon, "SELECT EXISTS (SELECT FROM queue.worker)");
    const auto begin = clock::now();
    wait_for(
        db, daemon,
        "SELECT EXISTS (SELECT FROM queue.attempt WHERE job_id = " + std::to_string(last) + ")");
    wait_recorded(db, [&daemon] { daemon.check(); });
    return seconds_between(begin, clock::now());
}

/// Jobs a second after the first `window` and before the last one, by the handlers' own clock.
void add_windows(boost::json::object& made, const noop_worker& worker, std::int64_t jobs,
                 std::int64_t window) {
    const auto rate = [&](std::int64_t from, std::int64_t to) {
        return static_cast<double>(to - from) /
               seconds_between(worker.time_of(from), worker.time_of(to));
    };
    made["first_per_second"] = rate(0, window);
    made["last_per_second"] = rate(jobs - window, jobs);
}

}  // namespace

boost::json::object drain(const arguments& given) {
    const std::string dsn = given.text("dsn");
    const std::int64_t jobs = given.number("jobs");
    const std::int64_t take = given.number_or("take", jobs);
    session db{dsn};
    std::optional<old_snapshot> held;
    if (given.flag("snapshot")) {
        held.emplace(dsn);
    }
    const std::int64_t wal_before = wal_position(db);
    const double cpu_before = cpu_seconds();
    boost::json::object made;
    double seconds = 0;
    if (given.flag("workerd")) {
        seconds = drain_by_daemon(db, given);
    } else {
        noop_worker worker{dsn, take, static_cast<int>(given.number_or("concurrency", 1'000)),
                           static_cast<int>(given.number_or("connections", 2))};
        const auto begin = worker.start();
        worker.wait();
        if (given.flag("until_taken")) {
            seconds = seconds_between(begin, worker.time_of(take));
        } else {
            wait_recorded(db, [&worker] { worker.check(); });
            seconds = seconds_between(begin, clock::now());
            add_windows(made, worker, jobs, given.number_or("window", 50'000));
        }
        made["client_cpu_us"] =
            1e6 * (cpu_seconds() - cpu_before) / static_cast<double>(worker.done());
        made["wal_bytes"] = wal_position(db) - wal_before;
        worker.stop();
    }
    if (!given.flag("until_taken") && !given.flag("others_wait")) {
        check_history(db, jobs);
    }
    made["jobs"] = take;
    made["seconds"] = seconds;
    made["per_second"] = static_cast<double>(take) / seconds;
    return made;
}

}  // namespace bench
