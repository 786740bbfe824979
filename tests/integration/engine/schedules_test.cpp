#include "rig.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace engine_test;
using libqueue::event_type;

TEST_SUITE_BEGIN("schedules");

namespace {

/// Fires what is due at that time of 2030-01-01: "fired skipped failed".
std::string fire(const rig& t, const std::string& at) {
    return t.db.query(
        "SELECT concat_ws(' ', fired, skipped, failed) "
        "FROM queue.fire_schedules($1::timestamptz, '1 minute', 1000)",
        {"2030-01-01 " + at + "+00"});
}

/// A schedule whose next slot is the first after that time of 2030-01-01.
void schedule(const rig& t, const std::string& name, const std::string& cron,
              const std::string& since, const std::string& more = {}) {
    t.db.execute("SELECT queue.schedule($1, $2, 'tick'" + (more.empty() ? "" : ", " + more) + ")",
                 {name, cron});
    t.db.execute(
        "UPDATE queue.schedule SET anchor = $2::timestamptz, "
        "next_at = queue.cron_next(parsed, timezone, $2::timestamptz, $2::timestamptz) "
        "WHERE name = $1",
        {name, "2030-01-01 " + since + "+00"});
}

/// What became of the slots, as "09:00 fired, 10:00 missed to 12:00".
std::string runs(const rig& t, const std::string& name) {
    return t.db.query(
        "SELECT string_agg(to_char(slot AT TIME ZONE 'UTC', 'HH24:MI') || ' ' || outcome || "
        "coalesce(' to ' || to_char(until AT TIME ZONE 'UTC', 'HH24:MI'), ''), ', ' ORDER BY slot) "
        "FROM queue.schedule_runs WHERE name = $1",
        {name});
}

std::string jobs(const rig& t) {
    return t.db.query("SELECT count(*) FROM queue.job");
}

std::string next_at(const rig& t, const std::string& name) {
    return t.db.query(
        "SELECT to_char(next_at AT TIME ZONE 'UTC', 'MM-DD HH24:MI:SS') FROM queue.schedules "
        "WHERE name = $1",
        {name});
}

}  // namespace

TEST_CASE("a slot becomes one job that knows its schedule and its slot") {
    rig t;
    schedule(t, "report", "0 9 * * *", "00:00",
             "payload => '{\"a\": 1}', priority => 2, max_attempts => 7, "
             "meta => '{\"m\": true}', tenant_id => '11111111-2222-3333-4444-555555555555'");

    CHECK(fire(t, "08:59:59") == "0 0 0");
    CHECK(fire(t, "09:00:00.5") == "1 0 0");
    CHECK(fire(t, "09:00:01") == "0 0 0");

    CHECK(t.db.rows("SELECT kind, queue, priority, max_attempts, tenant_id, payload, meta "
                    "FROM queue.jobs")
              .at(0) ==
          test::row{"tick", "default", "2", "7", "11111111-2222-3333-4444-555555555555",
                    R"({"a": 1})",
                    R"({"m": true, "slot": "2030-01-01T09:00:00Z", "schedule": "report"})"});
    CHECK(t.db.rows("SELECT last_slot, lateness, last_outcome, last_job_id, runs, error, paused "
                    "FROM queue.schedules")
              .at(0) ==
          test::row{"2030-01-01 09:00:00+00", "00:00:00.5", "fired", "1", "1", std::nullopt, "f"});
    CHECK(next_at(t, "report") == "01-02 09:00:00");
}

TEST_CASE("misfire: slots within the grace all fire, whatever the policy") {
    rig t;
    for (const std::string policy : {"skip", "collapse", "backfill(1)"}) {
        schedule(t, policy.substr(0, 4), "*/20 * * * * *", "09:00:00",
                 "misfire => '" + policy + "'");
    }
    CHECK(fire(t, "09:01:20") == "12 0 0");
    CHECK(fire(t, "09:01:20") == "0 0 0");
}

TEST_CASE("misfire skip: what is older than the grace is passed over") {
    rig t;
    schedule(t, "s", "0 * * * *", "09:30", "misfire => 'skip'");

    CHECK(fire(t, "13:30") == "0 1 0");
    CHECK(runs(t, "s") == "10:00 missed to 13:00");
    CHECK(next_at(t, "s") == "01-01 14:00:00");
    CHECK(fire(t, "16:00:30") == "1 1 0");
    CHECK(runs(t, "s") == "10:00 missed to 13:00, 14:00 missed to 15:00, 16:00 fired");
}

TEST_CASE("misfire collapse: an outage is made up for by one firing, of the latest slot") {
    rig t;
    schedule(t, "s", "0 * * * *", "09:30");
    schedule(t, "every", "@every 7s", "09:30");

    CHECK(fire(t, "13:00:30") == "2 2 0");
    CHECK(runs(t, "s") == "10:00 missed to 12:00, 13:00 fired");
    CHECK(t.db.query("SELECT max(slot) FROM queue.schedule_runs WHERE name = 'every'") ==
          "2030-01-01 13:00:28+00");
    CHECK(next_at(t, "s") == "01-01 14:00:00");

    CHECK(fire(t, "14:50") == "2 1 0");
    CHECK(runs(t, "s") == "10:00 missed to 12:00, 13:00 fired, 14:00 fired");
}

TEST_CASE("misfire backfill(n): the latest n of the missed slots fire, oldest first") {
    rig t;
    schedule(t, "s", "0 * * * *", "05:30", "misfire => 'backfill(3)'");
    schedule(t, "all", "0 * * * *", "05:30", "misfire => 'backfill(1000)'");

    CHECK(fire(t, "12:00:30") == "11 1 0");
    CHECK(runs(t, "s") ==
          "06:00 missed to 08:00, 09:00 fired, 10:00 fired, 11:00 fired, 12:00 fired");
    CHECK(runs(t, "all") ==
          "06:00 fired, 07:00 fired, 08:00 fired, 09:00 fired, 10:00 fired, 11:00 fired, "
          "12:00 fired");
    CHECK(t.db.query("SELECT string_agg(meta->>'slot', ' ' ORDER BY id) FROM queue.jobs "
                     "WHERE meta->>'schedule' = 's'") ==
          "2030-01-01T09:00:00Z 2030-01-01T10:00:00Z 2030-01-01T11:00:00Z 2030-01-01T12:00:00Z");
}

TEST_CASE("misfire: years of missed seconds cost no time") {
    rig t;
    schedule(t, "s", "* * * * * *", "00:00");
    t.db.execute("UPDATE queue.schedule SET next_at = '2010-01-01'");
    CHECK(fire(t, "00:00:00") == "1 1 0");
    CHECK(next_at(t, "s") == "01-01 00:00:01");
}

TEST_CASE("overlap forbid: no firing while the job of the last one is not finished") {
    rig t;
    schedule(t, "s", "0 * * * *", "09:30", "overlap => 'forbid'");

    CHECK(fire(t, "10:00") == "1 0 0");
    CHECK(fire(t, "11:00") == "0 1 0");
    CHECK_THROWS_WITH(t.db.execute("SELECT queue.run_schedule_now('s')"),
                      doctest::Contains("job 1 of its last run is not finished"));
    t.db.execute("SELECT queue.cancel(1)");
    CHECK(fire(t, "12:00") == "1 0 0");
    t.db.execute("DELETE FROM queue.job");  // As retention does.
    CHECK(fire(t, "13:00") == "1 0 0");
    CHECK(runs(t, "s") == "10:00 fired, 11:00 overlap, 12:00 fired, 13:00 fired");
}

TEST_CASE("set anew as it was: no slot is lost, none doubled") {
    rig t;
    schedule(t, "s", "0 * * * *", "09:30");
    t.db.execute("SELECT queue.schedule('s', ' 0  * * * * ', 'tick', '{\"new\": 1}')");
    CHECK(next_at(t, "s") == "01-01 10:00:00");
    CHECK(fire(t, "10:00") == "1 0 0");
    CHECK(t.db.query("SELECT payload FROM queue.jobs") == R"({"new": 1})");

    // Another expression counts from now on; the database's now is before 2030.
    t.db.execute("SELECT queue.schedule('s', '30 * * * *', 'tick')");
    CHECK(t.db.query("SELECT next_at - clock_timestamp() <= '1 hour' FROM queue.schedules") == "t");
    CHECK(t.db.query("SELECT count(*) FROM queue.schedules") == "1");
}

TEST_CASE("pause and resume: slots of the pause never fire; run now works meanwhile") {
    rig t;
    schedule(t, "s", "0 * * * *", "09:30");
    t.db.execute("SELECT queue.pause_schedule('s')");
    CHECK(fire(t, "23:00") == "0 0 0");
    CHECK(t.db.query("SELECT paused FROM queue.schedules") == "t");
    CHECK(t.db.query("SELECT count(*) FROM queue.next_firings('s', 4)") == "4");

    CHECK(t.db.query("SELECT queue.run_schedule_now('s')") == "1");
    CHECK(t.db.query("SELECT outcome, job_id FROM queue.schedule_runs") == "manual");

    // Set anew it stays paused.
    t.db.execute("SELECT queue.schedule('s', '0 1 * * *', 'tick')");
    CHECK(t.db.query("SELECT next_at IS NULL FROM queue.schedules") == "t");
    t.db.execute("SELECT queue.resume_schedule('s')");
    CHECK(t.db.query("SELECT next_at > clock_timestamp() AND NOT paused FROM queue.schedules") ==
          "t");
}

TEST_CASE("resume of one that is not paused keeps a slot that is due") {
    rig t;
    schedule(t, "s", "0 * * * *", "09:30");
    t.db.execute("SELECT queue.resume_schedule('s')");
    CHECK(next_at(t, "s") == "01-01 10:00:00");
}

TEST_CASE("names are one tenant's; unschedule takes the history along and leaves the jobs") {
    rig t;
    const std::string tenant{"tenant_id => '11111111-2222-3333-4444-555555555555'"};
    schedule(t, "s", "0 * * * *", "09:30");
    schedule(t, "s", "0 * * * *", "09:30", tenant);
    CHECK(fire(t, "10:00") == "2 0 0");

    CHECK(t.db.query("SELECT queue.unschedule('s', " + tenant + ")") == "t");
    CHECK(t.db.query("SELECT queue.unschedule('s', " + tenant + ")") == "f");
    CHECK(t.db.query("SELECT count(*) FROM queue.schedule_run") == "1");
    CHECK(jobs(t) == "2");
}

TEST_CASE("two sessions fire side by side: each slot once") {
    rig t;
    for (int i = 0; i < 20; ++i) {
        schedule(t, "s" + std::to_string(i), "0 * * * *", "09:30");
    }
    test::connection one{t.db.dsn()};
    test::connection other{t.db.dsn()};
    const std::string call{
        "SELECT fired FROM queue.fire_schedules('2030-01-01 10:00+00', '1 min', "};

    one.execute("BEGIN");
    CHECK(one.query(call + "8)") == "8");
    CHECK(other.query(call + "50)") == "12");
    one.execute("COMMIT");
    CHECK(other.query(call + "50)") == "0");
    CHECK(jobs(t) == "20");
}

TEST_CASE("a firing that is rolled back has not happened and happens again") {
    rig t;
    schedule(t, "s", "0 * * * *", "09:30");
    {
        test::connection dies{t.db.dsn()};
        dies.execute("BEGIN");
        CHECK(dies.query("SELECT fired FROM queue.fire_schedules('2030-01-01 10:00+00')") == "1");
    }
    CHECK(test::wait_until([&] { return fire(t, "10:00") == "1 0 0"; }));
    CHECK(runs(t, "s") == "10:00 fired");
    CHECK(jobs(t) == "1");
}

TEST_CASE("the clock set back and the schedule set anew: no slot fires twice") {
    rig t;
    schedule(t, "s", "0 * * * *", "09:30");
    CHECK(fire(t, "10:00") == "1 0 0");
    t.db.execute("UPDATE queue.schedule SET next_at = '2030-01-01 10:00+00'");
    CHECK(fire(t, "10:00:05") == "0 0 0");
    CHECK(jobs(t) == "1");
    CHECK(next_at(t, "s") == "01-01 11:00:00");
}

TEST_CASE("a schedule that cannot fire says so and keeps no other from firing") {
    rig t;
    schedule(t, "bad", "0 * * * *", "09:30", "payload => '{\"long\": \"payload\"}'");
    schedule(t, "good", "0 * * * *", "09:30");
    t.db.execute("UPDATE queue.queue SET max_payload_bytes = 8");

    CHECK(fire(t, "10:00") == "1 0 1");
    CHECK(t.db.query("SELECT error LIKE 'payload: expected at most 8 bytes%' FROM queue.schedules "
                     "WHERE name = 'bad'") == "t");
    CHECK(runs(t, "bad") == "10:00 failed");
    CHECK(next_at(t, "bad") == "01-01 11:00:00");

    t.db.execute("UPDATE queue.queue SET max_payload_bytes = 800");
    CHECK(fire(t, "11:00") == "2 0 0");
    CHECK(t.db.query("SELECT count(*) FROM queue.schedules WHERE error IS NULL") == "2");
}

TEST_CASE("a zone that the server no longer knows stops its schedule with an error, no other") {
    rig t;
    schedule(t, "lost", "0 * * * *", "09:30");
    schedule(t, "good", "0 * * * *", "09:30");
    t.db.execute("UPDATE queue.schedule SET timezone = 'Gone/Zone' WHERE name = 'lost'");

    CHECK(fire(t, "10:00") == "1 0 1");
    CHECK(t.db.query("SELECT next_at IS NULL AND error LIKE '%Gone/Zone%' FROM queue.schedules "
                     "WHERE name = 'lost'") == "t");
    t.db.execute("SELECT queue.schedule('lost', '0 * * * *', 'tick')");
    CHECK(t.db.query("SELECT next_at IS NOT NULL AND error IS NULL FROM queue.schedules "
                     "WHERE name = 'lost'") == "t");
}

TEST_CASE("the history of a schedule keeps its latest hundred runs") {
    rig t;
    schedule(t, "s", "* * * * *", "00:00", "misfire => 'backfill(1000)'");
    CHECK(fire(t, "16:40") == "1000 0 0");
    CHECK(t.db.query("SELECT count(*), min(slot) FROM queue.schedule_runs") == "100");
    CHECK(t.db.query("SELECT max(slot) FROM queue.schedule_runs") == "2030-01-01 16:40:00+00");
}

TEST_CASE("under a held snapshot what was fired before is stepped over per round, not per call") {
    rig t;
    test::connection on{t.db.dsn()};
    on.execute(
        "SELECT count(queue.schedule('s' || n, '* * * * *', 'tick')) FROM generate_series(1, 500) "
        "n; UPDATE queue.schedule SET next_at = '2030-01-01 10:00+00'");
    test::connection holder{t.db.dsn()};
    holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM queue.schedule");
    const auto entries = [&](const char* what) {
        on.execute("SELECT pg_stat_force_next_flush()");
        return std::stoll(on.query(what));
    };
    const char* const index_reads{
        "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = "
        "'schedule_next_at_idx'"};
    const char* const table_reads{
        "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'schedule'"};
    const auto seq_before = entries(table_reads);

    std::int64_t before = 0;
    std::int64_t last_round = 0;
    for (int minute = 0; minute < 10; ++minute) {
        before = entries(index_reads);
        std::string behind{"'-infinity', 0"};
        for (;;) {
            const auto row =
                on.rows(
                      "SELECT fired, last_at, last_id FROM queue.fire_schedules('2030-01-01 "
                      "10:00+00'::timestamptz + $1 * interval '1 minute', '1 minute', 50, " +
                          behind + ")",
                      {std::to_string(minute)})
                    .at(0);
            if (row.at(0) == "0" && behind == "'-infinity', 0") {
                break;
            }
            behind = row.at(0) == "0" ? "'-infinity', 0"
                                      : "'" + row.at(1).value() + "', " + row.at(2).value();
        }
        last_round = entries(index_reads) - before;
    }
    CHECK(jobs(t) == "5000");
    // 4,500 dead entries by then: stepped over by three of the twelve calls, not by each.
    MESSAGE(last_round << " index entries read");
    CHECK(last_round < 4 * 4'500);
    CHECK(entries(table_reads) == seq_before);
}

TEST_CASE("refused with the argument's name, and nothing is there afterwards") {
    const rig t;
    const auto refusal = [&](const std::string& arguments) {
        try {
            t.db.execute("SELECT queue.schedule(" + arguments + ")");
        } catch (const test::sql_error& what) {
            return what.sqlstate() + " " + what.what();
        }
        return std::string{};
    };
    const std::vector<std::pair<std::string, std::string>> cases{
        {"NULL, '* * * * *', 'k'", "LQ001 ERROR:  name: expected 1 to 128"},
        {"repeat('n', 129), '* * * * *', 'k'", "LQ001 ERROR:  name: expected 1 to 128"},
        {"E'a\\nb', '* * * * *', 'k'", "LQ001 ERROR:  name: expected 1 to 128"},
        {"'s', '0 0 30 2 *', 'k'", "LQ001 ERROR:  cron: day of month: expected a day that"},
        {"'s', NULL, 'k'", "LQ001 ERROR:  cron: expression: expected 1 to 256 bytes"},
        {"'s', repeat('1,', 40000), 'k'", "LQ001 ERROR:  cron: expression: expected 1 to 256"},
        {"'s', '* * * * *', 'k', timezone => 'Mars/Base'", "LQ001 ERROR:  timezone: expected"},
        {"'s', '* * * * *', 'k', timezone => NULL", "LQ001 ERROR:  timezone: expected"},
        {"'s', '* * * * *', 'No Kind'", "LQ001 ERROR:  kind: expected 1 to 64"},
        {"'s', '* * * * *', 'k', NULL", "LQ008 ERROR:  payload: expected JSON"},
        {"'s', '* * * * *', 'k', queue => 'none'", "LQ002 ERROR:  unknown queue 'none'"},
        {"'s', '* * * * *', 'k', misfire => 'later'", "LQ001 ERROR:  misfire: expected skip"},
        {"'s', '* * * * *', 'k', misfire => 'backfill(0)'", "LQ001 ERROR:  misfire: expected"},
        {"'s', '* * * * *', 'k', misfire => 'backfill(1001)'", "LQ001 ERROR:  misfire: expected"},
        {"'s', '* * * * *', 'k', misfire => NULL", "LQ001 ERROR:  misfire: expected skip"},
        {"'s', '* * * * *', 'k', overlap => 'maybe'", "LQ001 ERROR:  overlap: expected allow"},
        {"'s', '* * * * *', 'k', priority => 99999", "LQ001 ERROR:  priority: expected"},
        {"'s', '* * * * *', 'k', max_attempts => 99999", "LQ001 ERROR:  max_attempts: expected"},
        {"'s', '* * * * *', 'k', meta => '[]'", "LQ001 ERROR:  meta: expected a JSON object"},
        {"'s', '* * * * *', 'k', misfire_grace => '2 h'", "LQ001 ERROR:  misfire_grace: expected"},
        {"'s', '* * * * *', 'k', to_jsonb(repeat(md5('x'), 300000))", "LQ003 ERROR:  payload:"},
    };
    for (const auto& [arguments, expected] : cases) {
        CAPTURE(arguments);
        const std::string said = refusal(arguments);
        CHECK_MESSAGE(said.starts_with(expected), said);
    }
    CHECK(t.db.query("SELECT count(*) FROM queue.schedule") == "0");
    for (const std::string call : {"pause_schedule('no')", "resume_schedule('no')",
                                   "run_schedule_now('no')", "next_firings('no')"}) {
        CHECK_THROWS_WITH(t.db.execute("SELECT queue." + call),
                          doctest::Contains("no schedule 'no'"));
    }
}

TEST_CASE("a worker fires in time, and learns of a new schedule while it sleeps") {
    rig t;
    auto options = t.options();
    options.heartbeat = 2s;
    options.lease = test::scaled(10s);
    const auto worker = t.start({noop("tick")}, options);
    REQUIRE(t.seen.wait_for(event_type::worker_ready));

    t.db.execute("SELECT queue.schedule('s', '* * * * * *', 'tick')");
    REQUIRE(t.seen.wait_for(event_type::schedules_fired, 3));
    worker->stop();

    CHECK(t.db.query("SELECT count(*) >= 3 AND count(DISTINCT slot) = count(*) "
                     "AND max(slot) - min(slot) = (count(*) - 1) * interval '1 s' "
                     "FROM queue.schedule_runs WHERE outcome = 'fired'") == "t");
    const auto lateness =
        std::stod(t.db.query("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY "
                             "extract(epoch FROM lateness)) FROM queue.schedule_runs"));
    MESSAGE("median lateness: " << lateness * 1000 << " ms");
    CHECK(lateness < 0.25);
}

TEST_CASE("several workers and a schedule of every second: each slot once") {
    rig t;
    for (int i = 0; i < 10; ++i) {
        t.db.execute("SELECT queue.schedule($1, '* * * * * *', 'tick')", {"s" + std::to_string(i)});
    }
    {
        std::vector<std::unique_ptr<libqueue::worker>> workers;
        for (int i = 0; i < 4; ++i) {
            workers.push_back(t.start({noop("tick")}));
        }
        REQUIRE(test::wait_until(
            [&] { return t.db.query("SELECT min(runs) >= 4 FROM queue.schedules") == "t"; }));
    }
    CHECK(t.db.query("SELECT count(*) FROM queue.jobs") ==
          t.db.query("SELECT sum(runs) FROM queue.schedules"));
    CHECK(t.db.query("SELECT count(*) FROM (SELECT meta->>'schedule', meta->>'slot' FROM queue.job "
                     "GROUP BY 1, 2 HAVING count(*) > 1) twice") == "0");
    CHECK(t.db.query(
              "SELECT bool_and(seen = runs) FROM (SELECT s.runs, (SELECT count(*) FROM "
              "queue.schedule_run r WHERE r.schedule_id = s.id AND extract(epoch FROM r.slot)"
              " = trunc(extract(epoch FROM r.slot))) AS seen FROM queue.schedules s) x") == "t");
    CHECK(t.db.query("SELECT bool_and(slots = seen) FROM (SELECT count(*) AS seen, "
                     "extract(epoch FROM max(slot) - min(slot)) + 1 AS slots "
                     "FROM queue.schedule_runs GROUP BY name) x") == "t");
}

TEST_CASE("a schedule that cannot fire is reported by the worker") {
    rig t;
    t.db.execute("SELECT queue.schedule('bad', '* * * * * *', 'tick', '{\"long\": \"payload\"}')");
    t.db.execute("UPDATE queue.queue SET max_payload_bytes = 8");
    const auto worker = t.start({noop("tick")});
    CHECK(t.seen.wait_for(event_type::schedule_failed, [](const test::recorded_event& e) {
        return e.message.find("schedule 'bad': payload: expected") == 0;
    }));
}

TEST_SUITE_END();
