// One job that kills its worker, among others that do not: it alone ends in the dead letters, and
// they say how its process died.

#include "faults_fleet.hpp"
#include "support/query.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace std::chrono_literals;

namespace {

constexpr int neighbours = 12;

class poisoned {
   public:
    explicit poisoned(const std::string& payload) {
        test::connection on{db.dsn()};
        // Before any worker publishes the kind: the budget is the kind's.
        id = on.query("SELECT queue.enqueue('debug.crash', $1::jsonb, max_attempts => 1)",
                      {payload});
        static_cast<void>(
            on.query("SELECT count(queue.enqueue('debug.sleep', '{\"ms\":50}')) "
                     "FROM generate_series(1, $1::int)",
                     {std::to_string(neighbours)}));
        workers.grow(1);
    }

    /// Starts the worker over whenever it dies, as a service manager does, until the poison has its
    /// last word and all others are completed.
    [[nodiscard]] bool run(std::chrono::milliseconds deadline = 60s) {
        return test::wait_until(
            [&] {
                if (!workers.at(0).running()) {
                    ++restarts;
                    workers.restart(0);
                }
                return test::query(db.dsn(),
                                   "SELECT count(*) FILTER (WHERE kind = 'debug.sleep' AND state = "
                                   "'completed') || ' ' || count(*) FILTER (WHERE kind = "
                                   "'debug.crash' AND state IN ('dead', 'completed')) "
                                   "FROM queue.jobs") == std::to_string(neighbours) + " 1";
            },
            deadline);
    }

    [[nodiscard]] std::string query(const std::string& sql) const {
        return test::query(db.dsn(), sql);
    }

    test::test_database db;
    faults::fleet workers{db.dsn()};
    std::string id;
    int restarts{0};
};

void check_only_the_culprit_died(const poisoned& t, const std::string& how) {
    CHECK(t.query("SELECT string_agg(id::text, ' ') FROM queue.dead_letters") == t.id);
    const auto reason = t.query("SELECT reason FROM queue.dead_letters");
    CAPTURE(reason);
    CHECK(reason.find("crash budget spent") != std::string::npos);
    CHECK(reason.find(how) != std::string::npos);
    // One process of many jobs died, and after that only processes of this one.
    CHECK(t.restarts <= 1);
    CHECK(t.query("SELECT max(n) FROM (SELECT count(*) AS n FROM queue.attempt a JOIN queue.jobs j "
                  "ON j.id = a.job_id WHERE j.kind = 'debug.sleep' AND a.outcome = 'lost' "
                  "GROUP BY j.id) x") == "1");
}

}  // namespace

TEST_SUITE("poison") {
    TEST_CASE("a segmentation fault, an abort, a kill from outside: only the culprit dies") {
        const std::pair<const char*, const char*> cases[] = {
            {R"({"signal":11})", "killed by signal 11 (Segmentation fault)"},
            {R"({"signal":6})", "killed by signal 6 (Aborted)"},
            {R"({"signal":9})", "killed by signal 9 (Killed)"}};
        for (const auto& [payload, how] : cases) {
            CAPTURE(payload);
            poisoned t{payload};
            REQUIRE(t.run());
            check_only_the_culprit_died(t, how);
        }
    }

    TEST_CASE("a stack overflow") {
        poisoned t{R"({"how":"stack"})"};
        REQUIRE(t.run());
        check_only_the_culprit_died(t, "killed by signal 11");
    }

    TEST_CASE("_exit(0) in the middle of a job is no success") {
        poisoned t{R"({"how":"exit"})"};
        REQUIRE(t.run());
        check_only_the_culprit_died(t, "left with exit code 0");
    }

    TEST_CASE("a loop that never gives its thread back: the process for suspects ends itself") {
        poisoned t{R"({"how":"loop"})"};
        // Nobody restarts the first one: it hangs, and a service manager's watchdog kills it.
        REQUIRE(
            test::wait_until([&] { return t.query("SELECT count(*) FROM queue.lease") != "0"; }));
        REQUIRE(t.workers.wait_ready());
        t.workers.at(0).kill();
        REQUIRE(t.run());
        check_only_the_culprit_died(t, "fell silent");
    }

    TEST_CASE("out of memory in a handler: the job fails, the process lives") {
        poisoned t{R"({"how":"memory"})"};
        REQUIRE(t.run());
        CHECK(t.restarts == 0);
        CHECK(t.query("SELECT string_agg(id::text, ' ') FROM queue.dead_letters") == t.id);
        CHECK(t.query("SELECT error FROM queue.dead_letters").find("bad_alloc") !=
              std::string::npos);
    }

    TEST_CASE("every descriptor leaked: what runs goes on, and the process still leaves in order") {
        poisoned t{R"({"how":"descriptors"})"};
        REQUIRE(t.run());
        CHECK(t.restarts == 0);
        CHECK(t.query("SELECT count(*) FROM queue.dead_letters") == "0");
        CHECK(t.workers.stop());
    }
}
