#include "rig.hpp"

#include <libqueue/limits.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

// What handlers say of their providers, and limits above limits, through whole workers.

TEST_SUITE_BEGIN("worker limit feedback");

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

libqueue::limit_options guarded(std::string name, std::chrono::milliseconds cooldown) {
    libqueue::limit_options made{std::move(name)};
    made.concurrency = 1'000;
    made.breaker.emplace().cooldown = cooldown;
    return made;
}

/// Requests and errors as the workers have told them.
std::string told(const rig& r) {
    return r.db.query(
        "SELECT coalesce(sum(requests + requests_before), 0) || ' ' || "
        "coalesce(sum(errors + errors_before), 0) FROM queue.limit_tally");
}

}  // namespace

TEST_CASE(
    "a failing provider is left alone until one probe succeeds; no attempt is burnt waiting") {
    rig r;
    auto options = r.options(1);
    options.limits.push_back(guarded("provider", 400ms));
    std::atomic<bool> down{true};
    std::atomic<int> calls{0};
    const auto handler = [&](job_context& context) -> awaitable<outcome> {
        ++calls;
        if (!down) {
            co_return libqueue::completed();
        }
        context.provider_failed();
        co_return libqueue::retry_after(0ms, "no connection");
    };
    const auto jobs = r.enqueue_many("call", 40, "max_attempts => 20");
    const auto worker = r.start({limited(coroutine("call", handler), "provider")}, options);

    REQUIRE(test::wait_until([&] {
        return r.db.query("SELECT count(*) FROM queue.limit_breaker WHERE state = 'open'") == "1";
    }));
    // Five that opened it, and what one claim had taken beside them.
    const int until_open = calls;
    CHECK(until_open >= 5);
    const std::string again = r.db.query("SELECT era FROM queue.limit_breaker");
    // The probe fails, and the circuit opens again.
    REQUIRE(test::wait_until([&] {
        return r.db.query("SELECT state = 'open' AND era > $1::bigint + 1 FROM queue.limit_breaker",
                          {again}) == "t";
    }));
    CHECK(calls <= until_open + 3);
    down = false;
    CHECK(r.wait_finished(40));
    CHECK(r.db.query("SELECT state FROM queue.limit_breaker") == "closed");
    CHECK(r.db.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'failed'") ==
          std::to_string(calls - 40));
    worker->stop();
    CHECK(r.db.query("SELECT coalesce(sum(held), 0) FROM queue.limit_slot") == "0");
    CHECK(r.faults() == "");
}

TEST_CASE("a Retry-After heard by one worker keeps all of them from starting") {
    rig r;
    auto options = r.options(1);
    libqueue::limit_options plain{"provider"};
    plain.burst = 1'000;
    plain.rate = 1'000;
    options.limits.push_back(plain);
    std::mutex guard;
    std::vector<std::chrono::steady_clock::time_point> starts;
    const auto handler = [&](job_context& context) -> awaitable<outcome> {
        bool first = false;
        {
            const std::lock_guard lock{guard};
            first = starts.empty();
            starts.push_back(std::chrono::steady_clock::now());
        }
        if (first) {
            context.provider_throttled(1'500ms);
            co_return libqueue::snooze(0ms, "429");
        }
        co_return libqueue::completed();
    };
    const auto worker = r.start({limited(coroutine("call", handler), "provider")}, options);
    const auto other = r.start({limited(coroutine("call", handler), "provider")}, options);
    const job_id first = r.enqueue("call");
    REQUIRE(test::wait_until([&] {
        return r.db.query("SELECT count(*) FROM queue.limit_status WHERE closed_until > now()") ==
               "1";
    }));
    r.enqueue_many("call", 5);
    CHECK(r.db.query("SELECT reason FROM queue.explain($1)", {std::to_string(first)}) ==
          "limit closed");

    REQUIRE(r.wait_finished(6));
    const std::lock_guard lock{guard};
    REQUIRE(starts.size() == 7);
    CHECK(starts.at(1) - starts.at(0) >= 1'400ms);
    CHECK(r.outcomes(first) == "snoozed completed");
    CHECK(r.db.query("SELECT max(attempt) FROM queue.attempt") == "1");
    CHECK(r.db.query("SELECT close_reason LIKE 'job %: 429' FROM queue.limit_tally "
                     "WHERE closed_until IS NOT NULL") == "t");
}

TEST_CASE("who says nothing counts when it completes or times out, and not otherwise") {
    rig r;
    auto options = r.options();
    auto limit = guarded("provider", 1s);
    limit.breaker->min_requests = 1'000;
    options.limits.push_back(limit);
    auto slow = limited(sleeper("slow", 60s), "provider");
    slow.options.timeout = 50ms;
    const auto worker =
        r.start({limited(noop("good"), "provider"), slow,
                 limited(saying("bad", libqueue::discard("no such address")), "provider")},
                options);

    REQUIRE(r.wait_state(r.enqueue("good"), "completed"));
    CHECK(told(r) == "1 0");
    REQUIRE(r.wait_state(r.enqueue("bad"), "dead"));
    CHECK(told(r) == "1 0");
    REQUIRE(r.wait_state(r.enqueue("slow", "{}", "max_attempts => 1"), "dead"));
    CHECK(told(r) == "2 1");
}

TEST_CASE("a limit without a breaker writes no reports") {
    rig r;
    auto options = r.options();
    libqueue::limit_options plain{"provider"};
    plain.concurrency = 3;
    options.limits.push_back(plain);
    const auto handler = [](job_context& context) -> awaitable<outcome> {
        context.provider_ok();
        context.provider_failed();
        context.provider_throttled(1s, "another");
        co_return libqueue::completed();
    };
    const auto worker = r.start(
        {limited(coroutine("call", handler), "provider"), coroutine("free", handler)}, options);

    REQUIRE(r.wait_state(r.enqueue("call"), "completed"));
    REQUIRE(r.wait_state(r.enqueue("free"), "completed"));
    CHECK(r.db.query("SELECT count(*) FROM queue.limit_tally") == "0");
}

TEST_CASE("slots are held at every level, and a parent's are shared by all under it") {
    rig r;
    auto options = r.options(20);
    options.queues.front().limit = "queue";
    for (const auto& [name, parent, most] : std::vector<std::tuple<std::string, std::string, int>>{
             {"all", "", 3}, {"queue", "all", 5}, {"provider", "all", 2}}) {
        libqueue::limit_options one{name};
        one.parent = parent;
        one.concurrency = most;
        options.limits.push_back(one);
    }
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    std::atomic<int> inside_calls{0};
    std::atomic<int> most_calls{0};
    const auto handler = [&](job_context& context) -> awaitable<outcome> {
        const bool call = context.job().kind == "call";
        most = std::max(most.load(), ++inside);
        most_calls = std::max(most_calls.load(), inside_calls += call ? 1 : 0);
        static_cast<void>(co_await context.sleep(10ms));
        --inside;
        inside_calls -= call ? 1 : 0;
        co_return libqueue::completed();
    };
    r.enqueue_many("call", 30);
    r.enqueue_many("free", 30);
    std::vector<std::unique_ptr<libqueue::worker>> fleet;
    for (int n = 0; n < 3; ++n) {
        fleet.push_back(
            r.start({limited(coroutine("call", handler), "provider"), coroutine("free", handler)},
                    options));
    }

    REQUIRE(r.wait_finished(60));
    for (const auto& one : fleet) {
        one->stop();
    }
    CHECK(most == 3);
    CHECK(most_calls == 2);
    CHECK(r.db.query("SELECT coalesce(sum(held), 0) FROM queue.limit_slot") == "0");
    CHECK(r.db.query("SELECT count(*) FROM queue.attempt WHERE outcome <> 'completed'") == "0");
    CHECK(r.faults() == "");
}

TEST_CASE("a worker whose levels or breakers the database would refuse is not made") {
    rig r;
    auto options = r.options();
    libqueue::limit_options a{"a"};
    a.parent = "b";
    libqueue::limit_options b{"b"};
    b.parent = "a";
    libqueue::limit_options c{"c"};
    c.parent = "No Name";
    c.breaker.emplace().ratio = 1.5;
    c.breaker->min_requests = 0;
    c.breaker->window = 1ms;
    c.breaker->cooldown = 1ms;
    options.limits = {a, b, c};

    std::string said;
    try {
        libqueue::worker{options, {noop("call")}};
    } catch (const std::invalid_argument& why) {
        said = why.what();
    }
    for (const char* const part : {"limit a: parent: expected a limit that is not under it, got b",
                                   "limit b: parent: expected a limit", "limit c: parent:",
                                   "limit c: breaker.ratio:", "limit c: breaker.min_requests:",
                                   "limit c: breaker.window:", "limit c: breaker.cooldown:"}) {
        CAPTURE(part);
        CHECK(said.find(part) != std::string::npos);
    }
}

TEST_CASE("a parent that nobody defined holds its jobs back, and is told") {
    rig r;
    auto options = r.options();
    libqueue::limit_options limit{"provider"};
    limit.parent = "platform";
    limit.concurrency = 3;
    options.limits.push_back(limit);
    const job_id id = r.enqueue("call");
    const auto worker = r.start({limited(noop("call"), "provider")}, options);

    CHECK(r.seen.wait_for(event_type::internal_error, [](const test::recorded_event& e) {
        return e.message.find("limit platform is not defined") != std::string::npos;
    }));
    CHECK(r.state(id) == "ready");
    CHECK(r.db.query("SELECT detail FROM queue.explain($1)", {std::to_string(id)}) ==
          "limit platform is not defined: qctl limits set platform");
    r.db.execute("SELECT queue.limit_set('platform', concurrency => 1)");
    CHECK(r.wait_state(id, "completed"));
}

TEST_CASE("reports whose window is over are swept away, circuits that are open are not") {
    rig r;
    r.db.execute(
        "SELECT queue.limit_set('provider', concurrency => 5, breaker_ratio => 0.5, "
        "breaker_window => '1 s', key => 'meta.k');"
        "SELECT queue.limit_report('provider', 'open', 9, 9);"
        "SELECT queue.limit_take('provider', key => 'open');"
        "SELECT queue.limit_report('provider', 'old', 1, 1);"
        "SELECT queue.limit_close('provider', 'shut', '1 hour');"
        "UPDATE queue.limit_tally SET told_at = told_at - interval '1 day'");
    const auto worker = r.start({noop()});

    CHECK(test::wait_until([&] {
        return r.db.query("SELECT string_agg(key, ' ' ORDER BY key) FROM queue.limit_tally") ==
               "open shut";
    }));
    CHECK(r.db.query("SELECT circuit FROM queue.limit_status WHERE key = 'open'") == "open");
}

TEST_SUITE_END();
