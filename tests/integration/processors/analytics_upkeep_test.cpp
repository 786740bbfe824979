#include "analytics_bench.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using libqueue::job_state;
using test::analytics_bench;

/// `count` page views in the hour that begins at `hour`.
void count_views(const analytics_bench& bench, const std::string& hour, int count) {
    bench.db.execute(
        "SELECT analytics.ingest(array_fill($1::uuid, ARRAY[$3::int]), "
        "array_agg(gen_random_uuid()), array_fill((extract(epoch FROM $2::timestamptz) * "
        "1000000)::bigint, ARRAY[$3::int]), array_fill(3::smallint, ARRAY[$3::int]), "
        "array_fill(1, ARRAY[$3::int]), array_fill(0::bigint, ARRAY[$3::int]), "
        "array_fill(NULL::uuid, ARRAY[$3::int]), array_fill('v1'::text, ARRAY[$3::int]), "
        "array_fill(''::text, ARRAY[$3::int]), array_fill(''::text, ARRAY[$3::int]), "
        "array_fill(NULL::text, ARRAY[$3::int])) FROM generate_series(1, $3::int)",
        {test::no_tenant, hour, std::to_string(count)});
}

void set_rule(const analytics_bench& bench, const std::string& name, const std::string& condition,
              const std::string& span, const std::string& value,
              const std::string& direction = "above") {
    bench.db.execute(
        "SELECT analytics.set_alert_rule(NULL, $1, 'page-view', $2, $3::interval, $4::numeric, "
        "'[{\"kind\": \"email.send\", \"payload\": {\"to\": \"ops@example.com\", \"subject\": "
        "\"{{rule}}\", \"text\": \"{{measure}} {{value}}, not {{expected}}, in {{span}} to "
        "{{at}}\"}}]', direction => $5)",
        {name, condition, span, value, direction});
}

std::string check_at(const analytics_bench& bench, const std::string& at) {
    return bench.db.query("SELECT analytics.check_alerts(NULL, $1::timestamptz)", {at});
}

}  // namespace

TEST_SUITE("analytics: alerts") {
    TEST_CASE("a threshold fires its actions once, and again after the cool-down") {
        analytics_bench bench;
        bench.start();
        set_rule(bench, "busy", "threshold", "1 hour", "10");
        count_views(bench, "2026-06-01 10:00:00+00", 10);
        CHECK(check_at(bench, "2026-06-01 10:30:00+00") == "0");

        count_views(bench, "2026-06-01 10:20:00+00", 1);
        CHECK(check_at(bench, "2026-06-01 10:30:00+00") == "1");
        CHECK(bench.db.query("SELECT payload->>'subject' || ': ' || (payload->>'text') FROM "
                             "queue.jobs WHERE kind = 'email.send'") ==
              "busy: events 11, not 10, in 1h to 2026-06-01T10:30:00Z");
        CHECK(bench.db.query("SELECT concat_ws(' ', rule, value, expected, cardinality(jobs)) "
                             "FROM analytics.alert") == "busy 11 10 1");
        CHECK(check_at(bench, "2026-06-01 10:31:00+00") == "0");
        count_views(bench, "2026-06-01 11:00:00+00", 11);
        CHECK(check_at(bench, "2026-06-01 11:30:00+00") == "1");
        CHECK(bench.db.query("SELECT analytics.acknowledge_alert(min(id)) FROM analytics.alert") ==
              "t");
        CHECK(bench.db.query("SELECT analytics.acknowledge_alert(min(id)) FROM analytics.alert") ==
              "f");
    }

    TEST_CASE("below: silence is seen as well") {
        analytics_bench bench;
        bench.start();
        set_rule(bench, "quiet", "threshold", "24 hours", "5", "below");
        count_views(bench, "2026-06-01 10:00:00+00", 5);
        CHECK(check_at(bench, "2026-06-01 12:00:00+00") == "0");
        CHECK(check_at(bench, "2026-06-02 12:00:00+00") == "1");
    }

    TEST_CASE("a trend is the change against the span before, in percent") {
        analytics_bench bench;
        bench.start();
        set_rule(bench, "rising", "trend", "24 hours", "50");
        count_views(bench, "2026-06-02 10:00:00+00", 10);
        CHECK(check_at(bench, "2026-06-02 12:00:00+00") == "0");  // from nothing: no percentage
        count_views(bench, "2026-06-03 10:00:00+00", 15);
        CHECK(check_at(bench, "2026-06-03 12:00:00+00") == "0");  // 50 %, not more
        count_views(bench, "2026-06-03 10:00:00+00", 1);
        CHECK(check_at(bench, "2026-06-03 12:00:00+00") == "1");
    }

    TEST_CASE("an anomaly is a standard score against the same hour of the days before") {
        analytics_bench bench;
        bench.start();
        set_rule(bench, "odd", "anomaly", "1 hour", "3");
        // 10, 12, 10, 12, ...: mean 11, sample deviation of fourteen 1.0377.
        for (int day = 1; day <= 14; ++day) {
            count_views(bench, "2026-06-" + std::to_string(day) + " 10:00:00+00",
                        day % 2 == 0 ? 12 : 10);
        }
        count_views(bench, "2026-06-15 10:00:00+00", 14);
        CHECK(check_at(bench, "2026-06-15 11:10:00+00") == "0");  // z = 2.89
        count_views(bench, "2026-06-15 10:00:00+00", 1);
        CHECK(check_at(bench, "2026-06-15 11:10:00+00") == "1");  // z = 3.85
        CHECK(bench.db.query("SELECT value || ' ' || expected FROM analytics.alert") == "15 11.00");
    }

    TEST_CASE("an anomaly needs five spans of history") {
        analytics_bench bench;
        bench.start();
        set_rule(bench, "odd", "anomaly", "1 hour", "3");
        for (int day = 11; day <= 14; ++day) {
            count_views(bench, "2026-06-" + std::to_string(day) + " 10:00:00+00", 10);
        }
        count_views(bench, "2026-06-15 10:00:00+00", 500);
        CHECK(check_at(bench, "2026-06-15 11:10:00+00") == "0");
    }

    TEST_CASE("a rule that cannot fire says why and does not keep others from firing") {
        analytics_bench bench;
        bench.start();
        set_rule(bench, "first", "threshold", "1 hour", "0");
        set_rule(bench, "second", "threshold", "1 hour", "0");
        bench.db.execute(
            "UPDATE analytics.alert_rule SET actions = '[{\"kind\": \"email send\", \"payload\": "
            "{}}]' WHERE name = 'first'");
        count_views(bench, "2026-06-01 10:00:00+00", 1);

        CHECK(check_at(bench, "2026-06-01 10:30:00+00") == "1");
        CHECK(bench.db.query("SELECT rule FROM analytics.alert") == "second");
        CHECK(bench.db.query("SELECT error FROM analytics.alert_rule WHERE name = 'first'")
                  .find("kind: expected") != std::string::npos);
    }

    TEST_CASE("two evaluations at once fire once; a job that fires does so with its finish") {
        analytics_bench bench;
        bench.start();
        set_rule(bench, "busy", "threshold", "24 hours", "0");
        count_views(bench, bench.db.query("SELECT date_trunc('hour', now()) - interval '1 hour'"),
                    1);
        test::connection first{bench.db.dsn()};
        first.execute("BEGIN");
        CHECK(first.query("SELECT analytics.check_alerts()") == "1");
        CHECK(bench.db.query("SELECT analytics.check_alerts()") == "0");
        first.execute("ROLLBACK");

        CHECK(bench.run("analytics.alerts", "{}").state == job_state::completed);
        CHECK(bench.db.query("SELECT count(*) FROM analytics.alert") == "1");
        CHECK(bench.db.query("SELECT count(*) FROM queue.jobs WHERE kind = 'email.send'") == "1");
    }

    TEST_CASE("an action may be a text to Slack, which says when it wants the next") {
        analytics_bench bench;
        test::http_reply busy{429};
        busy.headers.emplace_back("retry-after", "0");
        bench.slack.reply_in_turn({busy, test::http_reply{200}});
        bench.start();
        bench.db.execute(
            "SELECT analytics.set_alert_rule(NULL, 'busy', 'page-view', 'threshold', '1 hour', 0, "
            "'[{\"kind\": \"analytics.slack\", \"payload\": {\"text\": \"{{rule}}: "
            "{{value}}\"}}]')");
        count_views(bench, "2026-06-01 10:00:00+00", 1);
        CHECK(check_at(bench, "2026-06-01 10:30:00+00") == "1");

        REQUIRE(bench.slack.wait_for_requests(2));
        CHECK(bench.slack.requests().at(1).body == R"({"text":"busy: 1"})");
        const auto job = std::stoll(bench.db.query("SELECT jobs[1] FROM analytics.alert"));
        CHECK(bench.finished(job).state == job_state::completed);
        bench.slack.reply_in_turn({test::http_reply{404}});
        const auto gone = bench.run("analytics.slack", R"({"text": "x"})");
        CHECK(gone.state == job_state::dead);
        CHECK(gone.last_error.value_or("").find("Slack answered 404") != std::string::npos);
        CHECK(gone.last_error.value_or("").find("secret") == std::string::npos);
    }

    TEST_CASE("rules that make no sense are refused") {
        analytics_bench bench;
        CHECK_THROWS_AS(set_rule(bench, "a", "threshold", "2 hours", "1"), test::sql_error);
        CHECK_THROWS_AS(set_rule(bench, "a", "odd", "1 hour", "1"), test::sql_error);
        CHECK_THROWS_AS(set_rule(bench, "\"}", "threshold", "1 hour", "1"), test::sql_error);
        CHECK_THROWS_AS(set_rule(bench, "a", "anomaly", "1 hour", "0"), test::sql_error);
        CHECK_THROWS_WITH_AS(
            bench.db.execute("SELECT analytics.set_alert_rule(NULL, 'a', 'page-view', 'threshold', "
                             "'1 hour', 1, '[{\"kind\": \"refund.full\", \"payload\": {}}]')"),
            doctest::Contains("actions: expected"), test::sql_error);
        CHECK(bench.db.query("SELECT count(*) FROM analytics.alert_rule") == "0");
    }
}

TEST_SUITE("analytics: retention") {
    TEST_CASE("the job removes what is too old of each size, and days of events whole") {
        analytics_bench bench;
        bench.start();
        const auto ago = [&](const char* interval) {
            return bench.db.query("SELECT now() - $1::interval", {interval});
        };
        for (const char* const age : {"1 hour", "3 days", "20 days", "45 days", "500 days"}) {
            count_views(bench, ago(age), 1);
        }
        bench.db.execute(
            "INSERT INTO analytics.rejected (rejected_at, tenant_id, event_key, type, occurred_at, "
            "reason) SELECT now() - n * interval '20 days', $1::uuid, gen_random_uuid(), 3, now(), "
            "'late' FROM generate_series(1, 2) n",
            {test::no_tenant});

        const auto done = bench.run("analytics.prune", "{}");
        CAPTURE(done.last_error.value_or("no error"));
        CHECK(done.output.value_or("") ==
              R"({"days": 2, "alerts": 0, "shares": 0, "buckets": 8, "rejected": 1})");
        CHECK(
            bench.db.query("SELECT string_agg(minutes || ': ' || n, ', ' ORDER BY minutes) FROM "
                           "(SELECT minutes, count(*) AS n FROM analytics.bucket GROUP BY 1) x") ==
            "1: 1, 5: 2, 60: 4, 1440: 5");
        CHECK(bench.db.query("SELECT count(*) FROM analytics.event") == "3");
    }

    TEST_CASE("nothing is counted for a day that is gone: it is listed") {
        analytics_bench bench;
        bench.start();
        bench.db.execute("UPDATE analytics.setting SET keep_events = '2 days'");
        REQUIRE(bench.run("analytics.prune", "{}").state == job_state::completed);

        const auto event = bench.db.query(
            "SELECT jsonb_build_object('type', 'page-view', 'at', (extract(epoch FROM now() - "
            "interval '4 days') * 1000)::bigint)");
        CHECK(bench.run("analytics.event", event).state == job_state::completed);
        CHECK(bench.counted() == "0");
        CHECK(bench.db.query("SELECT reason || ' ' || events FROM analytics.rejections") ==
              "pruned 1");
    }

    TEST_CASE("the kinds that run by themselves have schedules") {
        analytics_bench bench;
        CHECK(bench.db.query("SELECT string_agg(name, ', ' ORDER BY name) FROM queue.schedules") ==
              "analytics.alerts, analytics.attribution, analytics.prune, analytics.scores");
    }
}
