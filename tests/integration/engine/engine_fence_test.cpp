#include "rig.hpp"

#include <libqueue/transaction.hpp>

#include <doctest/doctest.h>
#include <libpq-fe.h>

#include <atomic>
#include <memory>
#include <semaphore>

using namespace engine_test;
using boost::asio::awaitable;
using libqueue::event_type;
using libqueue::job_context;
using libqueue::outcome;
using libqueue::stop_reason;

TEST_SUITE_BEGIN("engine fence");

namespace {

/// Takes a worker's registration and leases away as a rescuer would, without giving the jobs back.
void declare_dead(const rig& t) {
    t.db.execute("DELETE FROM queue.worker");
}

}  // namespace

TEST_CASE("a stolen lease: the finish is refused, the handler is told, the job runs once more") {
    rig t;
    std::atomic<int> begun{0};
    std::atomic<stop_reason> told{stop_reason::none};
    const auto kind = coroutine("slow", [&](job_context& context) -> awaitable<outcome> {
        if (++begun > 1) {
            co_return libqueue::completed("\"second\"");
        }
        const bool slept = co_await context.sleep(std::chrono::minutes{1});
        told = context.stop_reason();
        (void)slept;
        co_return libqueue::completed("\"first\"");
    });
    const auto id = t.enqueue("slow");
    const auto worker = t.start({kind});
    REQUIRE(test::wait_until([&] { return begun == 1; }));

    declare_dead(t);

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(begun == 2);
    // The second run does not wait for the first to notice.
    REQUIRE(test::wait_until([&] { return told != stop_reason::none; }));
    CHECK(told == stop_reason::lease_lost);
    CHECK(t.outcomes(id) == "lost completed");
    CHECK(t.db.query("SELECT output FROM queue.jobs") == "\"second\"");
    CHECK(t.seen.count(event_type::worker_lost) == 1);
    CHECK(t.faults() == "");
}

TEST_CASE("a lease deleted behind its worker's back: the late finish changes nothing") {
    rig t;
    std::counting_semaphore<> go{0};
    std::atomic<int> begun{0};
    const auto kind = blocking("late", [&](job_context&) -> outcome {
        ++begun;
        go.acquire();
        return libqueue::completed("1");
    });
    const auto id = t.enqueue("late");
    const auto worker = t.start({kind});
    REQUIRE(test::wait_until([&] { return begun == 1; }));

    t.db.execute("DELETE FROM queue.lease");
    go.release();

    REQUIRE(t.seen.wait_for(event_type::lease_lost));
    CHECK(t.outcomes(id) == "");
    CHECK(t.db.query("SELECT count(*) FROM queue.attempt") == "0");
}

TEST_CASE("assert_lease: true while the job runs, an error once the lease is gone") {
    rig t;
    std::counting_semaphore<> go{0};
    std::atomic<int> asked{0};
    std::atomic<bool> held{false};
    std::atomic<bool> lost{false};
    const auto kind = blocking("effect", [&](job_context& context) -> outcome {
        const std::unique_ptr<PGconn, decltype(&PQfinish)> on{PQconnectdb(t.db.dsn().c_str()),
                                                              PQfinish};
        const auto run = [&](const char* sql) {
            PQclear(PQexec(on.get(), sql));
        };
        run("BEGIN");
        held = libqueue::assert_lease(on.get(), context.job()).has_value();
        run("COMMIT");
        ++asked;
        go.acquire();
        run("BEGIN");
        const auto again = libqueue::assert_lease(on.get(), context.job());
        lost = again.has_error() && again.error().code == libqueue::errc::lease_lost;
        ++asked;
        return libqueue::completed();
    });
    t.enqueue("effect");
    const auto worker = t.start({kind});
    REQUIRE(test::wait_until([&] { return asked == 1; }));

    t.db.execute("DELETE FROM queue.lease");
    go.release();

    REQUIRE(test::wait_until([&] { return asked == 2; }));
    CHECK(held);
    CHECK(lost);
}

TEST_CASE("a claim whose answer never came is given back to its very place") {
    rig t;
    const auto worker = t.start({noop()});
    REQUIRE(test::wait_until([&] { return worker->id() != 0; }));
    worker->pause();
    const auto id = t.enqueue("noop");
    const std::string before = t.db.query("SELECT run_at FROM queue.ready");

    // What such a claim leaves behind: a lease of this worker that it does not know.
    t.db.execute(
        "WITH gone AS (DELETE FROM queue.ready RETURNING id) "
        "INSERT INTO queue.lease (id, worker_id, claimed_at, job_ids, attempts) "
        "SELECT nextval('queue.lease_id_seq'), $1::bigint, now(), ARRAY[id], ARRAY[0::smallint] "
        "FROM gone",
        {std::to_string(worker->id())});

    REQUIRE(test::wait_until([&] { return t.db.query("SELECT count(*) FROM queue.ready") == "1"; },
                             20s));
    CHECK(t.db.query("SELECT run_at FROM queue.ready") == before);
    worker->resume();
    REQUIRE(t.wait_state(id, "completed"));
    CHECK(t.outcomes(id) == "completed");
}

TEST_SUITE_END();
