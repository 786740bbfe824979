#include "rig.hpp"

#include <doctest/doctest.h>

#include <algorithm>

TEST_SUITE_BEGIN("worker wake-up");

using namespace engine_test;
using libqueue::event_type;

namespace {

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.at(values.size() / 2);
}

/// Milliseconds from enqueued to started of each job of the kind.
std::vector<double> waits(const rig& t, const std::string& kind) {
    std::vector<double> found;
    for (const auto& row : t.db.rows(
             "SELECT extract(epoch FROM a.started_at - j.created_at) * 1000 FROM queue.attempt a "
             "JOIN queue.jobs j ON j.id = a.job_id WHERE j.kind = $1",
             {kind})) {
        found.push_back(std::stod(row.at(0).value()));
    }
    return found;
}

/// Waits until the worker has gone to sleep beside the queue.
bool wait_asleep(const rig& t) {
    return test::wait_until([&] {
        return t.db.query(
                   "SELECT pg_sequence_last_value(doorbell) > extract(epoch FROM "
                   "clock_timestamp()) * 1000 FROM queue.queue WHERE name = 'default'") == "t";
    });
}

}  // namespace

TEST_CASE("an idle worker picks up a job enqueued by SQL within 50 ms") {
    rig t;
    auto options = t.options();
    options.poll_interval = 5s;
    const auto worker = t.start({noop()}, options);
    REQUIRE(t.seen.wait_for(event_type::worker_ready));
    REQUIRE(t.wait_state(t.enqueue("noop"), "completed"));

    for (int round = 0; round < 15; ++round) {
        REQUIRE(wait_asleep(t));
        const auto id = t.enqueue("noop");
        REQUIRE(t.wait_state(id, "completed"));
    }

    const double middle = median(waits(t, "noop"));
    MESSAGE("median from enqueue to start: " << middle << " ms");
    CHECK(middle < test::scaled(50ms).count());
}

TEST_CASE("of two workers the idle one is woken when the other has no slot free") {
    rig t;
    auto options = t.options(1);
    options.poll_interval = 5s;
    auto with_long = options;
    const auto busy = t.start({sleeper("long", 1h), noop()}, with_long);
    const auto idle = t.start({noop()}, options);
    REQUIRE(t.seen.wait_for(event_type::worker_ready, 2));
    const auto id = t.enqueue("long");
    REQUIRE(t.wait_state(id, "running"));

    for (int round = 0; round < 9; ++round) {
        REQUIRE(t.wait_state(t.enqueue("noop"), "completed", 20s));
        const auto done = std::chrono::steady_clock::now();
        REQUIRE(test::wait_until([&] { return since(done) > 60ms; }));
    }

    const double middle = median(waits(t, "noop"));
    MESSAGE("median from enqueue to start: " << middle << " ms");
    CHECK(middle < test::scaled(50ms).count());
    busy->stop(0ms);
}

TEST_CASE("without LISTEN a job is found within the poll interval") {
    rig t;
    auto options = t.options();
    options.listen = false;
    options.poll_interval = 300ms;
    const auto worker = t.start({noop()}, options);
    REQUIRE(t.wait_state(t.enqueue("noop"), "completed"));

    for (int round = 0; round < 5; ++round) {
        REQUIRE(wait_asleep(t));
        REQUIRE(t.wait_state(t.enqueue("noop"), "completed"));
    }

    const auto found = waits(t, "noop");
    // The first waits for its line to be known, which takes a heartbeat more.
    CHECK(*std::max_element(found.begin() + 1, found.end()) < test::scaled(400ms).count());
}

TEST_CASE("an enqueuer that rang and rolled back swallows nobody's wake-up") {
    rig t;
    auto options = t.options();
    options.poll_interval = 5s;
    const auto worker = t.start({noop()}, options);
    REQUIRE(t.wait_state(t.enqueue("noop"), "completed"));
    REQUIRE(wait_asleep(t));
    test::connection undecided{t.db.dsn()};
    undecided.execute("BEGIN");
    undecided.execute("SELECT queue.enqueue('noop', '{}')");
    undecided.execute("ROLLBACK");

    const auto asked = std::chrono::steady_clock::now();
    REQUIRE(t.wait_state(t.enqueue("noop"), "completed"));

    CHECK(since(asked) < test::scaled(500ms));
}

TEST_CASE("foreign and broken notifications on the channel do no harm") {
    rig t;
    const auto worker = t.start({noop()});
    REQUIRE(t.seen.wait_for(event_type::worker_ready));
    for (const auto* payload : {"", "abc", "-1", "99999999999999999999", "1 ", "lines", "cancel"}) {
        t.db.execute("SELECT pg_notify('queue.wake', $1)", {payload});
    }

    CHECK(t.wait_state(t.enqueue("noop"), "completed"));
    CHECK(t.seen.count(event_type::internal_error) == 0);
}

TEST_CASE("a wake-up that never arrives costs no more than the poll interval") {
    rig t;
    auto options = t.options();
    options.poll_interval = 400ms;
    const auto worker = t.start({noop()}, options);
    REQUIRE(t.wait_state(t.enqueue("noop"), "completed"));
    REQUIRE(wait_asleep(t));
    // The bell says nobody sleeps, so the enqueuer does not ring.
    t.db.execute("SELECT setval(doorbell, 0) FROM queue.queue");

    const auto asked = std::chrono::steady_clock::now();
    REQUIRE(t.wait_state(t.enqueue("noop"), "completed"));

    CHECK(since(asked) < test::scaled(700ms));
}

TEST_SUITE_END();
