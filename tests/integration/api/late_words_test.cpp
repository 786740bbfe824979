#include "stand_in_worker.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <sql/return_unstarted.hpp>

#include <doctest/doctest.h>

#include <future>

// What is said too late, or twice at once over two connections: found by the simulation first.

namespace {

/// A database, somebody who runs jobs, and a second connection that may have to wait for the first.
class meeting {
   public:
    meeting() : worker{db}, second{db.dsn()} {}

    std::int64_t enqueue() const {
        return std::stoll(db.query("SELECT queue.enqueue('a.b', '{}')"));
    }
    /// Runs `second_says` on a thread and returns once the server has it wait for a lock.
    template <typename F>
    auto held_up(F second_says) {
        auto said = std::async(std::launch::async, std::move(second_says));
        REQUIRE(test::wait_until([this] {
            return db.query(
                       "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                       "AND datname = current_database()") == "1";
        }));
        return said;
    }

    test::test_database db;
    test::stand_in_worker worker;
    test::connection second;
};

std::string braced(std::int64_t job) {
    return "{" + std::to_string(job) + "}";
}

}  // namespace

TEST_SUITE_BEGIN("late words");

TEST_CASE("a zombie's burial of a job that was rescued, buried and replayed adds no dead letter") {
    meeting m;
    const std::int64_t job = m.enqueue();
    m.worker.kill(job, "worker lost", "lost");
    const std::string lease = m.db.query("SELECT lease_id FROM queue.attempt");
    m.db.execute("SELECT queue.retry($1)", {std::to_string(job)});
    REQUIRE(m.db.query("SELECT count(*) FROM queue.dead_letter") == "0");

    // The attempt of that lease is the rescuer's; the zombie's own finish recorded nothing.
    m.second.execute(std::string{libqueue::sql::bury},
                     {braced(job), "{" + lease + "}", "{attempts used up}"});

    CHECK(m.db.query("SELECT count(*) FROM queue.dead_letter") == "0");
    CHECK(m.db.query("SELECT state FROM queue.jobs") == "ready");
}

TEST_CASE("two jobs of one lease, given back at once over two connections, leave nothing on it") {
    meeting m;
    const std::int64_t first = m.enqueue();
    const std::int64_t second = m.enqueue();
    const std::string lease = m.db.query(
        "WITH taken AS (DELETE FROM queue.ready RETURNING id, attempt) "
        "INSERT INTO queue.lease (id, worker_id, claimed_at, job_ids, attempts) "
        "SELECT nextval('queue.lease_id_seq'), $1::bigint, now(), array_agg(id), "
        "array_agg(attempt) FROM taken RETURNING id",
        {m.worker.id()});
    const std::string line = m.db.query("SELECT id FROM queue.line");
    const auto give_back = [&](test::connection& on, std::int64_t job) {
        on.execute(std::string{libqueue::sql::return_unstarted},
                   {m.worker.id(), "{" + lease + "}", braced(job), "{" + line + "}",
                    "{2026-01-01 00:00:00+00}", "{0}", "{f}"});
    };

    m.worker.on().execute("BEGIN");
    give_back(m.worker.on(), first);
    auto said = m.held_up([&] { give_back(m.second, second); });
    m.worker.on().execute("COMMIT");
    said.get();

    CHECK(m.db.query("SELECT count(*) FROM queue.ready") == "2");
    CHECK(m.db.query("SELECT job_ids FROM queue.lease") == "{}");
}

TEST_CASE("a retry that waited while the cancelled job was retried and completed is refused") {
    meeting m;
    const std::int64_t job = m.enqueue();
    m.worker.cancel(job);

    m.worker.on().execute("BEGIN");
    m.worker.on().execute("SELECT queue.retry($1)", {std::to_string(job)});
    m.worker.complete(job);
    auto said = m.held_up([&]() -> std::string {
        try {
            m.second.execute("SELECT queue.retry($1)", {std::to_string(job)});
        } catch (const test::sql_error& refused) {
            return refused.what();
        }
        return "accepted";
    });
    m.worker.on().execute("COMMIT");

    CHECK(said.get().find("it is already completed") != std::string::npos);
    CHECK(m.db.query("SELECT state FROM queue.jobs") == "completed");
    CHECK(m.db.query("SELECT count(*) FROM queue.ready") == "0");
}

TEST_SUITE_END();
