#include "rig.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>

using namespace engine_test;
using libqueue::event_type;

TEST_SUITE_BEGIN("engine connections");

namespace {

void cut(const rig& t, const std::string& which) {
    t.db.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name LIKE $1",
        {which});
}

/// Keeps jobs coming while `fault` happens again and again; then all must have run once.
template <typename Fault>
void survive(rig& t, int rounds, Fault fault) {
    auto kind = sleeper("work", 2ms);
    const auto worker = t.start({kind});
    REQUIRE(test::wait_until([&] { return worker->id() != 0; }));
    int jobs = 0;
    for (int round = 0; round < rounds; ++round) {
        t.enqueue_many("work", 200);
        jobs += 200;
        // In the midst of it: some are done, not all.
        const int before = jobs - 150;
        REQUIRE(t.wait_finished(before, 30s));
        fault();
    }
    REQUIRE(t.wait_finished(jobs, 30s));
    CHECK(t.db.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'completed'") ==
          std::to_string(jobs));
    CHECK(t.faults() == "");
}

}  // namespace

TEST_CASE("each of a worker's connections may be cut under load") {
    for (const std::string which : {"%turn%", "%presence%", "%maintenance%", "%"}) {
        CAPTURE(which);
        rig t;
        survive(t, 4, [&] { cut(t, "libqueue worker" + which); });
        CHECK(t.seen.count(event_type::worker_lost) == 0);
    }
}

TEST_CASE("a server that crashes and comes back: nothing is lost, nothing runs twice") {
    test::pg_cluster own;
    rig t{own};
    survive(t, 3, [&] {
        own.kill();
        own.start();
    });
    CHECK(t.seen.count(event_type::database_lost) > 0);
}

TEST_CASE("a worker started while the database is away begins when it is there") {
    test::pg_cluster own;
    rig t{own};
    const auto id = t.enqueue("noop");
    own.stop();

    const auto worker = t.start({noop()});
    REQUIRE(t.seen.wait_for(event_type::database_lost));
    CHECK_FALSE(worker->connected());
    own.start();

    REQUIRE(t.wait_state(id, "completed", 20s));
    CHECK(worker->connected());
}

TEST_CASE("a turn that fails at a statement's first run is said again on the same connection") {
    rig t;
    // The statement is prepared by then, and the server keeps it when the transaction fails.
    t.db.execute(
        "CREATE SEQUENCE tries;"
        "CREATE FUNCTION lose_deadlocks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF nextval('public.tries') <= 3 THEN "
        "RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END IF; RETURN NULL; END $$;"
        "CREATE TRIGGER lose_deadlocks AFTER INSERT ON queue.attempt "
        "EXECUTE FUNCTION lose_deadlocks();");
    const auto id = t.enqueue("noop");

    const auto worker = t.start({noop()});

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(t.outcomes(id) == "completed");
    CHECK(t.db.query("SELECT last_value FROM tries") == "4");
    CHECK(t.seen.count(event_type::database_lost) == 0);
    CHECK(t.seen.count(event_type::internal_error) == 0);
}

TEST_SUITE_END();
