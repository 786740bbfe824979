#include "rig.hpp"
#include "support/claim_times.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <vector>

TEST_SUITE_BEGIN("worker limits");

using namespace engine_test;
using boost::asio::awaitable;
using libqueue::event_type;
using libqueue::job_context;
using libqueue::job_id;
using libqueue::outcome;

namespace {

libqueue::registration limited(libqueue::registration made, std::string limit) {
    made.options.limit = std::move(limit);
    return made;
}

libqueue::limit_options bucket(std::string name, int burst, double rate) {
    libqueue::limit_options made{std::move(name)};
    made.burst = burst;
    made.rate = rate;
    return made;
}

libqueue::limit_options slots(std::string name, int concurrency) {
    libqueue::limit_options made{std::move(name)};
    made.concurrency = concurrency;
    return made;
}

}  // namespace

TEST_CASE("eight workers never start more than burst + rate * t, and hardly less") {
    rig r;
    const test::claim_times claims{r.db};
    r.enqueue_many("call", 2'000);
    auto options = r.options(50);
    options.limits.push_back(bucket("provider", 40, 200));
    std::vector<std::unique_ptr<libqueue::worker>> fleet;
    for (int n = 0; n < 8; ++n) {
        fleet.push_back(r.start({limited(noop("call"), "provider")}, options));
    }

    // Burst at once and 200 a second for four seconds more.
    REQUIRE(test::wait_until([&] { return claims.jobs() >= 40 + 4 * 200; }, 20s));
    const double seconds = claims.seconds_to(840);
    for (const auto& one : fleet) {
        one->stop(0ms);
    }

    const int jobs = claims.jobs();
    MESSAGE(jobs << " jobs, of which 840 in " << seconds << " s; over by "
                 << claims.overshoot(40, 200));
    CHECK(claims.overshoot(40, 200) <= 0.01);
    CHECK((40 + 200 * seconds) * 0.97 <= 840);
    // Nobody used up an attempt, and none was put back more than once.
    CHECK(r.db.query("SELECT count(*) FROM queue.attempt WHERE attempt <> 1") == "0");
    CHECK(r.db.query("SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM queue.attempt "
                     "WHERE outcome = 'snoozed' AND output ? 'limit' GROUP BY job_id) x") == "1");
    // The backlog was not rewritten ahead of its time.
    CHECK(std::stoi(r.db.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'snoozed'")) <
          jobs + 300);
}

TEST_CASE("a job over the rate stands in line at its slot and starts then") {
    rig r;
    auto options = r.options();
    options.limits.push_back(bucket("slow", 2, 10));
    r.enqueue_many("call", 6);
    const auto worker = r.start({limited(noop("call"), "slow")}, options);

    REQUIRE(r.wait_finished(6));
    const auto rows = r.db.rows(
        "SELECT extract(epoch FROM d.started_at - s.next_run_at)::float8, "
        "       extract(epoch FROM s.next_run_at - lag(s.next_run_at) OVER (ORDER BY "
        "s.next_run_at))::float8 "
        "FROM queue.attempt s JOIN queue.attempt d ON d.job_id = s.job_id "
        "AND d.outcome = 'completed' WHERE s.outcome = 'snoozed' ORDER BY s.next_run_at");

    REQUIRE(rows.size() == 4);
    for (std::size_t n = 0; n < rows.size(); ++n) {
        const double late = std::stod(rows[n].at(0).value());
        CHECK(late >= 0);
        CHECK(late < 0.5);
        if (n > 0) {
            CHECK(std::stod(rows[n].at(1).value()) == doctest::Approx(0.1).epsilon(0.001));
        }
    }
    worker->stop();
    CHECK(r.faults() == "");
}

TEST_CASE("concurrency holds across workers, and every slot is used") {
    rig r;
    auto options = r.options(10);
    options.limits.push_back(slots("pool", 3));
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    const auto handler = [&](job_context& context) -> awaitable<outcome> {
        most = std::max(most.load(), ++inside);
        static_cast<void>(co_await context.sleep(20ms));
        --inside;
        co_return libqueue::completed();
    };
    r.enqueue_many("call", 60);
    std::vector<std::unique_ptr<libqueue::worker>> fleet;
    for (int n = 0; n < 4; ++n) {
        fleet.push_back(r.start({limited(coroutine("call", handler), "pool")}, options));
    }

    REQUIRE(r.wait_finished(60));
    for (const auto& one : fleet) {
        one->stop();
    }

    CHECK(most == 3);
    CHECK(r.db.query("SELECT count(*) FROM queue.attempt WHERE outcome <> 'completed'") == "0");
    CHECK(r.db.query("SELECT coalesce(sum(held), 0) FROM queue.limit_slot") == "0");
    CHECK(r.faults() == "");
}

TEST_CASE("what a dead worker held of a limit is free once it is declared dead") {
    rig r;
    // A worker whose heart stands still, as after SIGKILL, with the only slot in its hands.
    r.db.execute(
        "SELECT queue.limit_set('pool', concurrency => 1);"
        "INSERT INTO queue.worker (beat_at, started_at, heartbeat_ms, lease_ms, pid, name, host, "
        "version, queues, kinds) VALUES (now(), now(), 100, 300, 1, 'gone', 'gone', '0', '{}', "
        "'{}');"
        "INSERT INTO queue.limit_slot SELECT 'pool', '', id, 0, 1 FROM queue.worker");
    const job_id id = r.enqueue("call");
    REQUIRE(r.db.query("SELECT running FROM queue.limit_status") == "1");
    const auto worker = r.start({limited(noop("call"), "pool")});

    CHECK(r.wait_state(id, "completed"));
    CHECK(r.db.query("SELECT count(*) FROM queue.worker WHERE name = 'gone'") == "0");
}

TEST_CASE("a stopped limit starts nothing, burns nothing, and says so; others go on") {
    rig r;
    auto options = r.options();
    options.limits.push_back(bucket("provider", 1'000, 1'000));
    r.db.execute(
        "SELECT queue.limit_set('provider', burst => 1000, rate => 1000);"
        "SELECT queue.limit_stop('provider', 'chargebacks')");
    const auto held = r.enqueue_many("call", 5);
    const auto worker = r.start({limited(noop("call"), "provider"), noop("other")}, options);
    for (int round = 0; round < 3; ++round) {
        REQUIRE(r.wait_state(r.enqueue("other"), "completed"));
    }

    const auto told =
        r.db.rows("SELECT reason, detail FROM queue.explain($1)", {std::to_string(held.front())});
    CHECK(told.at(0).at(0).value() == "limit stopped");
    CHECK(told.at(0).at(1).value().find("chargebacks") != std::string::npos);
    CHECK(r.db.query("SELECT count(*) FROM queue.attempt a JOIN queue.job j ON j.id = a.job_id "
                     "JOIN queue.line l ON l.id = j.line_id WHERE l.kind = 'call'") == "0");

    r.db.execute("SELECT queue.limit_resume('provider')");
    for (const job_id id : held) {
        CHECK(r.wait_state(id, "completed"));
    }
    CHECK(r.db.query("SELECT max(attempt) FROM queue.attempt") == "1");
}

TEST_CASE("a key over its rate does not hold up another key's jobs behind it") {
    rig r;
    auto options = r.options();
    libqueue::limit_options per_user = bucket("mail", 1, 0.001);
    per_user.key = "meta.user";
    options.limits.push_back(per_user);
    const auto noisy = r.enqueue_many("mail", 1'200, R"(meta => '{"user": "a"}')");
    const job_id quiet = r.enqueue("mail", "{}", R"(meta => '{"user": "b"}')");
    const auto worker = r.start({limited(noop("mail"), "mail")}, options);

    CHECK(r.wait_state(quiet, "completed"));
    CHECK(r.wait_state(noisy.front(), "completed"));
    CHECK(r.wait_state(noisy.back(), "scheduled"));
    // The last of them at its slot, 1,199 tokens ahead, put there once.
    CHECK(r.outcomes(noisy.back()) == "snoozed");
    CHECK(std::stod(r.db.query("SELECT extract(epoch FROM run_at - now()) FROM queue.jobs "
                               "WHERE id = $1",
                               {std::to_string(noisy.back())})) ==
          doctest::Approx(1'199'000).epsilon(0.001));
    CHECK(r.db.query("SELECT reason FROM queue.explain($1)", {std::to_string(noisy.back())}) ==
          "limit");
}

TEST_CASE("a job is under the limit of its kind and under that of its queue") {
    rig r;
    auto options = r.options(20);
    options.queues.front().limit = "all";
    options.limits.push_back(slots("all", 4));
    options.limits.push_back(bucket("provider", 3, 0.001));
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    const auto handler = [&](job_context& context) -> awaitable<outcome> {
        most = std::max(most.load(), ++inside);
        static_cast<void>(co_await context.sleep(10ms));
        --inside;
        co_return libqueue::completed();
    };
    r.enqueue_many("call", 20);
    r.enqueue_many("free", 20);
    const auto worker = r.start(
        {limited(coroutine("call", handler), "provider"), coroutine("free", handler)}, options);

    // 20 that only the queue's limit holds, and the three that both let through.
    REQUIRE(r.wait_finished(23));
    CHECK(most <= 4);
    CHECK(r.db.query("SELECT count(*) FROM queue.jobs WHERE kind = 'call' AND "
                     "state = 'completed'") == "3");
}

TEST_CASE("one key's long backlog uses up nothing of a limit that is for all") {
    rig r;
    auto options = r.options();
    options.queues.front().limit = "all";
    options.limits.push_back(bucket("all", 30, 0.001));
    libqueue::limit_options per_user = bucket("mail", 1, 0.001);
    per_user.key = "meta.user";
    options.limits.push_back(per_user);
    const auto noisy = r.enqueue_many("mail", 100, R"(meta => '{"user": "a"}')");
    std::vector<job_id> others;
    for (int n = 0; n < 10; ++n) {
        others.push_back(
            r.enqueue("mail", "{}", "meta => '{\"user\": \"" + std::to_string(n) + "\"}'"));
    }
    const auto worker = r.start({limited(noop("mail"), "mail")}, options);

    for (const job_id id : others) {
        CHECK(r.wait_state(id, "completed"));
    }
    CHECK(r.state(noisy.back()) == "scheduled");
    CHECK(r.db.query("SELECT tokens FROM queue.limit_status WHERE name = 'all'") == "19");
}

TEST_CASE("jobs late for their slots do not start in a heap") {
    rig r;
    const test::claim_times claims{r.db};
    auto options = r.options(50);
    options.limits.push_back(bucket("provider", 5, 50));
    r.enqueue_many("call", 200);
    {
        const auto first = r.start({limited(noop("call"), "provider")}, options);
        REQUIRE(test::wait_until([&] { return claims.jobs() >= 10; }));
    }
    // Nobody was there for the slots that were given away.
    REQUIRE(test::wait_until([&] {
        return r.db.query(
                   "SELECT max(run_at) < now() - interval '300 milliseconds' "
                   "FROM queue.ready WHERE reserved") == "t";
    }));
    const auto second = r.start({limited(noop("call"), "provider")}, options);

    REQUIRE(test::wait_until([&] { return claims.jobs() >= 120; }));
    second->stop();
    CHECK(claims.overshoot(5, 50) <= 0.01);
}

TEST_CASE("an undefined limit holds its jobs back, is told, and lets them go once it is defined") {
    rig r;
    const job_id id = r.enqueue("call");
    const auto worker = r.start({limited(noop("call"), "forgotten"), noop("other")});

    CHECK(r.seen.wait_for(event_type::internal_error, [](const test::recorded_event& e) {
        return e.message.find("limit forgotten is not defined") != std::string::npos;
    }));
    REQUIRE(r.wait_state(r.enqueue("other"), "completed"));
    CHECK(r.state(id) == "ready");
    CHECK(r.db.query("SELECT reason FROM queue.explain($1)", {std::to_string(id)}) ==
          "unknown limit");
    r.db.execute("SELECT queue.limit_set('forgotten', concurrency => 1)");
    CHECK(r.wait_state(id, "completed"));
}

TEST_CASE("a worker whose limits the database would refuse is not made") {
    rig r;
    auto options = r.options();
    options.queues.front().limit = "Internal";
    options.limits.push_back(bucket("provider", 5, -1));
    libqueue::limit_options keyed = slots("mail", 2'000'000);
    keyed.key = "payload.user";
    options.limits.push_back(keyed);
    options.limits.push_back(bucket("burst", 5, 0));

    std::string said;
    try {
        libqueue::worker{options, {limited(noop("call"), "no name")}};
    } catch (const std::invalid_argument& why) {
        said = why.what();
    }
    for (const char* const part :
         {"queue default: limit:", "limit provider: rate:", "limit mail: concurrency:",
          "limit mail: key:", "limit burst: burst: expected a rate", "kind call: limit:"}) {
        CAPTURE(part);
        CHECK(said.find(part) != std::string::npos);
    }
}

TEST_CASE("what a person has set is not undone by a worker that starts") {
    rig r;
    auto options = r.options();
    options.limits.push_back(bucket("provider", 25, 5));
    {
        const auto first = r.start({limited(noop("call"), "provider")}, options);
        REQUIRE(r.seen.wait_for(event_type::worker_ready));
    }
    CHECK(r.db.query("SELECT burst || ' ' || rate FROM queue.limit_rule") == "25 5");
    r.db.execute("SELECT queue.limit_set('provider', rate => 1)");
    r.seen.clear();
    {
        const auto second = r.start({limited(noop("call"), "provider")}, options);
        REQUIRE(r.seen.wait_for(event_type::worker_ready));
    }
    CHECK(r.db.query("SELECT burst || ' ' || rate FROM queue.limit_rule") == "25 1");
    r.db.execute("SELECT queue.limit_set('provider', pinned => false)");
    r.seen.clear();
    const auto third = r.start({limited(noop("call"), "provider")}, options);
    REQUIRE(r.seen.wait_for(event_type::worker_ready));
    CHECK(r.db.query("SELECT burst || ' ' || rate FROM queue.limit_rule") == "25 5");
}

TEST_CASE("full buckets and slots of workers that are gone are swept away") {
    rig r;
    r.db.execute(
        "SELECT queue.limit_set('provider', burst => 1, rate => 1000);"
        "SELECT queue.limit_take('provider');"
        "SELECT queue.limit_take('provider', key => 'other');"
        "INSERT INTO queue.limit_slot VALUES ('provider', '', 99, 0, 1);"
        "INSERT INTO queue.limit_bucket VALUES ('provider', 'ahead', now() + interval '1 hour', "
        "now())");
    CHECK(r.db.query("SELECT max(running) FROM queue.limit_status") == "0");
    const auto worker = r.start({noop()});

    CHECK(test::wait_until([&] {
        return r.db.query(
                   "SELECT (SELECT count(*) FROM queue.limit_slot) || ' ' || "
                   "(SELECT string_agg(key, ',') FROM queue.limit_bucket)") == "0 ahead";
    }));
}

TEST_SUITE_END();
