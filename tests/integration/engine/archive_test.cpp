#include "ended_jobs.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>

using namespace engine_test;
using libqueue::job_id;

TEST_SUITE_BEGIN("archive");

namespace {

std::string archived(const rig& t, const std::string& name = "kept_archive") {
    return t.db.query("SELECT count(*) FROM queue.archived_jobs WHERE archive = $1", {name});
}

void archive_kind(const rig& t, const std::string& kind = "kept") {
    t.db.execute("SELECT queue.set_archive($1, 'kept_archive')", {kind});
}

constexpr auto columns =
    "id, tenant_id, queue, kind, state, priority, attempt, max_attempts, payload, output, meta, "
    "created_at, finished_at, last_error";

std::string row_of(const rig& t, const std::string& view, job_id id) {
    return t.db.query("SELECT to_jsonb(r) FROM (SELECT " + std::string{columns} + " FROM queue." +
                          view + " WHERE id = $1) r",
                      {std::to_string(id)});
}

}  // namespace

TEST_CASE("a job of an archived kind goes to its archive whole; of another kind it just goes") {
    rig t;
    archive_kind(t);
    const job_id kept = t.enqueue("kept", R"({"amount": 12.50, "to": "ü\"\n"})",
                                  "priority => 3, meta => '{\"a\": 1}', max_attempts => 7, "
                                  "tags => '{x}', "
                                  "tenant_id => '6f0b3a52-8d1f-4a57-9c4e-3f1f0d7a9b11'");
    t.db.execute(
        "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, next_run_at, "
        "outcome, attempt, error) VALUES ($1, 0, '2001-01-01', '2001-01-01', '2001-01-01', "
        "'failed', 1, 'first it failed')",
        {std::to_string(kept)});
    const job_id plain = t.enqueue("plain");
    end_all(t, "completed", "15 days");
    t.db.execute("UPDATE queue.attempt SET output = '{\"charge\": \"ch_1\"}' WHERE lease_id > 0");
    const std::string before = row_of(t, "jobs", kept);
    REQUIRE(before.find("ch_1") != std::string::npos);

    CHECK(prune(t) == 2);

    CHECK(row_of(t, "archived_jobs", kept) == before);
    CHECK(t.db.query("SELECT attempts -> 0 ->> 'error' || ', ' || (attempts -> 1 ->> 'outcome') "
                     "FROM queue.archived_jobs") == "first it failed, completed");
    CHECK_FALSE(exists(t, kept));
    CHECK_FALSE(exists(t, plain));
    CHECK(t.db.query("SELECT count(*) FROM queue.archived_jobs") == "1");
    CHECK(t.db.query("SELECT count(*) FROM queue.attempt") == "0");
}

TEST_CASE("cancelled jobs and dead letters of a kind have retentions of their own") {
    rig t;
    t.db.execute("SELECT queue.set_kind_retention('kept', '10 days', '2 days', '4 days')");
    const job_id completed = ended(t, "completed", "5 days");
    const job_id cancelled = ended(t, "cancelled", "3 days");
    const job_id letter = dead(t, "5 days");
    const job_id other = ended(t, "cancelled", "3 days", "other");

    CHECK(prune(t) == 1);

    CHECK_FALSE(exists(t, cancelled));
    CHECK(exists(t, completed));
    CHECK(exists(t, other));
    CHECK(t.db.query("SELECT count(*) FROM queue.dead_letter") == "0");
    CHECK(exists(t, letter));
    t.db.execute("SELECT queue.set_kind_retention('kept', '10 days')");
    const job_id second = ended(t, "cancelled", "3 days");
    CHECK(prune(t) == 0);
    CHECK(exists(t, second));
}

TEST_CASE("a dead letter that expires takes its job to the archive, with its attempts") {
    rig t;
    archive_kind(t);
    const job_id id = dead(t, "100 days");
    t.db.execute("UPDATE queue.attempt SET error = 'boom'");

    CHECK(prune(t) == 1);

    CHECK(t.db.query("SELECT id || ' ' || state || ' ' || last_error || ' ' || "
                     "(attempts -> 0 ->> 'error') FROM queue.archived_jobs") ==
          std::to_string(id) + " dead boom boom");
}

TEST_CASE(
    "a discarded letter of an archived kind is archived at once, of another kind not at all") {
    rig t;
    archive_kind(t);
    const job_id id = dead(t, "1 day");
    const job_id plain = dead(t, "1 day", "plain");

    CHECK(t.db.query("SELECT queue.discard(ARRAY[$1, $2]::bigint[])",
                     {std::to_string(id), std::to_string(plain)}) == "2");

    CHECK(t.db.query("SELECT string_agg(id || ' ' || state, ',') FROM queue.archived_jobs") ==
          std::to_string(id) + " dead");
    CHECK_FALSE(exists(t, id));
    CHECK(exists(t, plain));
    CHECK(prune(t, "20 days") == 1);
    CHECK(archived(t) == "1");
}

TEST_CASE("a discarded letter's job that a lease still lists is archived once, when it goes") {
    rig t;
    archive_kind(t);
    const job_id id = dead(t, "1 day");
    t.db.execute(
        "INSERT INTO queue.lease SELECT lease_id, 7, now(), ARRAY[job_id], '{0}' "
        "FROM queue.attempt WHERE job_id = $1",
        {std::to_string(id)});

    t.db.execute("SELECT queue.discard(ARRAY[$1]::bigint[])", {std::to_string(id)});
    CHECK(archived(t) == "0");
    CHECK(exists(t, id));
    t.db.execute("DELETE FROM queue.lease");
    CHECK(prune(t, "20 days") == 1);
    CHECK(archived(t) == "1");
}

TEST_CASE(
    "an id the archive has already, as after a restored dump, is neither lost nor written over") {
    rig t;
    archive_kind(t);
    const job_id id = ended(t, "completed", "15 days");
    t.db.execute(
        "INSERT INTO queue.archived_job SELECT 'kept_archive', $1, now(), now(), now(), now(), 5, "
        "1, 4, NULL, 'default', 'kept', 'dead', NULL, '\"first\"', NULL, NULL, '[]'",
        {std::to_string(id)});
    const job_id next = ended(t, "completed", "15 days");

    CHECK(prune(t) == 1);

    CHECK(exists(t, id));
    CHECK_FALSE(exists(t, next));
    CHECK(t.db.query("SELECT payload FROM queue.archived_jobs WHERE id = $1",
                     {std::to_string(id)}) == "\"first\"");
}

TEST_CASE("what a pruning transaction archived is undone with it") {
    rig t;
    archive_kind(t);
    t.enqueue_many("kept", 100);
    end_all(t, "completed", "15 days");
    test::connection first{t.db.dsn()};
    first.execute("BEGIN");
    REQUIRE(first.query("SELECT jobs FROM queue.prune_jobs()") == "100");
    CHECK(archived(t) == "0");
    first.execute("ROLLBACK");

    CHECK(t.db.query("SELECT count(*) FROM queue.job") == "100");
    CHECK(prune(t) == 100);
    CHECK(archived(t) == "100");
}

TEST_CASE("sessions that prune are killed again and again: every job in one place, at any moment") {
    constexpr int total = 8'000;
    rig t;
    archive_kind(t);
    t.enqueue_many("kept", total);
    end_all(t, "completed", "15 days");
    // A job is counted wherever it is: fewer would be lost, more would be doubled.
    const auto places = [&] {
        return t.db.query(
            "SELECT (SELECT count(*) FROM queue.job) + (SELECT count(*) FROM queue.archived_job)");
    };
    std::atomic<bool> over{false};
    std::atomic<int> cut{0};
    std::thread walker{[&] {
        while (!over) {
            try {
                test::connection on{t.db.dsn()};
                while (on.query("SELECT round_over FROM queue.prune_jobs("
                                "time_limit => '5 ms', batch => 50)") != "t") {
                }
                over = true;
            } catch (const std::exception&) {
                ++cut;
            }
        }
    }};
    // Each time some more has come across: a walker that was always killed would never end.
    test::connection on{t.db.dsn()};
    for (int next = 0; !over;) {
        CHECK(places() == std::to_string(total));
        const int moved = std::stoi(archived(t));
        if (moved >= next && next < total) {
            on.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'active' "
                "AND query LIKE '%prune_jobs%' AND pid <> pg_backend_pid()");
            next = moved + 250;
        }
    }
    walker.join();

    CHECK(cut > 5);
    CHECK(t.db.query("SELECT count(*) FROM queue.job") == "0");
    CHECK(t.db.query("SELECT count(DISTINCT id) FROM queue.archived_job") == std::to_string(total));
    CHECK(t.db.query("SELECT count(*) FROM queue.attempt") == "0");
}

TEST_CASE("an archive's rows go after its own retention; without one they stay for ever") {
    rig t;
    archive_kind(t);
    t.db.execute("SELECT queue.set_archive('eternal', 'eternal_archive')");
    t.enqueue_many("kept", 1200);
    ended(t, "completed", "15 days", "eternal");
    end_all(t, "completed", "15 days");
    REQUIRE(prune(t) == 1201);
    t.db.execute("SELECT queue.set_archive_retention('kept_archive', interval '30 days')");
    const auto prune_archives = [&](const std::string& later) {
        return t.db.query(
            "SELECT jobs || ' ' || round_over FROM queue.prune_archives(now() + $1, "
            "interval '10 seconds')",
            {later});
    };

    CHECK(prune_archives("29 days") == "0 true");
    CHECK(prune_archives("31 days") == "1200 true");
    CHECK(archived(t) == "0");
    CHECK(prune_archives("3000 days") == "0 true");
    CHECK(archived(t, "eternal_archive") == "1");
}

TEST_CASE("what came to the archive late is pruned within a day of its time") {
    rig t;
    archive_kind(t);
    t.db.execute("SELECT queue.set_archive_retention('kept_archive', interval '1 day')");
    ended(t, "completed", "15 days");
    REQUIRE(prune(t) == 1);
    REQUIRE(t.db.query("SELECT jobs FROM queue.prune_archives(now() + interval '2 days')") == "1");
    ended(t, "completed", "15 days");
    REQUIRE(prune(t) == 1);
    t.db.execute("UPDATE queue.archived_job SET archived_at = now() - interval '1 hour'");

    CHECK(t.db.query("SELECT jobs FROM queue.prune_archives(now() + interval '2 days')") == "0");
    CHECK(t.db.query("SELECT jobs FROM queue.prune_archives(now() + interval '74 hours')") == "1");
}

TEST_CASE("a worker archives what its kinds say and writes only what it is given") {
    rig t;
    t.db.execute(
        "SELECT queue.set_kind_retention('plain', NULL, '3 days', '5 days');"
        "SELECT queue.set_archive('plain', 'by_hand');"
        "SELECT queue.set_archive('none', 'by_hand')");
    t.enqueue_many("given", 10);
    end_all(t, "completed", "15 days");
    auto given = noop("given");
    given.options.cancelled_retention = 1h;
    given.options.dead_letter_retention = 2h;
    given.options.archive = "given_archive";
    auto none = noop("none");
    none.options.archive = "";

    const auto worker = t.start({given, noop("plain"), none});

    CHECK(test::wait_until([&] { return archived(t, "given_archive") == "10"; }));
    CHECK(t.db.query("SELECT string_agg(concat_ws(' ', name, cancelled_retention, "
                     "dead_letter_retention, archive), ', ' ORDER BY name) FROM queue.kind") ==
          "given 01:00:00 02:00:00 given_archive, none, plain 3 days 5 days by_hand");
    CHECK(t.db.query("SELECT string_agg(name || ' ' || kinds::text, ', ' ORDER BY name) "
                     "FROM queue.archives") == "by_hand {plain}, given_archive {given}");
}

TEST_CASE("settings that cannot be are refused by the name of the argument") {
    rig t;
    const auto refused = [&](const std::string& sql, const char* why) {
        CHECK_THROWS_WITH_AS(t.db.execute("SELECT " + sql), doctest::Contains(why),
                             test::sql_error);
    };
    refused("queue.set_archive('k', 'No/Such')",
            "archive: expected 1 to 64 of a-z 0-9 _ . -, got 'No/Such'");
    refused("queue.set_archive('k', '')", "archive: expected 1 to 64");
    refused("queue.set_archive('Bad Kind', 'a')", "kind: expected 1 to 64");
    refused("queue.set_archive(NULL, 'a')", "kind: expected 1 to 64 of a-z 0-9 _ . -, got NULL");
    refused("queue.set_archive_retention('nowhere', '1 day')", "no archive 'nowhere'");
    refused("queue.remove_archived('nowhere', '{1}')", "no archive 'nowhere'");
    refused("queue.set_kind_retention('k', '1 day', '-1 day')",
            "cancelled_retention: expected 0 or more");
    refused("queue.set_kind_retention('k', '1 day', NULL, '-1 day')",
            "dead_letter_retention: expected 0 or more");
    t.db.execute("SELECT queue.set_archive('k', 'a')");
    refused("queue.set_archive_retention('a', '-1 day')", "retention: expected 0 or more");
    CHECK(t.db.query("SELECT count(*) FROM queue.archive") == "1");

    auto options = t.options();
    auto kind = noop("k");
    kind.options.archive = "Not A Name";
    kind.options.cancelled_retention = -1h;
    CHECK_THROWS_WITH(static_cast<void>(t.start({kind}, options)),
                      doctest::Contains("archive: expected 1 to 64 of a-z 0-9 _ . -"));
}

TEST_SUITE_END();
