#include "bench/backlog.hpp"

#include "bench/measurements.hpp"

#include <libqueue/migrate.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <thread>
#include <vector>

namespace bench {
namespace {

constexpr std::array<int, 5> priorities{5, 1, 3, 7, 10};
constexpr std::chrono::microseconds look_interval{500};
constexpr std::chrono::seconds recorded_at_most{60};

}  // namespace

void install_queue(const std::string& dsn) {
    libqueue::migrate_options options;
    options.dsn = dsn;
    (void)libqueue::migrate(options).value();
}

void enqueue_batch(libqueue::client& producer, std::int64_t from, std::int64_t count,
                   int priority) {
    std::vector<libqueue::new_job> jobs;
    jobs.reserve(static_cast<std::size_t>(count));
    for (std::int64_t number = from; number < from + count; ++number) {
        jobs.emplace_back(kind, payload(number)).with_priority(priority);
    }
    (void)producer.enqueue_many(jobs).value();
}

void wait_recorded(session& db, const std::function<void()>& still_alive) {
    const auto until = clock::now() + recorded_at_most;
    db.prepare("leases", "SELECT count(*) FROM queue.lease");
    while (true) {
        still_alive();
        const rows answer = db.run("leases");
        if (std::string{PQgetvalue(answer.get(), 0, 0)} == "0") {
            return;
        }
        if (clock::now() > until) {
            throw std::runtime_error{"jobs ran but were not recorded within a minute"};
        }
        std::this_thread::sleep_for(look_interval);
    }
}

void check_history(session& db, std::int64_t jobs) {
    const std::int64_t attempts = db.number("SELECT count(*) FROM queue.attempt");
    const std::int64_t completed =
        db.number("SELECT count(DISTINCT job_id) FROM queue.attempt WHERE outcome = 'completed'");
    const std::int64_t waiting = db.number("SELECT count(*) FROM queue.ready");
    if (attempts != jobs || completed != jobs || waiting != 0) {
        throw std::runtime_error{"expected " + std::to_string(jobs) + " jobs completed once, got " +
                                 std::to_string(attempts) + " attempts, " +
                                 std::to_string(completed) + " completed jobs and " +
                                 std::to_string(waiting) + " in line"};
    }
}

boost::json::object preload(const arguments& given) {
    const std::string dsn = given.text("dsn");
    const std::int64_t jobs = given.number("jobs");
    const auto used = static_cast<std::size_t>(given.number_or("priorities", 1));
    install_queue(dsn);
    session db{dsn};
    db.exec("CHECKPOINT");
    const std::int64_t wal_before = wal_position(db);
    libqueue::client producer{libqueue::client_options{dsn}};
    const auto begin = clock::now();
    std::size_t batch = 0;
    for (std::int64_t from = 0; from < jobs; from += batch_size) {
        const std::int64_t count = std::min(batch_size, jobs - from);
        enqueue_batch(producer, from, count, priorities.at(batch++ % used));
    }
    const double seconds = seconds_between(begin, clock::now());
    boost::json::object made;
    made["jobs"] = jobs;
    made["per_second"] = static_cast<double>(jobs) / seconds;
    made["wal_bytes"] = wal_position(db) - wal_before;
    if (!given.flag("raw")) {
        db.exec("VACUUM ANALYZE");
        db.exec("CHECKPOINT");
    }
    return made;
}

}  // namespace bench
