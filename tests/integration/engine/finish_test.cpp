#include "rig.hpp"

#include <libqueue/transaction.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

TEST_SUITE_BEGIN("finish transactions");

using namespace engine_test;
using boost::asio::awaitable;
using libqueue::job_context;
using libqueue::outcome;
using libqueue::statement;

namespace {

void make_table(const rig& t) {
    t.db.execute("CREATE TABLE seen (job bigint NOT NULL, word text CHECK (word <> 'bad'))");
}

statement note(libqueue::job_id job, const std::string& word) {
    return statement{"INSERT INTO public.seen VALUES ($1::bigint, $2)",
                     {std::to_string(job), word}};
}

std::string seen(const rig& t) {
    return t.db.query("SELECT coalesce(string_agg(word, ' ' ORDER BY word), '') FROM seen");
}

libqueue::registration with_quick_retries(libqueue::registration kind) {
    kind.options.retry = libqueue::retry_policy{libqueue::backoff_strategy::fixed, 1ms, 1ms, false};
    return kind;
}

}  // namespace

TEST_CASE("also: rows and follow-up jobs are there exactly when the job is completed") {
    rig t;
    make_table(t);
    const auto id = t.enqueue("buy");

    const auto worker =
        t.start({coroutine("buy",
                           [](job_context& context) -> awaitable<outcome> {
                               libqueue::new_job next{"mail", R"({"to": 1})"};
                               statement mail = libqueue::enqueue_statement(next, context.schema());
                               statement row = note(context.job().id, "bought");
                               outcome said = libqueue::completed(R"({"ok": true})");
                               co_return std::move(said).also(std::move(row)).also(std::move(mail));
                           }),
                 noop("mail")});

    REQUIRE(t.wait_finished(2));
    CHECK(t.state(id) == "completed");
    CHECK(seen(t) == "bought");
    CHECK(t.db.query("SELECT output FROM queue.jobs WHERE id = $1", {std::to_string(id)}) ==
          R"({"ok": true})");
    CHECK(t.db.query("SELECT count(DISTINCT x.xmin::text) FROM (SELECT xmin FROM seen UNION ALL "
                     "SELECT xmin FROM queue.attempt WHERE job_id = $1 UNION ALL "
                     "SELECT j.xmin FROM queue.job j WHERE j.id <> $1) x",
                     {std::to_string(id)}) == "1");
    worker->stop();
    CHECK(t.faults() == "");
}

TEST_CASE("also: statements go with any outcome, and a dead letter has its row too") {
    rig t;
    make_table(t);
    const auto id = t.enqueue("fails", "{}", "max_attempts => 2");

    const auto worker = t.start(
        {with_quick_retries(coroutine("fails", [](job_context& context) -> awaitable<outcome> {
            const std::string word = "try" + std::to_string(context.job().attempt);
            statement row = note(context.job().id, word);
            outcome said = libqueue::retry("no luck");
            co_return std::move(said).also(std::move(row));
        }))});

    REQUIRE(t.wait_state(id, "dead"));
    CHECK(seen(t) == "try1 try2");
    CHECK(t.outcomes(id) == "failed failed");
    worker->stop();
    CHECK(t.faults() == "");
}

TEST_CASE("also: a statement that fails undoes the finish, says why, and the job is retried") {
    rig t;
    make_table(t);
    const auto id = t.enqueue("picky");
    const auto beside = t.enqueue_many("plain", 200);

    const auto worker =
        t.start({with_quick_retries(coroutine(
                     "picky",
                     [](job_context& context) -> awaitable<outcome> {
                         const bool first = context.job().attempt == 1;
                         statement good = note(context.job().id, "good");
                         statement other = note(context.job().id, first ? "bad" : "fine");
                         outcome said = libqueue::completed();
                         co_return std::move(said).also(std::move(good)).also(std::move(other));
                     })),
                 noop("plain")});

    REQUIRE(t.wait_finished(201));
    CHECK(seen(t) == "fine good");
    CHECK(t.outcomes(id) == "failed completed");
    CHECK(t.db.query("SELECT error FROM queue.attempt WHERE job_id = $1 AND outcome = 'failed'",
                     {std::to_string(id)})
              .find("seen_word_check") != std::string::npos);
    CHECK(t.db.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'failed'") == "1");
    worker->stop();
    CHECK(t.faults() == "");
}

TEST_CASE("also: text that PostgreSQL cannot store fails that run only") {
    rig t;
    make_table(t);
    const auto id = t.enqueue("nul", "{}", "max_attempts => 1");

    const auto worker = t.start({coroutine("nul", [](job_context& context) -> awaitable<outcome> {
        statement row = note(context.job().id, std::string{"a\0b", 3});
        outcome said = libqueue::completed();
        co_return std::move(said).also(std::move(row));
    })});

    REQUIRE(t.wait_state(id, "dead"));
    CHECK(seen(t) == "");
    worker->stop();
}

TEST_CASE("also: of many runs each is recorded with its own row, a bad one alone is not") {
    rig t;
    make_table(t);
    constexpr int jobs = 400;
    const auto ids = t.enqueue_many("many", jobs);

    const auto worker = t.start(
        {with_quick_retries(coroutine("many", [](job_context& context) -> awaitable<outcome> {
            const bool bad = context.job().id % 40 == 0 && context.job().attempt == 1;
            statement row = note(context.job().id, bad ? "bad" : "w");
            outcome said = libqueue::completed();
            co_return std::move(said).also(std::move(row));
        }))});

    REQUIRE(t.wait_finished(jobs));
    CHECK(t.db.query("SELECT count(*) || ' ' || count(DISTINCT job) FROM seen") == "400 400");
    CHECK(t.db.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'failed'") == "10");
    worker->stop();
    CHECK(t.faults() == "");
}

TEST_CASE("also: nothing of a run that lost its lease is committed") {
    rig t;
    make_table(t);
    std::atomic<int> runs{0};
    const auto id = t.enqueue("slow");

    auto kind = coroutine("slow", [&](job_context& context) -> awaitable<outcome> {
        const int run = ++runs;
        if (run == 1) {
            // As a rescue by another worker: the lease goes, the job is back in line.
            const statement take{
                "WITH gone AS (DELETE FROM queue.lease RETURNING job_ids[1] AS id) "
                "INSERT INTO queue.ready (id, run_at, line_id, attempt) "
                "SELECT j.id, j.run_at, j.line_id, 0 FROM gone g JOIN queue.job j USING (id)",
                {}};
            auto taken = co_await context.query(take);
            CHECK(taken.has_value());
        }
        statement row = note(context.job().id, "run" + std::to_string(run));
        outcome said = libqueue::completed();
        co_return std::move(said).also(std::move(row));
    });
    const auto worker = t.start({std::move(kind)});

    REQUIRE(t.wait_state(id, "completed"));
    worker->stop();
    CHECK(seen(t) == "run2");
    CHECK(t.db.query("SELECT count(*) FROM queue.attempt") == "1");
}

TEST_CASE("also: what commits is found to be done when the answer is lost") {
    rig t;
    make_table(t);
    const auto ids = t.enqueue_many("cut", 50);
    std::atomic<bool> cutting{true};

    auto kind = coroutine("cut", [](job_context& context) -> awaitable<outcome> {
        // The commit goes through while the connection dies.
        statement row{
            "INSERT INTO public.seen SELECT $1::bigint, 'w' WHERE pg_sleep(0.002) IS "
            "NOT NULL",
            {std::to_string(context.job().id)}};
        outcome said = libqueue::completed();
        co_return std::move(said).also(std::move(row));
    });
    const auto worker = t.start({std::move(kind)});
    std::thread cutter{[&] {
        while (cutting) {
            t.db.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE application_name = 'libqueue worker finishes' "
                "AND datname = current_database()");
            CHECK_FALSE(test::wait_until([] { return false; }, 20ms));
        }
    }};
    const bool some = t.wait_finished(5);
    cutting = false;
    cutter.join();

    CHECK(some);
    REQUIRE(t.wait_finished(50));
    CHECK(t.db.query("SELECT count(*) || ' ' || count(DISTINCT job) FROM seen") == "50 50");
    CHECK(t.db.query("SELECT count(*) FROM queue.attempt WHERE outcome <> 'completed'") == "0");
    worker->stop();
    CHECK(t.faults() == "");
}

TEST_CASE("query: rows as text, domain errors as errors, others thrown") {
    rig t;
    std::vector<std::string> got;
    const auto id = t.enqueue("ask");
    const auto blocked = t.enqueue("ask_blocking");

    const auto worker = t.start(
        {coroutine("ask",
                   [&](job_context& context) -> awaitable<outcome> {
                       const statement two{
                           "SELECT n, nullif(n, 2) FROM generate_series(1, $1::int) n", {"2"}};
                       auto rows = co_await context.query(two);
                       got.push_back(std::to_string(rows->size()) + rows->text(0, 1) +
                                     (rows->value(1, 1) ? "value" : "null"));
                       const statement bad{"SELECT queue.enqueue('not a kind', '{}')", {}};
                       auto refused = co_await context.query(bad);
                       got.emplace_back(libqueue::to_string(refused.error().code));
                       got.push_back(context.schema());
                       bool thrown = false;
                       try {
                           const statement wrong{"SELECT 1/0", {}};
                           auto never = co_await context.query(wrong);
                       } catch (const libqueue::failure&) {
                           thrown = true;
                       }
                       got.emplace_back(thrown ? "thrown" : "not thrown");
                       co_return libqueue::completed();
                   }),
         blocking("ask_blocking", [](job_context& context) {
             const auto rows = context.query_blocking(statement{"SELECT 'x', $1::int", {"7"}});
             return libqueue::completed("\"" + rows->text(0, 0) + rows->text(0, 1) + "\"");
         })});

    REQUIRE(t.wait_state(id, "completed"));
    REQUIRE(t.wait_state(blocked, "completed"));
    worker->stop();
    CHECK(got == std::vector<std::string>{"21null", "invalid_argument", "queue", "thrown"});
    CHECK(t.db.query("SELECT output FROM queue.jobs WHERE id = $1", {std::to_string(blocked)}) ==
          "\"x7\"");
}

TEST_CASE("batch handler: many jobs, one call, one transaction") {
    rig t;
    make_table(t);
    constexpr int jobs = 300;
    t.enqueue_many("bulk", jobs);
    std::vector<std::size_t> sizes;

    libqueue::registration kind{"bulk"};
    kind.options.batch_max = 40;
    kind.handle_many = [&](std::vector<job_context*> batch) -> awaitable<libqueue::batch_outcome> {
        sizes.push_back(batch.size());
        libqueue::batch_outcome said;
        std::string ids;
        for (const job_context* each : batch) {
            ids += (ids.empty() ? "{" : ",") + std::to_string(each->job().id);
            said.each.push_back(libqueue::completed());
        }
        said.also.emplace_back("INSERT INTO public.seen SELECT unnest($1::bigint[]), 'w'",
                               std::vector<std::optional<std::string>>{ids + "}"});
        co_return said;
    };
    const auto worker = t.start({std::move(kind)}, t.options(100));

    REQUIRE(t.wait_finished(jobs));
    worker->stop();
    CHECK(t.db.query("SELECT count(*) || ' ' || count(DISTINCT job) FROM seen") == "300 300");
    CHECK(*std::max_element(sizes.begin(), sizes.end()) == 40);
    CHECK(sizes.size() < 150);
    CHECK(t.faults() == "");
}

TEST_CASE("batch handler: one that spoils its batch is alone the next time") {
    rig t;
    make_table(t);
    constexpr int jobs = 20;
    const auto ids = t.enqueue_many("bulk", jobs, "max_attempts => 3");
    const auto spoiler = ids[7];

    libqueue::registration kind = with_quick_retries(libqueue::registration{"bulk"});
    kind.handle_many =
        [spoiler](std::vector<job_context*> batch) -> awaitable<libqueue::batch_outcome> {
        libqueue::batch_outcome said;
        for (const job_context* each : batch) {
            const bool bad = each->job().id == spoiler;
            said.each.push_back(libqueue::completed());
            said.also.push_back(note(each->job().id, bad ? "bad" : "w"));
        }
        co_return said;
    };
    const auto worker = t.start({std::move(kind)}, t.options(100));

    REQUIRE(t.wait_finished(jobs));
    worker->stop();
    CHECK(t.state(spoiler) == "dead");
    CHECK(t.db.query("SELECT count(*) FROM queue.jobs WHERE state = 'completed'") == "19");
    CHECK(t.db.query("SELECT count(*) || ' ' || count(DISTINCT job) FROM seen") == "19 19");
    CHECK(t.faults() == "");
}

TEST_CASE("batch handler: a wrong number of answers, and an exception, retry all of them") {
    rig t;
    const auto ids = t.enqueue_many("bulk", 3, "max_attempts => 2");
    std::atomic<int> calls{0};

    libqueue::registration kind = with_quick_retries(libqueue::registration{"bulk"});
    kind.handle_many = [&](std::vector<job_context*> batch) -> awaitable<libqueue::batch_outcome> {
        if (batch.front()->job().attempt == 2) {
            throw std::runtime_error{"no"};
        }
        ++calls;
        co_return libqueue::batch_outcome{};
    };
    const auto worker = t.start({std::move(kind)});

    REQUIRE(t.wait_finished(3));
    worker->stop();
    CHECK(t.db.query("SELECT count(*) FROM queue.jobs WHERE state = 'dead'") == "3");
    CHECK(t.db.query("SELECT error FROM queue.attempt WHERE job_id = $1 AND attempt = 1",
                     {std::to_string(ids[0])})
              .find("answered for 0 of") != std::string::npos);
    CHECK(t.faults() == "");
}

TEST_SUITE_END();
