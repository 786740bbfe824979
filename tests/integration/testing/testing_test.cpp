#include "support/temp_dir.hpp"

#include <libqueue/encryption.hpp>
#include <libqueue/run_records.hpp>
#include <libqueue/schedules.hpp>
#include <libqueue/testing.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using boost::asio::awaitable;
using libqueue::job_context;
using libqueue::job_state;
using libqueue::new_job;
using libqueue::outcome;
using libqueue::registration;
using libqueue::testing::assert_enqueued;
using libqueue::testing::database;
using libqueue::testing::expected_job;
using libqueue::testing::failed;
using libqueue::testing::find_enqueued;
using libqueue::testing::inline_worker;
using libqueue::testing::refute_enqueued;

registration blocking(std::string kind, libqueue::blocking_handler how) {
    registration made{std::move(kind)};
    made.handle_blocking = std::move(how);
    return made;
}

registration saying(std::string kind, outcome what) {
    return blocking(std::move(kind), [what](job_context&) { return what; });
}

libqueue::job_id enqueue(database& in, const new_job& job) {
    return in.client().enqueue(job).value().id;
}

TEST_SUITE("test kit: database") {
    TEST_CASE("each is fresh, migrated, and gone with its object") {
        std::string dsn;
        {
            database one;
            database other;
            dsn = one.dsn();
            CHECK(one.dsn() != other.dsn());

            CHECK(enqueue(one, new_job{"a.b", "{}"}) == 1);
            CHECK(enqueue(other, new_job{"a.b", "{}"}) == 1);
        }
        libqueue::client late{libqueue::client_options{dsn}};
        CHECK_THROWS_AS(static_cast<void>(late.get(1)), libqueue::failure);
    }

    TEST_CASE("on a given server, as keywords or URI") {
        libqueue::testing::server own;
        for (const std::string& dsn :
             {own.dsn(), "postgresql:///postgres?user=postgres&host=" +
                             own.dsn().substr(5, own.dsn().find(' ') - 5)}) {
            CAPTURE(dsn);
            database one{dsn};
            CHECK(enqueue(one, new_job{"a.b", "{}"}) == 1);
        }
    }

    TEST_CASE("schedules fire as if it were then") {
        database db;
        libqueue::schedules all{db.client()};
        REQUIRE(all.set(libqueue::new_schedule{"s", "0 9 * * *", "a.b"}).has_value());
        const auto next = all.next("s", 2).value();

        CHECK(db.fire_schedules(next[0] - 1s) == 0);
        CHECK(db.fire_schedules(next[0]) == 1);
        CHECK(db.fire_schedules(next[0] + 1h) == 0);
        CHECK(db.fire_schedules(next[1]) == 1);
        assert_enqueued(db, expected_job{"a.b"}, 2);
    }
}

TEST_SUITE("test kit: expectations") {
    TEST_CASE("assert_enqueued finds by every property, and says what is there when it does not") {
        database db;
        const auto id = enqueue(
            db,
            new_job{"email.send", R"({"to": "ann", "n": 1})"}.with_priority(3).tag("red").run_in(
                1h));
        enqueue(db, new_job{"email.other", "{}"});

        CHECK(assert_enqueued(db, expected_job{"email.send"}
                                      .with_payload(R"({"to": "ann"})")
                                      .with_priority(3)
                                      .tagged("red")
                                      .in_queue("default")
                                      .due_after(59min)
                                      .due_within(61min))
                  .id == id);
        assert_enqueued(db, expected_job{"email.*"}, 2);
        refute_enqueued(db, expected_job{"email.send"}.with_payload(R"({"to": "bob"})"));
        refute_enqueued(db, expected_job{"email.send"}.due_within(1min));
        refute_enqueued(db, expected_job{"email.other"}.due_after(1min));
        refute_enqueued(db, expected_job{"email.send"}.with_priority(4));
        refute_enqueued(db, expected_job{"email.send"}.tagged("blue"));
        refute_enqueued(
            db, expected_job{"email.send"}.for_tenant("11111111-2222-3333-4444-555555555555"));
        CHECK_THROWS_WITH_AS(assert_enqueued(db, expected_job{"sms.send"}),
                             doctest::Contains("1 email.send default priority 3 scheduled"),
                             failed);
        CHECK_THROWS_AS(assert_enqueued(db, expected_job{"email.*"}), failed);
        CHECK_THROWS_AS(assert_enqueued(db, expected_job{"email.*"}, 3), failed);
        CHECK_THROWS_WITH_AS(refute_enqueued(db, expected_job{"email.send"}),
                             doctest::Contains("expected no job in line (kind email.send), got 1"),
                             failed);
    }
}

TEST_SUITE("test kit: inline worker") {
    TEST_CASE("run: one job, in this thread, with its record; the others stay") {
        database db;
        const auto here = std::this_thread::get_id();
        auto where = std::thread::id{};
        inline_worker worker{db, {blocking("a.b", [&](job_context& context) {
                                 where = std::this_thread::get_id();
                                 return libqueue::completed(context.payload());
                             })}};
        enqueue(db, new_job{"a.b", R"({"n": 1})"});
        const auto id = enqueue(db, new_job{"a.b", R"({"n": 2})"}.run_in(1h));

        const auto done = worker.run(id);

        const bool same_thread = where == here;
        CHECK(same_thread);
        CHECK(done.said.kind() == outcome::type::completed);
        CHECK(done.job.state == job_state::completed);
        CHECK(done.job.output == R"({"n": 2})");
        CHECK(assert_enqueued(db, expected_job{"a.b"}).id != id);
    }

    TEST_CASE("run: coroutine handlers, and those that wait") {
        database db;
        registration kind{"a.b"};
        kind.handle = [](job_context& context) -> awaitable<outcome> {
            const bool whole = co_await context.sleep(1ms);
            co_return whole ? libqueue::completed() : libqueue::discard("cut short");
        };
        inline_worker worker{db, {kind}};
        const auto id = enqueue(db, new_job{"a.b", "{}"});

        CHECK(worker.run(id).job.state == job_state::completed);
    }

    TEST_CASE("retry and move_time: attempts, backoff and the dead letter are the real ones") {
        database db;
        auto kind = saying("a.b", libqueue::retry("no luck"));
        kind.options.max_attempts = 2;
        kind.options.retry = {libqueue::backoff_strategy::fixed, 10min, 10min, false};
        inline_worker worker{db, {kind}};
        const auto id = enqueue(db, new_job{"a.b", "{}"});

        CHECK(worker.drain().size() == 1);
        CHECK(db.client().get(id).value().state == job_state::retrying);
        CHECK(worker.drain().empty());
        db.move_time(10min);
        const auto last = worker.drain();

        REQUIRE(last.size() == 1);
        CHECK(last[0].job.state == job_state::dead);
        CHECK(last[0].job.attempt == 2);
        CHECK(db.operations().count_dead_letters({}) == 1);
    }

    TEST_CASE("drain: by priority and age, with what handlers enqueue") {
        database db;
        std::vector<std::string> ran;
        inline_worker worker{db,
                             {blocking("parent",
                                       [&](job_context& context) {
                                           ran.push_back(context.job().kind);
                                           enqueue(db, new_job{"child", "{}"});
                                           return libqueue::completed();
                                       }),
                              blocking("child", [&](job_context& context) {
                                  ran.push_back(context.job().kind + context.payload());
                                  return libqueue::completed();
                              })}};
        enqueue(db, new_job{"child", "1"}.with_priority(9));
        enqueue(db, new_job{"parent", "{}"}.with_priority(1));
        enqueue(db, new_job{"later", "{}"});
        enqueue(db, new_job{"child", "2"}.run_in(1h));

        worker.drain();

        CHECK(ran == std::vector<std::string>{"parent", "child{}", "child1"});
        assert_enqueued(db, expected_job{"*"}, 2);
    }

    TEST_CASE("drain: a job that always comes back is an error, not an endless loop") {
        database db;
        inline_worker worker{db, {saying("a.b", libqueue::snooze(0ms))}};
        enqueue(db, new_job{"a.b", "{}"});

        CHECK_THROWS_WITH_AS(worker.drain(20), doctest::Contains("expected an end within 20 runs"),
                             failed);
    }

    TEST_CASE("what a handler throws is recorded; what is no std::exception leaves") {
        database db;
        inline_worker worker{
            db,
            {blocking("a.b", [](job_context&) -> outcome { throw std::runtime_error{"broken"}; }),
             blocking("c.d", [](job_context&) -> outcome { throw 7; })}};
        const auto first = enqueue(db, new_job{"a.b", "{}"});
        const auto second = enqueue(db, new_job{"c.d", "{}"});

        const auto done = worker.run(first);
        CHECK(done.said.message() == "broken");
        CHECK(done.job.last_error == "broken");
        CHECK_THROWS_AS(std::rethrow_exception(done.thrown), std::runtime_error);
        CHECK_THROWS_AS(worker.run(second), int);
        CHECK(db.client().get(second).value().state == job_state::retrying);
    }

    TEST_CASE("an unknown outcome is reconciled by the reconcile handler") {
        database db;
        auto kind = saying("a.b", libqueue::unknown("no answer"));
        kind.options.retry = {libqueue::backoff_strategy::fixed, 0ms, 0ms, false};
        kind.reconcile_blocking = [](job_context&) {
            return libqueue::completed("\"found\"");
        };
        inline_worker worker{db, {kind}};
        const auto id = enqueue(db, new_job{"a.b", "{}"});

        CHECK(worker.drain().size() == 2);
        CHECK(db.client().get(id).value().output == "\"found\"");
    }

    TEST_CASE("what handlers log, keep and begin is there, and an open effect is reconciled") {
        database db;
        registration kind{"pay"};
        kind.handle = [](job_context& context) -> awaitable<outcome> {
            auto effect = co_await context.begin_effect("charge");
            const auto kept = co_await context.checkpoint("1");
            context.log(libqueue::log_level::info, "charging");
            co_return effect.has_value() && kept.has_value() ? libqueue::retry("no reply")
                                                             : libqueue::discard("refused");
        };
        kind.reconcile_blocking = [](job_context& context) {
            auto effect = context.begin_effect_blocking("charge").value();
            effect.resolve_blocking(true).value();
            return libqueue::completed(context.last_checkpoint_blocking().value_or(""));
        };
        inline_worker worker{db, {kind}};
        const auto id = enqueue(db, new_job{"pay", "{}"});

        CHECK(worker.run(id).said.kind() == outcome::type::unknown);
        db.move_time(1h);
        CHECK(worker.run(id).job.output == "1");
        libqueue::run_records records{db.client()};
        CHECK(records.effects(id).rows.at(0).at(1) == "committed");
        CHECK(records.log(id).rows.at(0).at(5) == "charging");
    }

    TEST_CASE("run: what is not in line, paused or of another kind is refused by name") {
        database db;
        inline_worker worker{db, {saying("a.b", libqueue::completed())}};
        const auto id = enqueue(db, new_job{"a.b", "{}"});
        const auto other = enqueue(db, new_job{"c.d", "{}"});
        worker.run(id);

        CHECK_THROWS_WITH_AS(worker.run(id), doctest::Contains("expected in line, got completed"),
                             failed);
        CHECK_THROWS_WITH_AS(worker.run(99), doctest::Contains("got no such job"), failed);
        CHECK_THROWS_WITH_AS(worker.run(other), doctest::Contains("got c.d"), failed);
        const auto waiting = enqueue(db, new_job{"a.b", "{}"});
        REQUIRE(db.operations().pause("default", "test").has_value());
        CHECK_THROWS_WITH_AS(worker.run(waiting), doctest::Contains("paused"), failed);
        CHECK(worker.drain().empty());
    }

    TEST_CASE("run: a sealed payload is opened for the handler, its output sealed") {
        const test::temp_dir folder;
        const auto keys_at = folder.path() / "keys";
        REQUIRE(libqueue::create_key(keys_at, "k1").has_value());
        const std::shared_ptr<const libqueue::keyring> keys =
            libqueue::keyring::load(libqueue::keyring_options{keys_at}).value();
        database db;
        registration echo =
            blocking("a.b", [](job_context& run) { return libqueue::completed(run.payload()); });
        echo.options.encrypted = true;
        inline_worker worker{db, {std::move(echo)}, keys};
        libqueue::client_options options{db.dsn()};
        options.schema = db.client().schema();
        options.keyring = keys;
        options.encrypted_kinds = {"a.b"};
        libqueue::client client{options};

        const auto id = client.enqueue(new_job{"a.b", "{\"n\":1}"}).value().id;
        const auto result = worker.run(id);

        CHECK(result.said.output() == "{\"n\":1}");
        CHECK(libqueue::is_sealed(result.job.payload));
        CHECK(libqueue::is_sealed(result.job.output.value()));
        CHECK(client.get(id).value().output == "{\"n\":1}");
    }

    TEST_CASE("move_time: keys and what is due age too") {
        database db;
        inline_worker worker{db, {saying("a.b", libqueue::completed())}};
        const auto id = enqueue(db, new_job{"a.b", "{}"}.unique_key("k"));
        worker.run(id);
        CHECK(enqueue(db, new_job{"a.b", "{}"}.unique_key("k")) == id);

        db.move_time(24h * 8);

        CHECK(db.client().get(id).has_value());
        CHECK(enqueue(db, new_job{"a.b", "{}"}.unique_key("k")) != id);
        CHECK(worker.drain().size() == 1);
    }
}

}  // namespace
