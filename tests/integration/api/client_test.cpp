#include "stand_in_worker.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <libqueue/client.hpp>

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <set>
#include <thread>

using libqueue::client;
using libqueue::client_options;
using libqueue::errc;
using libqueue::job_state;
using libqueue::new_job;

namespace {

std::int64_t outstanding_backends(const test::test_database& db) {
    return std::stoll(
        db.query("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'libqueue'"));
}

void kill_backends(const test::test_database& db) {
    db.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE application_name = 'libqueue'");
}

TEST_SUITE("client") {
    TEST_CASE("enqueue: a minimal job gets every default") {
        const test::test_database db;
        client on{client_options{db.dsn()}};

        const auto made = on.enqueue(new_job{"email.send", R"({"to":"a@b.c"})"});

        REQUIRE(made.has_value());
        CHECK_FALSE(made->duplicate);
        const auto job = on.get(made->id);
        REQUIRE(job.has_value());
        CHECK(job->kind == "email.send");
        CHECK(job->queue == "default");
        CHECK(job->state == job_state::ready);
        CHECK(job->priority == 5);
        CHECK(job->attempt == 0);
        CHECK(job->max_attempts == 4);
        CHECK(job->payload == R"({"to": "a@b.c"})");
        CHECK(job->meta.empty());
        CHECK_FALSE(job->tenant_id.has_value());
        CHECK_FALSE(job->finished_at.has_value());
        CHECK(job->run_at == job->created_at);
    }

    TEST_CASE("enqueue: every option arrives") {
        const test::test_database db;
        db.execute("SELECT queue.create_queue('money')");
        client on{client_options{db.dsn()}};
        const libqueue::time_point when{std::chrono::microseconds{4'102'444'800'123'456}};
        new_job job{"payment.process", "[1]"};
        job.in_queue("money").with_priority(-7).run_at_time(when).attempts(9).unique_key("k-1");
        job.for_tenant("11111111-2222-3333-4444-555555555555").tag("a\"b").tag("c,{d}\\");
        job.meta = R"({"who":"me"})";
        job.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

        const auto made = on.enqueue(job);

        REQUIRE(made.has_value());
        const auto stored = on.get(made->id);
        REQUIRE(stored.has_value());
        CHECK(stored->queue == "money");
        CHECK(stored->state == job_state::scheduled);
        CHECK(stored->priority == -7);
        CHECK(stored->max_attempts == 9);
        CHECK(stored->run_at == when);
        CHECK(stored->tenant_id == job.tenant_id);
        CHECK(db.query("SELECT meta ->> 'who' FROM queue.jobs") == "me");
        CHECK(db.query("SELECT meta -> 'tags' ->> 0 FROM queue.jobs") == "a\"b");
        CHECK(db.query("SELECT meta -> 'tags' ->> 1 FROM queue.jobs") == "c,{d}\\");
        CHECK(db.query("SELECT meta ->> 'idempotency_key' FROM queue.jobs") == "k-1");
        CHECK(db.query("SELECT meta ->> 'traceparent' FROM queue.jobs") == job.traceparent);
    }

    TEST_CASE("enqueue: a kind's published defaults apply unless the job says otherwise") {
        const test::test_database db;
        db.execute(
            "SELECT queue.create_queue('slow');"
            "INSERT INTO queue.kind (name, queue, priority, max_attempts) "
            "VALUES ('report.make', 'slow', 9, 2)");
        client on{client_options{db.dsn()}};

        const auto plain = on.enqueue(new_job{"report.make", "{}"});
        const auto own = on.enqueue(
            new_job{"report.make", "{}"}.in_queue("default").with_priority(1).attempts(7));

        REQUIRE(plain.has_value());
        REQUIRE(own.has_value());
        CHECK(on.get(plain->id)->queue == "slow");
        CHECK(on.get(plain->id)->priority == 9);
        CHECK(on.get(plain->id)->max_attempts == 2);
        CHECK(on.get(own->id)->queue == "default");
        CHECK(on.get(own->id)->priority == 1);
        CHECK(on.get(own->id)->max_attempts == 7);
    }

    TEST_CASE("enqueue: a time in the past means now, a delay counts from the database's now") {
        const test::test_database db;
        client on{client_options{db.dsn()}};

        const auto past = on.enqueue(new_job{"a.b", "{}"}.run_at_time(libqueue::time_point::min()));
        const auto soon = on.enqueue(new_job{"a.b", "{}"}.run_in(std::chrono::hours{1}));

        REQUIRE(past.has_value());
        REQUIRE(soon.has_value());
        CHECK(on.get(past->id)->run_at == on.get(past->id)->created_at);
        CHECK(on.get(soon->id)->run_at - on.get(soon->id)->created_at == std::chrono::hours{1});
        CHECK(on.get(soon->id)->state == job_state::scheduled);
    }

    TEST_CASE("enqueue_many: ids follow the batch, jobs of one line keep their order") {
        const test::test_database db;
        client on{client_options{db.dsn()}};
        std::vector<new_job> jobs;
        for (int i = 0; i < 2'500; ++i) {
            new_job& job = jobs.emplace_back(i % 3 == 0 ? "a.b" : "c.d", std::to_string(i));
            if (i % 1'000 == 999) {
                job.unique_key("key " + std::to_string(i));
            }
        }

        const auto ids = on.enqueue_many(jobs);

        REQUIRE(ids.has_value());
        REQUIRE(ids->size() == jobs.size());
        CHECK(std::set<libqueue::job_id>(ids->begin(), ids->end()).size() == jobs.size());
        CHECK(db.query("SELECT count(*) FROM queue.ready") == "2500");
        for (const std::size_t i : {std::size_t{0}, std::size_t{999}, std::size_t{2'499}}) {
            CHECK(on.get((*ids)[i])->payload == std::to_string(i));
        }
        CHECK(db.query("SELECT count(*) FROM (SELECT payload::text::int AS n, "
                       "lag(payload::text::int) OVER (PARTITION BY line_id ORDER BY run_at, id) "
                       "AS before FROM queue.job) x WHERE n < before") == "0");
    }

    TEST_CASE("enqueue_many: all or none") {
        const test::test_database db;
        client on{client_options{db.dsn()}};
        std::vector<new_job> jobs(10, new_job{"a.b", "{}"});
        jobs.push_back(new_job{"a.b", "{}"}.in_queue("nowhere"));

        const auto refused = on.enqueue_many(jobs);

        REQUIRE(refused.has_error());
        CHECK(refused.error().code == errc::unknown_queue);
        CHECK(db.query("SELECT count(*) FROM queue.job") == "0");

        jobs.back() = new_job{"a.b", "{"};
        const auto invalid = on.enqueue_many(jobs);

        REQUIRE(invalid.has_error());
        CHECK(invalid.error().code == errc::invalid_payload);
        CHECK(invalid.error().message.starts_with("job 10: payload"));
        CHECK(on.enqueue_many({})->empty());
    }

    TEST_CASE("idempotency: the same work once, other work under the key is an error") {
        const test::test_database db;
        client on{client_options{db.dsn()}};
        const auto first = on.enqueue(new_job{"a.b", R"({"x":1,"y":2})"}.unique_key("k"));
        REQUIRE(first.has_value());

        const auto again = on.enqueue(new_job{"a.b", R"({"y": 2, "x": 1})"}.unique_key("k"));
        const auto other = on.enqueue(new_job{"a.b", R"({"x":2})"}.unique_key("k"));
        const auto kind = on.enqueue(new_job{"a.c", R"({"x":1,"y":2})"}.unique_key("k"));
        const auto tenant = on.enqueue(new_job{"a.b", R"({"x":2})"}.unique_key("k").for_tenant(
            "11111111-2222-3333-4444-555555555555"));

        REQUIRE(again.has_value());
        CHECK(again->id == first->id);
        CHECK(again->duplicate);
        CHECK_FALSE(again->output.has_value());
        REQUIRE(other.has_error());
        CHECK(other.error().code == errc::idempotency_conflict);
        CHECK_FALSE(other.error().hint.empty());
        REQUIRE(kind.has_error());
        CHECK(kind.error().code == errc::idempotency_conflict);
        REQUIRE(tenant.has_value());
        CHECK_FALSE(tenant->duplicate);
        CHECK(db.query("SELECT count(*) FROM queue.job") == "2");
    }

    TEST_CASE("idempotency: a duplicate of completed work brings its output") {
        const test::test_database db;
        test::stand_in_worker worker{db};
        client on{client_options{db.dsn()}};
        const auto first = on.enqueue(new_job{"a.b", "{}"}.unique_key("k"));
        worker.complete(first->id, R"({"charge": "ch_1"})");

        const auto again = on.enqueue(new_job{"a.b", "{}"}.unique_key("k"));

        REQUIRE(again.has_value());
        CHECK(again->duplicate);
        CHECK(again->output == R"({"charge": "ch_1"})");
    }

    TEST_CASE("idempotency: an expired key is free again") {
        const test::test_database db;
        client on{client_options{db.dsn()}};
        const auto first = on.enqueue(new_job{"a.b", "1"}.unique_key("k"));
        db.execute("UPDATE queue.idempotency SET expires_at = now() - interval '1 second'");

        const auto second = on.enqueue(new_job{"a.b", "2"}.unique_key("k"));

        REQUIRE(second.has_value());
        CHECK_FALSE(second->duplicate);
        CHECK(second->id != first->id);
        CHECK(on.enqueue(new_job{"a.b", "2"}.unique_key("k"))->id == second->id);
    }

    TEST_CASE("idempotency: sixteen at once, half of them rolling back, make exactly one job") {
        const test::test_database db;
        for (int round = 0; round < 5; ++round) {
            const std::string key = "round " + std::to_string(round);
            std::array<std::string, 16> ids;
            std::vector<std::thread> threads;
            for (std::size_t i = 0; i < ids.size(); ++i) {
                threads.emplace_back([&, i] {
                    test::connection on{db.dsn()};
                    on.execute("BEGIN");
                    ids[i] =
                        on.query("SELECT queue.enqueue('a.b', '{}', idempotency_key => $1)", {key});
                    on.execute(i % 2 == 0 ? "ROLLBACK" : "COMMIT");
                });
            }
            for (std::thread& one : threads) {
                one.join();
            }

            const std::string kept =
                db.query("SELECT job_id FROM queue.idempotency WHERE key = $1", {key});
            CHECK(db.query("SELECT count(*) FROM queue.job WHERE meta ->> 'idempotency_key' = $1",
                           {key}) == "1");
            for (std::size_t i = 1; i < ids.size(); i += 2) {
                CHECK(ids[i] == kept);
            }
        }
    }

    TEST_CASE("idempotency: two batches with the same keys in opposite orders both succeed") {
        const test::test_database db;
        db.execute("ALTER DATABASE " + db.name() + " SET deadlock_timeout = '20ms'");
        std::vector<new_job> forth;
        for (int i = 0; i < 60; ++i) {
            forth.push_back(new_job{"a.b", "{}"}.unique_key(std::to_string(i)));
        }
        const std::vector<new_job> there = forth;
        const std::vector<new_job> back{forth.rbegin(), forth.rend()};
        std::vector<std::thread> threads;
        for (const std::vector<new_job>* batch : {&there, &back}) {
            threads.emplace_back([&db, batch] {
                client on{client_options{db.dsn()}};
                CHECK(on.enqueue_many(*batch).has_value());
            });
        }
        for (std::thread& one : threads) {
            one.join();
        }

        CHECK(db.query("SELECT count(*) FROM queue.job") == "60");
    }

    TEST_CASE("get: an unknown job is not_found") {
        const test::test_database db;
        client on{client_options{db.dsn()}};

        const auto missing = on.get(4711);

        REQUIRE(missing.has_error());
        CHECK(missing.error().code == errc::not_found);
        CHECK(on.cancel(4711).error().code == errc::not_found);
        CHECK(on.retry(4711).error().code == errc::not_found);
    }

    TEST_CASE("wait: returns a finished job, or the job as it stands when the time is up") {
        const test::test_database db;
        test::stand_in_worker worker{db};
        client on{client_options{db.dsn()}};
        const auto made = on.enqueue(new_job{"a.b", "{}"});

        CHECK(on.wait(made->id, std::chrono::milliseconds{0})->state == job_state::ready);
        worker.complete(made->id, "7");
        const auto done = on.wait(made->id, std::chrono::hours{24 * 365 * 1000});

        REQUIRE(done.has_value());
        CHECK(done->state == job_state::completed);
        CHECK(done->output == "7");
        CHECK(done->finished_at.has_value());
        CHECK(on.wait(4711, std::chrono::milliseconds{0}).error().code == errc::not_found);
    }

    TEST_CASE("cancel: a waiting job at once, a running one is asked, a finished one refuses") {
        const test::test_database db;
        test::stand_in_worker worker{db};
        client on{client_options{db.dsn()}};
        const auto waiting = on.enqueue(new_job{"a.b", "{}"});
        const auto running = on.enqueue(new_job{"a.b", "{}"});
        const auto finished = on.enqueue(new_job{"a.b", "{}"});
        worker.claim(running->id);
        worker.complete(finished->id);

        CHECK(on.cancel(waiting->id, std::string{"no\0t\xff", 5}).value());
        CHECK_FALSE(on.cancel(running->id, "stop").value());
        CHECK_FALSE(on.cancel(running->id).value());

        CHECK(on.get(waiting->id)->state == job_state::cancelled);
        CHECK(on.get(waiting->id)->last_error == "no\uFFFDt\uFFFD");
        CHECK(on.get(running->id)->state == job_state::running);
        CHECK(db.query("SELECT reason FROM queue.cancel_request") == "stop");
        CHECK(on.cancel(waiting->id).error().code == errc::conflict);
        CHECK(on.cancel(finished->id).error().code == errc::conflict);
    }

    TEST_CASE("retry: waiting becomes due, dead and cancelled stand in line again") {
        const test::test_database db;
        test::stand_in_worker worker{db};
        client on{client_options{db.dsn()}};
        const auto later = on.enqueue(new_job{"a.b", "{}"}.run_in(std::chrono::hours{1}));
        const auto failed = on.enqueue(new_job{"a.b", "{}"});
        const auto dead = on.enqueue(new_job{"a.b", "{}"});
        const auto cancelled = on.enqueue(new_job{"a.b", "{}"});
        worker.fail(failed->id, "no luck", 3600);
        worker.kill(dead->id, "broken");
        static_cast<void>(on.cancel(cancelled->id).value());
        CHECK(on.get(failed->id)->state == job_state::retrying);
        CHECK(on.get(failed->id)->attempt == 1);
        CHECK(on.get(failed->id)->last_error == "no luck");
        CHECK(on.get(dead->id)->state == job_state::dead);

        for (const auto id : {later->id, failed->id, dead->id, cancelled->id}) {
            CHECK(on.retry(id).has_value());
            CHECK(on.get(id)->state == job_state::ready);
        }

        CHECK(on.get(failed->id)->attempt == 1);
        CHECK(on.get(dead->id)->attempt == 0);
        CHECK(db.query("SELECT count(*) FROM queue.dead_letter") == "0");
    }

    TEST_CASE("retry: a running or completed job refuses") {
        const test::test_database db;
        test::stand_in_worker worker{db};
        client on{client_options{db.dsn()}};
        const auto running = on.enqueue(new_job{"a.b", "{}"});
        const auto done = on.enqueue(new_job{"a.b", "{}"});
        worker.claim(running->id);
        worker.complete(done->id);

        CHECK(on.retry(running->id).error().code == errc::conflict);
        CHECK(on.retry(done->id).error().code == errc::conflict);
    }

    TEST_CASE("connection: opened at first use, replaced when it was cut while idle") {
        const test::test_database db;
        client on{client_options{db.dsn()}};
        CHECK(outstanding_backends(db) == 0);
        const auto first = on.enqueue(new_job{"a.b", "{}"});
        REQUIRE(first.has_value());
        CHECK(outstanding_backends(db) == 1);

        kill_backends(db);
        const auto second = on.enqueue(new_job{"a.b", "{}"});
        kill_backends(db);
        const auto found = on.get(first->id);
        kill_backends(db);
        const std::vector<new_job> batch(3, new_job{"a.b", "{}"});
        const auto many = on.enqueue_many(batch);

        REQUIRE(second.has_value());
        CHECK(found.has_value());
        CHECK(many.has_value());
        CHECK(db.query("SELECT count(*) FROM queue.job") == "5");
    }

    TEST_CASE("connection: a server that is away is a retryable failure") {
        client on{client_options{"host=/nonexistent dbname=none"}};

        try {
            static_cast<void>(on.enqueue(new_job{"a.b", "{}"}));
            FAIL("expected a failure");
        } catch (const libqueue::failure& what) {
            CHECK(what.retryable());
            CHECK(what.poisons_connection());
            CHECK_FALSE(what.outcome_unknown());
        }
    }

    TEST_CASE("connection: a backend that dies under an enqueue leaves the outcome unknown") {
        test::pg_cluster own;
        const test::test_database db{own};
        test::connection blocker{db.dsn()};
        blocker.execute("BEGIN; LOCK TABLE queue.job IN ACCESS EXCLUSIVE MODE");
        client on{client_options{db.dsn()}};
        std::thread killer{[&] {
            std::string pid;
            CHECK(test::wait_until([&] {
                pid = db.query(
                    "SELECT pid FROM pg_stat_activity WHERE application_name = 'libqueue' "
                    "AND wait_event_type = 'Lock'");
                return !pid.empty();
            }));
            ::kill(static_cast<pid_t>(std::stol(pid)), SIGKILL);
        }};

        try {
            static_cast<void>(on.enqueue(new_job{"a.b", "{}"}));
            FAIL("expected a failure");
        } catch (const libqueue::failure& what) {
            CHECK(what.retryable());
            CHECK(what.poisons_connection());
            CHECK(what.outcome_unknown());
        }
        killer.join();
    }

    TEST_CASE("schema: a database without the schema is schema_mismatch") {
        const test::test_database db{test::test_database::content::empty};
        client on{client_options{db.dsn()}};

        const auto refused = on.enqueue(new_job{"a.b", "{}"});

        REQUIRE(refused.has_error());
        CHECK(refused.error().code == errc::schema_mismatch);
        CHECK(refused.error().hint.find("migrate") != std::string::npos);
        client_options options{db.dsn()};
        options.schema = "no such schema; --";
        CHECK_THROWS_AS(client{options}, libqueue::domain_failure);
    }

    TEST_CASE("statement_timeout: passes as a failure that is not retryable") {
        const test::test_database db;
        test::connection blocker{db.dsn()};
        blocker.execute("BEGIN; LOCK TABLE queue.job IN ACCESS EXCLUSIVE MODE");
        client_options options{db.dsn()};
        options.statement_timeout = std::chrono::milliseconds{50};
        client on{options};

        try {
            static_cast<void>(on.enqueue(new_job{"a.b", "{}"}));
            FAIL("expected a failure");
        } catch (const libqueue::failure& what) {
            CHECK(what.sqlstate() == "57014");
            CHECK_FALSE(what.retryable());
            CHECK_FALSE(what.outcome_unknown());
        }
    }
}

}  // namespace
