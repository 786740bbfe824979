#include "rig.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>

using namespace engine_test;
using boost::asio::awaitable;
using libqueue::errc;
using libqueue::job_context;
using libqueue::log_level;
using libqueue::outcome;

TEST_SUITE_BEGIN("job log");

namespace {

std::string log_of(const rig& t, libqueue::job_id id) {
    return t.db.query(
        "SELECT string_agg(attempt || ' ' || line_no || ' ' || level || ' ' || message, '; ' "
        "ORDER BY lease_id, line_no) FROM queue.job_logs WHERE job_id = $1",
        {std::to_string(id)});
}

std::string calls_connections(const rig& t) {
    return t.db.query(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
        "application_name = 'libqueue worker calls'");
}

}  // namespace

TEST_CASE("what a handler said is there when its end is, in order, by attempt") {
    rig t;
    const auto id = t.enqueue("talk");
    auto kind = coroutine("talk", [](job_context& context) -> awaitable<outcome> {
        context.log(log_level::info, "hello");
        context.log(log_level::error, "bad");
        co_return context.job().attempt == 1 ? libqueue::retry("again") : libqueue::completed();
    });
    // Nothing but the record of the attempt brings the lines.
    auto options = t.options();
    options.heartbeat = 30s;
    options.lease = 70s;

    const auto worker = t.start({kind}, options);

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(log_of(t, id) == "1 1 info hello; 1 2 error bad; 2 1 info hello; 2 2 error bad");
    CHECK(t.db.query("SELECT bool_and(l.at BETWEEN a.started_at - interval '1 second' AND "
                     "a.finished_at + interval '1 second') FROM queue.job_log l "
                     "JOIN queue.attempt a USING (job_id, lease_id)") == "t");
    CHECK(calls_connections(t) == "0");
}

TEST_CASE("lines arrive while the handler runs, each once") {
    rig t;
    const auto id = t.enqueue("talk");
    std::atomic<bool> go_on{false};
    auto kind = blocking("talk", [&](job_context& context) -> outcome {
        context.log(log_level::debug, "first");
        while (!go_on) {
            std::this_thread::yield();
        }
        context.log(log_level::warning, "second");
        return libqueue::completed();
    });
    const auto worker = t.start({kind});

    CHECK(test::wait_until([&] { return log_of(t, id) == "1 1 debug first"; }));
    go_on = true;
    REQUIRE(t.wait_state(id, "completed"));

    CHECK(log_of(t, id) == "1 1 debug first; 1 2 warning second");
}

TEST_CASE("many lines do not wait for the heartbeat") {
    rig t;
    const auto id = t.enqueue("talk");
    auto kind = coroutine("talk", [](job_context& context) -> awaitable<outcome> {
        for (int n = 0; n < 100; ++n) {
            context.log(log_level::info, std::to_string(n));
        }
        const bool whole = co_await context.sleep(60s);
        co_return whole ? libqueue::completed() : libqueue::cancelled();
    });
    auto options = t.options();
    options.heartbeat = 30s;
    options.lease = 70s;
    options.drain_timeout = 0ms;

    const auto worker = t.start({kind}, options);

    CHECK(test::wait_until([&] {
        return t.db.query("SELECT count(*) FROM queue.job_log WHERE job_id = $1",
                          {std::to_string(id)}) == "100";
    }));
}

TEST_CASE("more than an attempt may say is counted and dropped") {
    rig t;
    const auto lines = t.enqueue("talk", R"({"lines": true})");
    const auto bytes = t.enqueue("talk", R"({"lines": false})");
    auto kind = coroutine("talk", [](job_context& context) -> awaitable<outcome> {
        const bool many = context.payload().find("true") != std::string::npos;
        const std::string text(many ? 1 : 4000, 'x');
        for (int n = 0; n < (many ? 1'234 : 100); ++n) {
            context.log(log_level::info, text);
        }
        context.log(log_level::info, std::string(9'000, 'y'));
        co_return libqueue::completed();
    });

    const auto worker = t.start({kind});

    REQUIRE(t.wait_finished(2));
    const auto last = [&](libqueue::job_id id) {
        return t.db.query(
            "SELECT line_no || ' ' || message FROM queue.job_log WHERE job_id = $1 "
            "ORDER BY line_no DESC LIMIT 1",
            {std::to_string(id)});
    };
    CHECK(last(lines) == "1001 235 more lines were dropped");
    CHECK(last(bytes) == "66 36 more lines were dropped");
    CHECK(t.db.query("SELECT max(octet_length(message)) <= 4096 FROM queue.job_log") == "t");
}

TEST_CASE("any bytes may be said, from several threads") {
    rig t;
    const auto id = t.enqueue("talk");
    auto kind = blocking("talk", [](job_context& context) -> outcome {
        std::vector<std::thread> threads;
        for (int each = 0; each < 4; ++each) {
            threads.emplace_back([&context] {
                for (int n = 0; n < 50; ++n) {
                    context.log(log_level::info, std::string{"a\0b\xff", 4});
                }
            });
        }
        for (auto& one : threads) {
            one.join();
        }
        return libqueue::completed();
    });

    const auto worker = t.start({kind});

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(t.db.query("SELECT count(*) || ' ' || max(line_no) FROM queue.job_log") == "200 200");
}

TEST_CASE("a run whose lease was lost leaves what it said all the same") {
    rig t;
    const auto id = t.enqueue("talk");
    auto kind = coroutine("talk", [](job_context& context) -> awaitable<outcome> {
        const bool whole = co_await context.sleep(60s);
        if (whole) {
            co_return libqueue::completed();
        }
        context.log(log_level::info, std::string{to_string(context.stop_reason())});
        co_return libqueue::retry("gone");
    });
    const auto worker = t.start({kind});
    REQUIRE(t.wait_state(id, "running"));
    const auto lease = t.db.query("SELECT id FROM queue.lease");

    // As a rescuer does who took the worker for dead.
    t.db.execute("DELETE FROM queue.worker");

    CHECK(test::wait_until([&] {
        return t.db.query("SELECT message FROM queue.job_log WHERE lease_id = $1", {lease}) ==
               "lease_lost";
    }));
}

TEST_CASE("checkpoint: a later attempt goes on from the last one") {
    for (const bool is_blocking : {false, true}) {
        CAPTURE(is_blocking);
        rig t;
        const auto id = t.enqueue("walk");
        auto kind = is_blocking ? blocking("walk",
                                           [](job_context& context) -> outcome {
                                               const auto last = context.last_checkpoint_blocking();
                                               if (last.has_value()) {
                                                   return libqueue::completed(*last);
                                               }
                                               context.checkpoint_blocking(R"({"at": 1})").value();
                                               context.checkpoint_blocking(R"({"at": 2})").value();
                                               return libqueue::retry("half");
                                           })
                                : coroutine("walk", [](job_context& context) -> awaitable<outcome> {
                                      const auto last = co_await context.last_checkpoint();
                                      if (last.has_value()) {
                                          co_return libqueue::completed(*last);
                                      }
                                      const auto one = co_await context.checkpoint(R"({"at": 1})");
                                      const auto two = co_await context.checkpoint(R"({"at": 2})");
                                      co_return one.has_value() && two.has_value()
                                          ? libqueue::retry("half")
                                          : libqueue::discard("refused");
                                  });

        const auto worker = t.start({kind});

        REQUIRE(t.wait_state(id, "completed"));
        CHECK(t.db.query("SELECT output FROM queue.jobs") == R"({"at": 2})");
        CHECK(t.outcomes(id) == "failed completed");
        CHECK(calls_connections(t) == "1");
    }
}

TEST_CASE("checkpoint: what cannot be kept is refused, and nothing is kept in its place") {
    rig t;
    const auto id = t.enqueue("walk");
    std::vector<errc> codes;
    auto kind = coroutine("walk", [&codes](job_context& context) -> awaitable<outcome> {
        const auto good = co_await context.checkpoint("1");
        const auto broken = co_await context.checkpoint("{");
        std::string large = "\"" + std::string(70'000, 'x') + "\"";
        const auto too_large = co_await context.checkpoint(std::move(large));
        if (good.has_error() || !broken.has_error() || !too_large.has_error()) {
            co_return libqueue::discard("not as expected");
        }
        codes = {broken.error().code, too_large.error().code};
        co_return libqueue::retry_after(1h, "stay");
    });

    const auto worker = t.start({kind});

    REQUIRE(t.wait_state(id, "retrying"));
    CHECK(codes == std::vector{errc::invalid_payload, errc::invalid_argument});
    CHECK(t.db.query("SELECT queue.last_checkpoint($1)", {std::to_string(id)}) == "1");
}

TEST_CASE("checkpoint: a run that lost its lease changes nothing and is told") {
    for (const bool is_blocking : {false, true}) {
        CAPTURE(is_blocking);
        rig t;
        const auto id = t.enqueue("walk");
        std::atomic<int> refused{0};
        const auto lose = [&t] {
            t.db.execute("UPDATE queue.lease SET worker_id = -1, job_ids = '{}', attempts = '{}'");
        };
        auto kind =
            is_blocking
                ? blocking("walk",
                           [&](job_context& context) -> outcome {
                               lose();
                               const auto kept = context.checkpoint_blocking("1");
                               refused = kept.has_error() && kept.error().code == errc::lease_lost;
                               return libqueue::completed();
                           })
                : coroutine("walk", [&](job_context& context) -> awaitable<outcome> {
                      lose();
                      const auto kept = co_await context.checkpoint("1");
                      refused = kept.has_error() && kept.error().code == errc::lease_lost;
                      co_return libqueue::completed();
                  });

        const auto worker = t.start({kind});

        CHECK(test::wait_until([&] { return refused == 1; }));
        CHECK(t.db.query("SELECT queue.last_checkpoint($1)", {std::to_string(id)}) == "");
    }
}

TEST_CASE("checkpoint: a connection that died while idle is replaced") {
    for (const bool is_blocking : {false, true}) {
        CAPTURE(is_blocking);
        rig t;
        const auto id = t.enqueue("walk");
        const auto cut = [&t] {
            t.db.execute(
                "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE "
                "datname = current_database() AND application_name = "
                "'libqueue worker calls'");
        };
        auto kind =
            is_blocking
                ? blocking("walk",
                           [&](job_context& context) -> outcome {
                               context.checkpoint_blocking("1").value();
                               cut();
                               context.checkpoint_blocking("2").value();
                               return libqueue::completed();
                           })
                : coroutine("walk", [&](job_context& context) -> awaitable<outcome> {
                      const auto one = co_await context.checkpoint("1");
                      cut();
                      // It may be found out by the question itself.
                      bool asked = false;
                      while (!asked) {
                          try {
                              const auto two = co_await context.checkpoint("2");
                              asked = two.has_value();
                          } catch (const libqueue::failure&) {
                          }
                      }
                      co_return one.has_value() ? libqueue::completed() : libqueue::discard("");
                  });

        const auto worker = t.start({kind});

        REQUIRE(t.wait_state(id, "completed"));
        CHECK(t.outcomes(id) == "completed");
    }
}

TEST_SUITE_END();
