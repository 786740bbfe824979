#include "stand_in_worker.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <libqueue/client.hpp>
#include <libqueue/operations.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

using libqueue::client;
using libqueue::client_options;
using libqueue::dead_letter_filter;
using libqueue::errc;
using libqueue::job_filter;
using libqueue::job_state;
using libqueue::new_job;
using libqueue::operations;
using libqueue::report;

namespace {

/// One database with a client, its operations and somebody to run jobs.
class bench {
   public:
    bench() : worker{db}, on{client_options{db.dsn()}}, ops{on} {}

    libqueue::job_id enqueue(new_job job = new_job{"a.b", "{}"}) {
        return on.enqueue(job).value().id;
    }
    libqueue::job_id dead(const std::string& error = "boom", new_job job = new_job{"a.b", "{}"}) {
        const libqueue::job_id id = enqueue(std::move(job));
        worker.kill(id, error);
        return id;
    }

    test::test_database db;
    test::stand_in_worker worker;
    client on;
    operations ops;
};

std::size_t column_of(const report& in, std::string_view name) {
    const auto found = std::find_if(in.columns.begin(), in.columns.end(),
                                    [&](const libqueue::column& one) { return one.name == name; });
    REQUIRE_MESSAGE(found != in.columns.end(), name);
    return static_cast<std::size_t>(found - in.columns.begin());
}

std::string cell(const report& in, std::size_t row, std::string_view name) {
    return in.rows.at(row).at(column_of(in, name)).value_or("");
}

std::vector<libqueue::job_id> ids_of(const report& in) {
    std::vector<libqueue::job_id> ids;
    for (const auto& row : in.rows) {
        ids.push_back(std::stoll(row.at(0).value()));
    }
    return ids;
}

using ids = std::vector<libqueue::job_id>;

ids listed(bench& with, std::vector<job_state> states) {
    job_filter filter;
    filter.states = std::move(states);
    return ids_of(with.ops.list_jobs(filter));
}

TEST_SUITE("operations: jobs") {
    TEST_CASE("list_jobs: each state, alone and together, newest first") {
        bench with;
        const auto ready = with.enqueue();
        const auto scheduled = with.enqueue(new_job{"a.b", "{}"}.run_in(std::chrono::hours{1}));
        const auto running = with.enqueue();
        const auto retrying = with.enqueue();
        const auto completed = with.enqueue();
        const auto cancelled = with.enqueue();
        const auto dead = with.dead();
        with.worker.claim(running);
        with.worker.fail(retrying, "no", 3600);
        with.worker.complete(completed);
        static_cast<void>(with.on.cancel(cancelled).value());

        CHECK(listed(with, {job_state::ready}) == ids{ready});
        CHECK(listed(with, {job_state::scheduled}) == ids{scheduled});
        CHECK(listed(with, {job_state::running}) == ids{running});
        CHECK(listed(with, {job_state::retrying}) == ids{retrying});
        CHECK(listed(with, {job_state::completed}) == ids{completed});
        CHECK(listed(with, {job_state::cancelled}) == ids{cancelled});
        CHECK(listed(with, {job_state::dead}) == ids{dead});
        CHECK(listed(with, {job_state::dead, job_state::ready, job_state::running,
                            job_state::retrying, job_state::scheduled}) ==
              ids{dead, retrying, running, scheduled, ready});
        CHECK(listed(with, {job_state::dead, job_state::completed}) == ids{dead, completed});
        CHECK(listed(with, {}).size() == 7);
    }

    TEST_CASE("list_jobs: every filter, in the line and in the history") {
        bench with;
        REQUIRE(with.ops.create_queue("other").has_value());
        const std::string tenant{"11111111-2222-3333-4444-555555555555"};
        const auto plain = with.enqueue();
        const auto other = with.enqueue(new_job{"c.d", "{}"}.in_queue("other"));
        const auto tagged = with.enqueue(new_job{"a.x", "{}"}.tag("red").for_tenant(tenant));
        for (const bool history : {false, true}) {
            const auto find = [&](auto change) {
                job_filter filter;
                if (!history) {
                    filter.states = {job_state::ready};
                }
                change(filter);
                return ids_of(with.ops.list_jobs(filter));
            };

            CHECK(find([](job_filter& f) { f.queue = "other"; }) == ids{other});
            CHECK(find([](job_filter& f) { f.kind = "a.b"; }) == ids{plain});
            CHECK(find([](job_filter& f) { f.kind = "a.*"; }) == ids{tagged, plain});
            CHECK(find([](job_filter& f) { f.kind = "a.%"; }).empty());
            CHECK(find([](job_filter& f) { f.tag = "red"; }) == ids{tagged});
            CHECK(find([&](job_filter& f) { f.tenant_id = tenant; }) == ids{tagged});
            CHECK(find([&](job_filter& f) { f.before = tagged; }) == ids{other, plain});
            CHECK(find([](job_filter& f) { f.limit = 1; }) == ids{tagged});
            CHECK(find([](job_filter& f) {
                      f.since = libqueue::time_point{std::chrono::hours{24 * 365 * 200}};
                  }).empty());
        }
    }

    TEST_CASE("list_jobs: a filter that cannot be sent is refused") {
        bench with;
        job_filter filter;
        filter.limit = 0;
        CHECK_THROWS_AS(static_cast<void>(with.ops.list_jobs(filter)), libqueue::domain_failure);
        filter.limit = 10'001;
        CHECK_THROWS_AS(static_cast<void>(with.ops.list_jobs(filter)), libqueue::domain_failure);
        filter.limit = 1;
        filter.tenant_id = "me";
        CHECK_THROWS_AS(static_cast<void>(with.ops.list_jobs(filter)), libqueue::domain_failure);
        filter.tenant_id.reset();
        filter.tag = std::string{"a\0b", 3};
        CHECK_THROWS_AS(static_cast<void>(with.ops.list_jobs(filter)), libqueue::domain_failure);
        filter.tag = "\xff";
        CHECK_THROWS_AS(static_cast<void>(with.ops.list_jobs(filter)), libqueue::domain_failure);
    }

    TEST_CASE("list_jobs: a search of the history is bounded and goes on where it stopped") {
        bench with;
        const auto oldest = with.enqueue(new_job{"rare", "{}"});
        with.db.execute(
            "INSERT INTO queue.job SELECT nextval('queue.job_id_seq'), j.created_at, j.run_at, "
            "j.line_id, 4, NULL, '{}' FROM queue.job j, generate_series(1, 100500)");
        const auto newest = with.enqueue(new_job{"rare", "{}"});
        job_filter filter;
        filter.tag = "none";
        const report none = with.ops.list_jobs(filter);
        CHECK(none.rows.empty());
        CHECK(none.capped);
        CHECK(none.next == newest - 99'999);
        filter.tag.reset();

        filter.states = {job_state::ready, job_state::completed};
        const report first = with.ops.list_jobs(filter);
        CHECK(ids_of(first) == ids{newest});
        CHECK(first.capped);
        filter.before = first.next;
        const report second = with.ops.list_jobs(filter);
        CHECK(ids_of(second) == ids{oldest});
        CHECK_FALSE(second.capped);
        CHECK_FALSE(second.next.has_value());

        filter.before.reset();
        filter.since = libqueue::time_point{std::chrono::hours{24 * 365 * 200}};
        CHECK_FALSE(with.ops.list_jobs(filter).capped);
        filter.since.reset();
        filter.states.clear();
        filter.limit = 1000;
        const report page = with.ops.list_jobs(filter);
        CHECK(page.rows.size() == 1000);
        CHECK(page.next == newest - 999);
    }

    TEST_CASE("list_jobs: waiting, running and dead jobs are found without the history") {
        bench with;
        with.db.execute(
            "SELECT queue.enqueue_many('a.b', array_fill('{}'::jsonb, ARRAY[20000]));"
            "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, outcome, "
            "attempt) SELECT id, nextval('queue.lease_id_seq'), now(), now(), 'completed', 1 "
            "FROM queue.ready; DELETE FROM queue.ready; ANALYZE");
        const auto waiting = with.enqueue();
        const auto dead = with.dead();
        const auto facts_read = [&] {
            return std::stoll(
                with.db.query("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables "
                              "WHERE relid = 'queue.job'::regclass"));
        };
        // A session reports what it read when it ends.
        std::optional<client> reader{client_options{with.db.dsn()}};
        REQUIRE(test::wait_until([&] { return facts_read() >= 0; }));
        const auto before = facts_read();
        job_filter filter;
        filter.states = {job_state::ready, job_state::retrying, job_state::running,
                         job_state::dead};

        CHECK(ids_of(operations{*reader}.list_jobs(filter)) == ids{dead, waiting});
        reader.reset();

        CHECK(test::wait_until([&] {
            return with.db.query(
                       "SELECT count(*) FROM pg_stat_activity WHERE application_name = "
                       "'libqueue'") == "1";
        }));
        CHECK(facts_read() - before < 100);
    }

    TEST_CASE("attempts: the whole story of a job, operators' acts included") {
        bench with;
        const auto id = with.enqueue();
        with.worker.fail(id, "first", 3600);
        REQUIRE(with.on.retry(id).has_value());
        with.worker.complete(id, "1");

        const report story = with.ops.attempts(id);

        REQUIRE(story.rows.size() == 3);
        CHECK(cell(story, 0, "outcome") == "failed");
        CHECK(cell(story, 0, "error") == "first");
        CHECK(cell(story, 0, "worker") == "stand-in");
        CHECK(cell(story, 1, "outcome") == "replayed");
        CHECK(cell(story, 2, "outcome") == "completed");
        CHECK(cell(story, 2, "output") == "1");
        CHECK(cell(story, 2, "attempt") == "2");
        CHECK(story.columns[column_of(story, "started_at")].type == libqueue::column_type::time);
        CHECK(story.columns[column_of(story, "output")].type == libqueue::column_type::json);
        CHECK(story.columns[column_of(story, "attempt")].type == libqueue::column_type::integer);
    }

    TEST_CASE("explain: names the first true reason") {
        bench with;
        REQUIRE(with.ops.create_queue("unserved").has_value());
        const auto reason = [&](libqueue::job_id id) {
            return cell(with.ops.explain(id).value(), 0, "reason");
        };
        const auto id = with.enqueue();

        CHECK(reason(id) == "in line");
        with.db.execute(
            "UPDATE queue.worker SET slots = "
            "'{\"default\": {\"running\": 5, \"concurrency\": 5}}'");
        CHECK(reason(id) == "concurrency");
        CHECK(reason(with.enqueue(new_job{"z.z", "{}"})) == "unhandled kind");
        CHECK(reason(with.enqueue(new_job{"a.b", "{}"}.in_queue("unserved"))) == "no live worker");
        REQUIRE(with.ops.pause("default", "maintenance").has_value());
        CHECK(reason(id) == "queue paused");
        CHECK(cell(with.ops.explain(id).value(), 0, "detail").find("maintenance") !=
              std::string::npos);
        CHECK(reason(with.enqueue(new_job{"a.b", "{}"}.run_in(std::chrono::hours{1}))) ==
              "scheduled");
        with.worker.fail(id, "no", 60);
        CHECK(reason(id) == "retrying");
        CHECK_FALSE(cell(with.ops.explain(id).value(), 0, "until").empty());
        with.worker.claim(id);
        CHECK(reason(id) == "running");
        CHECK(reason(with.dead()) == "dead");
        CHECK(with.ops.explain(4711).error().code == errc::not_found);
    }
}

TEST_SUITE("operations: dead letters") {
    TEST_CASE("list: every filter, and groups of what is alike") {
        bench with;
        const std::string tenant{"11111111-2222-3333-4444-555555555555"};
        const auto first = with.dead("order 17 refused");
        const auto second = with.dead("order 18 refused");
        const auto third = with.dead("timeout", new_job{"c.d", R"({"p": 1})"}.for_tenant(tenant));
        const auto find = [&](auto change) {
            dead_letter_filter filter;
            change(filter);
            CHECK(with.ops.count_dead_letters(filter) ==
                  static_cast<std::int64_t>(with.ops.list_dead_letters(filter).rows.size()));
            return ids_of(with.ops.list_dead_letters(filter));
        };

        CHECK(find([](dead_letter_filter&) {}) == ids{third, second, first});
        CHECK(find([&](dead_letter_filter& f) {
                  f.ids = {first, third, 99};
              }) == ids{third, first});
        CHECK(find([](dead_letter_filter& f) { f.queue = "none"; }).empty());
        CHECK(find([](dead_letter_filter& f) { f.kind = "c.*"; }) == ids{third});
        CHECK(find([](dead_letter_filter& f) { f.error_like = "17 ref"; }) == ids{first});
        CHECK(find([](dead_letter_filter& f) { f.error_like = "%"; }).empty());
        CHECK(find([&](dead_letter_filter& f) { f.tenant_id = tenant; }) == ids{third});
        CHECK(find([&](dead_letter_filter& f) { f.before = third; }) == ids{second, first});
        CHECK(find([](dead_letter_filter& f) { f.until = libqueue::time_point{}; }).empty());

        const report groups = with.ops.dead_letter_groups(dead_letter_filter{});
        REQUIRE(groups.rows.size() == 2);
        CHECK(cell(groups, 0, "count") == "2");
        CHECK(cell(groups, 0, "sample_id") == std::to_string(second));
        const std::string fingerprint = cell(groups, 0, "fingerprint");
        CHECK(find([&](dead_letter_filter& f) { f.fingerprint = fingerprint; }) ==
              ids{second, first});
        const report letters = with.ops.list_dead_letters(dead_letter_filter{});
        CHECK(cell(letters, 0, "reason") == "attempts used up");
        CHECK(cell(letters, 0, "attempts").find("timeout") != std::string::npos);
    }

    TEST_CASE("replay: the dry run counts what the replay replays, progress is told") {
        bench with;
        std::vector<new_job> jobs(1'100, new_job{"a.b", "{}"});
        for (const auto id : with.on.enqueue_many(jobs).value()) {
            static_cast<void>(id);
        }
        with.db.execute(
            "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, outcome, "
            "attempt) SELECT id, nextval('queue.lease_id_seq'), now(), now(), 'failed', 1 "
            "FROM queue.ready;"
            "INSERT INTO queue.dead_letter SELECT j.id, now(), now(), NULL, 'default', 'a.b', 5, "
            "4, 1, 'x', 'y', 'f', '{}', NULL, '[]' FROM queue.job j; DELETE FROM queue.ready");
        libqueue::replay_options dry;
        dry.dry_run = true;
        std::vector<std::int64_t> told;

        const auto expected = with.ops.replay({}, dry);
        const auto replayed = with.ops.replay({}, {}, [&](std::int64_t done, std::int64_t total) {
            told.push_back(done);
            return total == 1'100;
        });

        CHECK(expected.value() == 1'100);
        CHECK(replayed.value() == 1'100);
        CHECK(told == std::vector<std::int64_t>{500, 1'000, 1'100});
        CHECK(with.db.query("SELECT count(*) FROM queue.ready") == "1100");
        CHECK(with.db.query("SELECT count(*) FROM queue.dead_letter") == "0");
        CHECK(with.ops.replay({}, {}).value() == 0);
    }

    TEST_CASE("replay: keeps the id; an edited payload makes a new job that names its ancestor") {
        bench with;
        const auto same = with.dead("one");
        const auto edited = with.dead("two", new_job{"a.b", "1"}.tag("t").with_priority(2));
        dead_letter_filter only;
        only.ids = {same};
        CHECK(with.ops.replay(only, {}).value() == 1);
        CHECK(with.on.get(same)->state == job_state::ready);

        only.ids = {edited};
        libqueue::replay_options options;
        options.payload = R"({"fixed": true})";
        CHECK(with.ops.replay(only, options).value() == 1);

        const auto heir = std::stoll(with.db.query(
            "SELECT id FROM queue.jobs WHERE meta ->> 'replay_of' = $1", {std::to_string(edited)}));
        const auto job = with.on.get(heir);
        CHECK(job->payload == R"({"fixed": true})");
        CHECK(job->priority == 2);
        CHECK(job->meta.find("\"t\"") != std::string::npos);
        CHECK(with.on.get(edited)->state == job_state::dead);
    }

    TEST_CASE("replay: a rate spreads the jobs over time") {
        bench with;
        for (int i = 0; i < 5; ++i) {
            static_cast<void>(with.dead());
        }
        libqueue::replay_options options;
        options.per_second = 0.5;

        CHECK(with.ops.replay({}, options).value() == 5);

        CHECK(with.db.query("SELECT max(run_at) - min(run_at) FROM queue.ready") == "00:00:08");
        CHECK(with.db.query("SELECT count(*) FROM queue.jobs WHERE state = 'ready'") == "1");
    }

    TEST_CASE("replay: options outside their limits are errors and replay nothing") {
        bench with;
        static_cast<void>(with.dead());
        const auto code = [&](auto change) {
            libqueue::replay_options options;
            change(options);
            return with.ops.replay({}, options).error().code;
        };

        CHECK(code([](auto& o) { o.per_second = -1; }) == errc::invalid_argument);
        CHECK(code([](auto& o) { o.per_second = std::numeric_limits<double>::quiet_NaN(); }) ==
              errc::invalid_argument);
        CHECK(code([](auto& o) { o.payload = "{"; }) == errc::invalid_payload);
        CHECK(code([](auto& o) { o.to_queue = "x y"; }) == errc::invalid_argument);
        CHECK(code([](auto& o) { o.to_queue = "nowhere"; }) == errc::unknown_queue);
        CHECK(with.ops.count_dead_letters({}) == 1);
    }

    TEST_CASE("replay: two replayers at once replay each letter once") {
        bench with;
        for (int i = 0; i < 40; ++i) {
            static_cast<void>(with.dead());
        }
        test::connection first{with.db.dsn()};
        first.execute("BEGIN");
        const std::string taken = first.query(
            "SELECT count(*) FROM queue.replay(ARRAY(SELECT job_id FROM queue.dead_letter "
            "ORDER BY job_id LIMIT 25))");

        const auto rest = with.ops.replay({}, {});
        first.execute("COMMIT");

        CHECK(taken == "25");
        CHECK(rest.value() == 15);
        CHECK(with.db.query("SELECT count(*) FROM queue.ready") == "40");
        CHECK(with.db.query("SELECT count(DISTINCT id) FROM queue.ready") == "40");
    }

    TEST_CASE("discard and prune: delete what matches and count it") {
        bench with;
        const auto old = with.dead("old");
        static_cast<void>(with.dead("new"));
        static_cast<void>(with.dead("new"));
        with.db.execute(
            "UPDATE queue.dead_letter SET died_at = now() - interval '91 days' WHERE job_id = $1",
            {std::to_string(old)});

        CHECK(with.ops.prune_dead_letters(std::chrono::hours{24 * 90}) == 1);
        dead_letter_filter news;
        news.error_like = "new";
        CHECK(with.ops.discard(news, true) == 2);
        CHECK(with.ops.count_dead_letters({}) == 2);
        CHECK(with.ops.discard(news, false) == 2);
        CHECK(with.ops.count_dead_letters({}) == 0);
        CHECK(with.on.retry(old).error().code == errc::conflict);
    }
}

TEST_SUITE("operations: queues and workers") {
    TEST_CASE("queues: created, listed, paused, resumed") {
        bench with;
        REQUIRE(with.ops.create_queue("other").has_value());
        REQUIRE(with.ops.create_queue("other").has_value());
        with.enqueue();
        with.enqueue(new_job{"a.b", "{}"}.in_queue("other").run_in(std::chrono::hours{1}));
        with.worker.claim(with.enqueue());
        static_cast<void>(with.dead());

        REQUIRE(with.ops.pause("other", "because").has_value());
        const report all = with.ops.list_queues();

        REQUIRE(all.rows.size() == 2);
        CHECK(cell(all, 0, "queue") == "default");
        CHECK(cell(all, 0, "ready") == "1");
        CHECK(cell(all, 0, "running") == "1");
        CHECK(cell(all, 0, "dead") == "1");
        CHECK(cell(all, 1, "scheduled") == "1");
        CHECK(cell(all, 1, "paused") == "t");
        CHECK(cell(all, 1, "pause_reason") == "because");
        const report one = with.ops.show_queue("other").value();
        CHECK(cell(one, 0, "workers") == "1");
        CHECK(cell(one, 0, "lines").find("\"a.b\"") != std::string::npos);
        REQUIRE(with.ops.resume("other").has_value());
        CHECK(cell(with.ops.show_queue("other").value(), 0, "paused") == "f");
    }

    TEST_CASE("queues: an unknown or impossible name is an error") {
        bench with;
        CHECK(with.ops.show_queue("none").error().code == errc::unknown_queue);
        CHECK(with.ops.pause("none", "").error().code == errc::unknown_queue);
        CHECK(with.ops.resume("none").error().code == errc::unknown_queue);
        CHECK(with.ops.purge("none", false).error().code == errc::unknown_queue);
        CHECK(with.ops.outstanding("none").error().code == errc::unknown_queue);
        for (const std::string& bad :
             {std::string{}, std::string{"a b"}, std::string(65, 'x'), std::string{"x'; --"}}) {
            CHECK(with.ops.create_queue(bad).error().code == errc::invalid_argument);
            CHECK(with.ops.show_queue(bad).error().code == errc::invalid_argument);
        }
    }

    TEST_CASE("purge: cancels what waits and leaves what runs") {
        bench with;
        std::vector<new_job> jobs(1'201, new_job{"a.b", "{}"});
        REQUIRE(with.on.enqueue_many(jobs).has_value());
        const auto running = with.enqueue();
        with.worker.claim(running);

        CHECK(with.ops.outstanding("default").value() == 1'202);
        CHECK(with.ops.purge("default", true).value() == 1'201);
        std::int64_t last = 0;
        const auto gone = with.ops.purge("default", false, [&](std::int64_t done, std::int64_t) {
            last = done;
            return true;
        });

        CHECK(gone.value() == 1'201);
        CHECK(last == 1'201);
        CHECK(with.ops.outstanding("default").value() == 1);
        CHECK(with.on.get(running)->state == job_state::running);
        CHECK(with.on.get(running - 1)->state == job_state::cancelled);
        CHECK(with.on.get(running - 1)->last_error == "queue purged");
    }

    TEST_CASE("workers and unhandled kinds: only live workers count") {
        bench with;
        with.enqueue();
        with.enqueue(new_job{"z.z", "{}"});
        with.enqueue(new_job{"z.z", "{}"}.with_priority(1));

        const report unhandled = with.ops.unhandled_kinds();
        const report workers = with.ops.list_workers();

        REQUIRE(unhandled.rows.size() == 1);
        CHECK(cell(unhandled, 0, "kind") == "z.z");
        CHECK(cell(unhandled, 0, "waiting") == "2");
        CHECK(cell(unhandled, 0, "workers") == "1");
        REQUIRE(workers.rows.size() == 1);
        CHECK(cell(workers, 0, "live") == "t");
        CHECK(cell(workers, 0, "kinds") == R"(["a.b"])");

        with.db.execute("UPDATE queue.worker SET beat_at = now() - interval '1 hour'");
        CHECK(cell(with.ops.list_workers(), 0, "live") == "f");
        CHECK(with.ops.unhandled_kinds().rows.size() == 2);
    }

    TEST_CASE("stats: counts, rates and sizes") {
        bench with;
        with.enqueue();
        with.worker.complete(with.enqueue());
        static_cast<void>(with.dead());

        const report figures = with.ops.stats();

        const auto value = [&](std::string_view name, std::string_view scope) {
            for (std::size_t i = 0; i < figures.rows.size(); ++i) {
                if (cell(figures, i, "name") == name && cell(figures, i, "scope") == scope) {
                    return std::stod(cell(figures, i, "value"));
                }
            }
            return -1.0;
        };
        CHECK(value("ready", "default") == 1);
        CHECK(value("dead", "default") == 1);
        CHECK(value("workers_live", "") == 1);
        CHECK(value("finished_per_second_1m", "") == doctest::Approx(2.0 / 60));
        CHECK(value("completed_per_second_1h", "") == doctest::Approx(1.0 / 3600));
        CHECK(value("failed_per_second_1m", "") == doctest::Approx(1.0 / 60));
        CHECK(value("table_bytes", "job") > 0);
        CHECK(value("oldest_transaction_seconds", "") >= 0);
    }

    TEST_CASE("cures: who holds a snapshot, then what it left behind, then nothing") {
        bench with;
        libqueue::cure_thresholds many;
        many.dead_rows = 1'000;
        many.index_bytes = 65'536;
        many.snapshot_age = std::chrono::milliseconds{0};
        const auto commands = [&] {
            std::vector<std::string> found;
            const report cures = with.ops.list_cures(many);
            for (std::size_t i = 0; i < cures.rows.size(); ++i) {
                found.push_back(cell(cures, i, "by_hand") + " " + cell(cures, i, "command"));
            }
            return found;
        };
        CHECK(commands().empty());
        // On a slow machine the server itself may come by and cure the first.
        with.db.execute("ALTER TABLE queue.ready SET (autovacuum_enabled = false)");
        with.db.execute("SELECT queue.enqueue_many('a.b', array_fill('{}'::jsonb, ARRAY[5000]))");
        test::connection holder{with.db.dsn()};
        const std::string pid = holder.query("SELECT pg_backend_pid()");
        holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM queue.job LIMIT 1");

        with.db.execute("DELETE FROM queue.ready");
        with.db.execute("VACUUM queue.ready");

        CHECK(commands() == std::vector<std::string>{"t SELECT pg_terminate_backend(" + pid + ")"});
        CHECK(cell(with.ops.list_cures(many), 0, "problem").find("session " + pid) == 0);
        with.db.execute("SELECT pg_terminate_backend(" + pid + ")");
        REQUIRE(test::wait_until([&] {
            return commands() ==
                   std::vector<std::string>{"f VACUUM queue.ready",
                                            "f REINDEX INDEX CONCURRENTLY queue.ready_pkey"};
        }));
        for (const char* command :
             {"VACUUM queue.ready", "REINDEX INDEX CONCURRENTLY queue.ready_pkey"}) {
            with.ops.run_cure(command);
        }
        CHECK(commands().empty());
    }

    TEST_CASE("connection: operations go on after it was cut") {
        bench with;
        with.enqueue();
        with.db.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE application_name = 'libqueue'");

        CHECK(with.ops.list_jobs({}).rows.size() == 1);
    }
}

}  // namespace
