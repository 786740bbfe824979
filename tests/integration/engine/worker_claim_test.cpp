#include "rig.hpp"

#include <libqueue/operations.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

TEST_SUITE_BEGIN("worker claims");

using namespace engine_test;
using boost::asio::awaitable;
using libqueue::event_type;
using libqueue::job_context;
using libqueue::job_id;
using libqueue::outcome;

namespace {

/// Ids in the order their handlers ran, by any number of workers.
class diary {
   public:
    void note(job_id id) {
        const std::lock_guard lock{mutex_};
        ids_.push_back(id);
    }
    [[nodiscard]] std::vector<job_id> ids() const {
        const std::lock_guard lock{mutex_};
        return ids_;
    }
    [[nodiscard]] libqueue::registration kind(std::string name,
                                              std::chrono::milliseconds time = 0ms) {
        return coroutine(std::move(name), [this, time](job_context& context) -> awaitable<outcome> {
            note(context.job().id);
            if (time > 0ms) {
                static_cast<void>(co_await context.sleep(time));
            }
            co_return libqueue::completed();
        });
    }

   private:
    mutable std::mutex mutex_;
    std::vector<job_id> ids_;
};

/// How many run at once, and the most that ever did.
class crowd {
   public:
    void enter() {
        const int inside = ++inside_;
        int most = most_;
        while (inside > most && !most_.compare_exchange_weak(most, inside)) {
        }
    }
    void leave() { --inside_; }
    [[nodiscard]] int most() const { return most_; }
    [[nodiscard]] libqueue::registration kind(std::string name, std::chrono::milliseconds time) {
        return coroutine(std::move(name), [this, time](job_context& context) -> awaitable<outcome> {
            enter();
            static_cast<void>(co_await context.sleep(time));
            leave();
            co_return libqueue::completed();
        });
    }

   private:
    std::atomic<int> inside_{0};
    std::atomic<int> most_{0};
};

}  // namespace

TEST_CASE("priorities: lower numbers run first, and within one priority the older job") {
    rig t;
    diary ran;
    std::vector<job_id> expected;
    std::map<int, std::vector<job_id>> by_priority;
    for (const int priority : {5, 1, 9, -3, 5, 1, 9, -3, 5, 32767, -32768}) {
        by_priority[priority].push_back(
            t.enqueue("note", "{}", "priority => " + std::to_string(priority)));
    }
    for (const auto& [priority, ids] : by_priority) {
        expected.insert(expected.end(), ids.begin(), ids.end());
    }

    const auto worker = t.start({ran.kind("note", 2ms)}, t.options(1));

    REQUIRE(t.wait_finished(11));
    CHECK(ran.ids() == expected);
}

TEST_CASE("one line is first in, first out") {
    rig t;
    diary ran;
    const auto ids = t.enqueue_many("note", 2'000);

    const auto worker = t.start({ran.kind("note")}, t.options(1));

    REQUIRE(t.wait_finished(2'000));
    CHECK(ran.ids() == ids);
}

TEST_CASE("a handler that completes at once may have ten thousand before it in one process") {
    rig t;
    const auto ids = t.enqueue_many("noop", 10'000);

    const auto worker = t.start({noop()}, t.options(5'000));

    REQUIRE(t.wait_finished(10'000, 60s));
    worker->stop();
    CHECK(t.faults() == "");
}

TEST_CASE("queue concurrency is never exceeded and is used in full") {
    rig t;
    crowd all;
    t.enqueue_many("busy", 60);

    const auto worker = t.start({all.kind("busy", 20ms)}, t.options(6));

    REQUIRE(t.wait_finished(60));
    CHECK(all.most() == 6);
}

TEST_CASE("kind concurrency is never exceeded, and others do not wait for it") {
    rig t;
    crowd few;
    crowd many;
    t.enqueue_many("few", 30);
    t.enqueue_many("many", 100);
    auto limited = few.kind("few", 20ms);
    limited.options.concurrency = 2;

    const auto worker = t.start({limited, many.kind("many", 10ms)}, t.options(10));

    REQUIRE(t.wait_finished(130));
    CHECK(few.most() == 2);
    CHECK(many.most() > 2);
    CHECK(many.most() <= 10);
    CHECK(t.faults() == "");
}

TEST_CASE("a kind at its limit leaves the worker at rest, not in a circle of empty turns") {
    rig t;
    t.enqueue_many("slow", 20);
    auto limited = sleeper("slow", 1h);
    limited.options.concurrency = 1;
    auto options = t.options(10);
    options.poll_interval = 200ms;
    const auto worker = t.start({limited}, options);
    REQUIRE(t.seen.wait_for(event_type::job_started));
    const auto turns = [&] {
        return std::stol(
            t.db.query("SELECT xact_commit + xact_rollback FROM pg_stat_database "
                       "WHERE datname = current_database()"));
    };
    // Statistics reach the view with a delay; two readings a second apart bound the rate.
    const auto before = turns();
    const auto asked = std::chrono::steady_clock::now();
    REQUIRE(test::wait_until([&] { return since(asked) > 2s; }));

    CHECK(turns() - before < 600);
    worker->stop(0ms);
}

TEST_CASE("limits hold for each of two workers in one process") {
    rig t;
    crowd first;
    crowd second;
    t.enqueue_many("busy", 150);
    auto one = first.kind("busy", 10ms);
    one.options.concurrency = 3;
    auto two = second.kind("busy", 10ms);
    two.options.concurrency = 3;

    const auto a = t.start({one}, t.options(5));
    const auto b = t.start({two}, t.options(5));

    REQUIRE(t.wait_finished(150));
    CHECK(first.most() == 3);
    CHECK(second.most() == 3);
    CHECK(t.faults() == "");
}

TEST_CASE("several queues of one worker are served side by side, each with its own concurrency") {
    rig t;
    crowd slow;
    crowd fast;
    auto options = t.options(2);
    options.queues.emplace_back("fast", 5);
    t.db.execute("SELECT queue.create_queue('fast')");
    t.enqueue_many("slow", 10);
    t.enqueue_many("fast", 50, "queue => 'fast'");

    const auto worker = t.start({slow.kind("slow", 30ms), fast.kind("fast", 5ms)}, options);

    REQUIRE(t.wait_finished(60));
    CHECK(slow.most() == 2);
    CHECK(fast.most() == 5);
}

TEST_CASE("set_concurrency takes effect while running, up and down") {
    rig t;
    crowd all;
    t.enqueue_many("busy", 40);
    const auto worker = t.start({all.kind("busy", 20ms)}, t.options(1));
    REQUIRE(t.wait_finished(2));
    CHECK(all.most() == 1);

    CHECK(worker->set_concurrency("default", 4));
    CHECK_FALSE(worker->set_concurrency("nowhere", 4));

    REQUIRE(t.wait_finished(40));
    CHECK(all.most() == 4);
}

TEST_CASE("delayed jobs run on time: never early, at most 100 ms late") {
    rig t;
    auto options = t.options();
    options.poll_interval = 5s;
    const auto worker = t.start({noop()}, options);
    const auto before = t.enqueue("noop");
    REQUIRE(t.wait_state(before, "completed"));
    // By now it sleeps beside the queue, or soon will; the next poll is far away.
    for (const auto* delay : {"0.7 seconds", "0.3 seconds", "1 second", "0.31 seconds"}) {
        t.enqueue("noop", "{}", std::string{"delay => '"} + delay + "'");
    }

    REQUIRE(t.wait_finished(5));
    const auto late = t.db.rows(
        "SELECT extract(epoch FROM a.started_at - j.run_at) * 1000 FROM queue.attempt a "
        "JOIN queue.job j ON j.id = a.job_id WHERE j.run_at > j.created_at");
    REQUIRE(late.size() == 4);
    for (const auto& row : late) {
        CHECK(std::stod(row.at(0).value()) >= 0);
        CHECK(std::stod(row.at(0).value()) < test::scaled(100ms).count());
    }
}

TEST_CASE("a job committed late, behind jobs that ran meanwhile, is found within two seconds") {
    rig t;
    const auto worker = t.start({noop()});
    test::connection late{t.db.dsn()};
    late.execute("BEGIN");
    const std::string held = late.query("SELECT queue.enqueue('noop', '{}')");
    for (int round = 0; round < 3; ++round) {
        t.enqueue_many("noop", 400);
        REQUIRE(t.wait_finished(400 * (round + 1)));
    }
    // The cursor's lag has passed as well.
    const auto ran = std::chrono::steady_clock::now();
    REQUIRE(test::wait_until([&] { return since(ran) > 300ms; }));

    late.execute("COMMIT");
    const auto committed = std::chrono::steady_clock::now();

    REQUIRE(t.wait_state(std::stoll(held), "completed", 5s));
    CHECK(since(committed) < test::scaled(2'500ms));
}

TEST_CASE("many jobs committed late are all found, and soon") {
    rig t;
    const auto worker = t.start({noop()}, t.options(100));
    test::connection late{t.db.dsn()};
    late.execute("BEGIN");
    late.execute("SELECT queue.enqueue_many('noop', array_fill('{}'::jsonb, ARRAY[3000]))");
    t.enqueue_many("noop", 1'500);
    REQUIRE(t.wait_finished(1'500));
    const auto ran = std::chrono::steady_clock::now();
    REQUIRE(test::wait_until([&] { return since(ran) > 300ms; }));

    late.execute("COMMIT");
    const auto committed = std::chrono::steady_clock::now();

    REQUIRE(t.wait_finished(4'500, 30s));
    CHECK(since(committed) < test::scaled(10s));
    CHECK(t.faults() == "");
}

TEST_CASE("an empty line of a kind that is not simply retried leaves its slots to the next") {
    rig t;
    auto first = noop("first");
    auto second = noop("second");
    first.options.on_lost = libqueue::on_lost::dead;
    second.options.on_lost = libqueue::on_lost::dead;
    const auto worker = t.start({first, second});
    const auto earlier = t.enqueue("first", "{}", "priority => 1");
    REQUIRE(t.wait_state(earlier, "completed"));

    const auto later = t.enqueue("second", "{}", "priority => 2");

    CHECK(t.wait_state(later, "completed"));
}

TEST_CASE("kinds nobody knows wait, are listed, and run as soon as a worker knows them") {
    rig t;
    const auto worker = t.start({noop()});
    const auto strange = t.enqueue("strange");
    const auto known = t.enqueue("noop");
    REQUIRE(t.wait_state(known, "completed"));

    CHECK(t.state(strange) == "ready");
    libqueue::client producer{libqueue::client_options{t.db.dsn()}};
    libqueue::operations operations{producer};
    const auto listed = operations.unhandled_kinds();
    REQUIRE(listed.rows.size() == 1);
    CHECK(listed.rows[0].at(0) == "default");
    CHECK(listed.rows[0].at(1) == "strange");
    CHECK(listed.rows[0].at(2) == "1");

    const auto other = t.start({noop("strange")});
    REQUIRE(t.wait_state(strange, "completed"));
    CHECK(operations.unhandled_kinds().rows.empty());
}

TEST_CASE("a line that comes into being while the worker runs is served at once") {
    rig t;
    auto options = t.options();
    options.heartbeat = 900ms;
    options.poll_interval = 5s;
    const auto worker = t.start({noop(), noop("new.kind")}, options);
    REQUIRE(t.seen.wait_for(event_type::worker_ready));
    const auto asked = std::chrono::steady_clock::now();

    const auto id = t.enqueue("new.kind", "{}", "priority => -7");

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(since(asked) < test::scaled(500ms));
}

TEST_CASE("pause of a queue holds from its commit on, resume wakes the workers") {
    rig t;
    auto options = t.options();
    options.poll_interval = 5s;
    const auto worker = t.start({noop()}, options);
    const auto before = t.enqueue("noop");
    REQUIRE(t.wait_state(before, "completed"));
    t.db.execute("SELECT queue.pause('default', 'deploy')");

    const auto ids = t.enqueue_many("noop", 50);
    t.db.execute("SELECT queue.create_queue('other')");
    const auto asked = std::chrono::steady_clock::now();
    REQUIRE(test::wait_until([&] { return since(asked) > 500ms; }));
    CHECK(t.db.query("SELECT count(*) FROM queue.ready") == "50");
    CHECK(t.db.query("SELECT reason FROM queue.explain($1)", {std::to_string(ids[0])}) ==
          "queue paused");

    const auto resumed = std::chrono::steady_clock::now();
    t.db.execute("SELECT queue.resume('default')");
    REQUIRE(t.wait_finished(51));
    CHECK(since(resumed) < test::scaled(1s));
}

TEST_CASE("pause of the worker: it claims nothing, running jobs finish, resume goes on") {
    rig t;
    const auto worker = t.start({sleeper("slow", 300ms), noop()});
    const auto running = t.enqueue("slow");
    REQUIRE(t.seen.wait_for(event_type::job_started));
    worker->pause();
    const auto waiting = t.enqueue("noop");

    REQUIRE(t.wait_state(running, "completed"));
    CHECK(t.state(waiting) == "ready");
    REQUIRE(
        test::wait_until([&] { return t.db.query("SELECT state FROM queue.worker") == "paused"; }));
    worker->resume();
    CHECK(t.wait_state(waiting, "completed"));
}

TEST_CASE("two workers with two turn connections share a queue: every job runs once") {
    rig t;
    diary ran;
    const auto a = t.start({ran.kind("note")}, t.options(20));
    const auto b = t.start({ran.kind("note")}, t.options(20));
    std::vector<job_id> ids;
    for (int round = 0; round < 10; ++round) {
        for (const auto id : t.enqueue_many("note", 500)) {
            ids.push_back(id);
        }
    }

    REQUIRE(t.wait_finished(5'000, 60s));
    a->stop();
    b->stop();
    auto once = ran.ids();
    std::sort(once.begin(), once.end());
    CHECK(once == ids);
    CHECK(t.faults() == "");
    CHECK(t.seen.count(event_type::internal_error) == 0);
}

TEST_CASE("worker ids are never used twice") {
    rig t;
    std::vector<std::int64_t> ids;
    const auto worker = t.start({noop()});
    for (int boot = 0; boot < 5; ++boot) {
        REQUIRE(test::wait_until([&] { return worker->id() != 0; }));
        ids.push_back(worker->id());
        worker->stop();
        CHECK(worker->id() == 0);
        worker->start();
    }
    worker->stop();

    auto unique = ids;
    std::sort(unique.begin(), unique.end());
    unique.erase(std::unique(unique.begin(), unique.end()), unique.end());
    CHECK(unique.size() == 5);
    CHECK(t.db.query("SELECT count(*) FROM queue.worker") == "0");
}

TEST_CASE("start refuses a schema it cannot serve and may not migrate") {
    test::test_database empty{test::test_database::content::empty};
    libqueue::worker_options options;
    options.dsn = empty.dsn();
    options.queues.emplace_back("default", 1);
    options.migrate = false;
    libqueue::worker worker{options, {noop()}};

    CHECK_THROWS_AS(worker.start(), libqueue::domain_failure);
    CHECK_FALSE(worker.running());
}

TEST_CASE("a worker serves a schema of another name") {
    test::test_database empty{test::test_database::content::empty};
    test::recording_observer seen;
    libqueue::worker_options options;
    options.dsn = empty.dsn();
    options.schema = "jobs_eu";
    options.queues.emplace_back("default", 5);
    options.observer = &seen;
    options.heartbeat = 200ms;
    options.lease = 2s;
    options.poll_interval = 5s;
    libqueue::worker worker{options, {noop()}};
    worker.start();
    REQUIRE(seen.wait_for(event_type::worker_ready));

    const auto asked = std::chrono::steady_clock::now();
    empty.execute("SELECT jobs_eu.enqueue('noop', '{}')");

    REQUIRE(seen.wait_for(event_type::job_finished));
    CHECK(since(asked) < test::scaled(1s));
}

TEST_SUITE_END();
