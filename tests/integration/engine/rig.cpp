#include "rig.hpp"

namespace engine_test {

using libqueue::job_id;
using libqueue::outcome;
using libqueue::registration;

libqueue::worker_options rig::options(int concurrency) {
    libqueue::worker_options wanted;
    wanted.dsn = db.dsn();
    wanted.queues.emplace_back("default", concurrency);
    wanted.heartbeat = 200ms;
    wanted.lease = test::scaled(2s);
    wanted.poll_interval = 500ms;
    wanted.drain_timeout = 10s;
    wanted.observer = &seen;
    return wanted;
}

std::unique_ptr<libqueue::worker> rig::start(
    std::vector<registration> kinds, const std::optional<libqueue::worker_options>& wanted) {
    auto made = std::make_unique<libqueue::worker>(wanted ? *wanted : options(), std::move(kinds));
    made->start();
    return made;
}

job_id rig::enqueue(const std::string& kind, const std::string& payload,
                    const std::string& more) const {
    return std::stoll(
        db.query("SELECT queue.enqueue($1, $2::jsonb" + (more.empty() ? "" : ", " + more) + ")",
                 {kind, payload}));
}

std::vector<job_id> rig::enqueue_many(const std::string& kind, int count,
                                      const std::string& more) const {
    std::vector<job_id> ids;
    for (const auto& row :
         db.rows("SELECT * FROM queue.enqueue_many($1, ARRAY(SELECT jsonb_build_object('n', n) "
                 "FROM generate_series(1, $2::int) n)" +
                     (more.empty() ? "" : ", " + more) + ")",
                 {kind, std::to_string(count)})) {
        ids.push_back(std::stoll(row.at(0).value()));
    }
    return ids;
}

std::string rig::state(job_id id) const {
    return db.query("SELECT state FROM queue.jobs WHERE id = $1", {std::to_string(id)});
}

bool rig::wait_state(job_id id, const std::string& wanted,
                     std::chrono::milliseconds deadline) const {
    test::connection on{db.dsn()};
    return test::wait_until(
        [&] {
            return on.query("SELECT state FROM queue.jobs WHERE id = $1", {std::to_string(id)}) ==
                   wanted;
        },
        deadline);
}

bool rig::wait_finished(int count, std::chrono::milliseconds deadline) const {
    test::connection on{db.dsn()};
    return test::wait_until(
        [&] {
            return std::stoi(on.query("SELECT count(DISTINCT job_id) FROM queue.attempt "
                                      "WHERE next_run_at IS NULL")) >= count;
        },
        deadline);
}

std::string rig::outcomes(job_id id) const {
    return db.query(
        "SELECT string_agg(outcome::text, ' ' ORDER BY lease_id) FROM queue.attempt "
        "WHERE job_id = $1",
        {std::to_string(id)});
}

std::string rig::faults() const {
    std::string found;
    const auto none = [&](const std::string& what, const std::string& sql) {
        const std::string first = db.query(sql);
        if (!first.empty()) {
            found += what + ": " + first + "; ";
        }
    };
    none("in line twice",
         "SELECT string_agg(id::text, ',') FROM "
         "(SELECT id FROM queue.ready GROUP BY id HAVING count(*) > 1 LIMIT 5) x");
    none("in line and in a lease",
         "SELECT string_agg(r.id::text, ',') FROM queue.ready r "
         "JOIN (SELECT s.id AS lease_id, unnest(s.job_ids) AS job_id FROM queue.lease s) o "
         "ON o.job_id = r.id WHERE NOT EXISTS (SELECT FROM queue.attempt a "
         "WHERE a.job_id = o.job_id AND a.lease_id = o.lease_id)");
    none("completed twice",
         "SELECT string_agg(job_id::text, ',') FROM (SELECT job_id FROM queue.attempt "
         "WHERE outcome = 'completed' GROUP BY job_id HAVING count(*) > 1 LIMIT 5) x");
    none("leases left", "SELECT string_agg(id::text || ' of ' || worker_id, ',') FROM queue.lease");
    none(
        "without a last word",
        "SELECT string_agg(id::text, ',') FROM (SELECT j.id FROM queue.job j WHERE NOT EXISTS "
        "(SELECT FROM queue.attempt a WHERE a.job_id = j.id AND a.next_run_at IS NULL) LIMIT 5) x");
    none("finished and in line",
         "SELECT string_agg(r.id::text, ',') FROM queue.ready r WHERE "
         "(SELECT a.next_run_at IS NULL FROM queue.attempt a WHERE a.job_id = r.id "
         "ORDER BY a.lease_id DESC LIMIT 1)");
    return found;
}

registration coroutine(std::string kind, libqueue::coroutine_handler how) {
    registration made{std::move(kind)};
    made.handle = std::move(how);
    made.options.retry = libqueue::retry_policy{libqueue::backoff_strategy::fixed, 0ms, 0ms, false};
    return made;
}

registration blocking(std::string kind, libqueue::blocking_handler how) {
    registration made{std::move(kind)};
    made.handle_blocking = std::move(how);
    made.options.retry = libqueue::retry_policy{libqueue::backoff_strategy::fixed, 0ms, 0ms, false};
    return made;
}

registration saying(std::string kind, outcome what) {
    return coroutine(
        std::move(kind),
        [what](libqueue::job_context&) -> boost::asio::awaitable<outcome> { co_return what; });
}

registration noop(std::string kind) {
    return saying(std::move(kind), libqueue::completed());
}

registration sleeper(std::string kind, std::chrono::milliseconds time) {
    return coroutine(std::move(kind),
                     [time](libqueue::job_context& context) -> boost::asio::awaitable<outcome> {
                         const bool whole = co_await context.sleep(time);
                         co_return whole ? libqueue::completed() : libqueue::cancelled();
                     });
}

}  // namespace engine_test
