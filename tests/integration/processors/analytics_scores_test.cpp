#include "analytics_bench.hpp"
#include "support/process.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using test::analytics_bench;

/// What the oracle makes of `json`: a line per result.
std::string oracle(const std::string& subject, const std::string& json) {
    const auto script = test::source_dir() / "tests/integration/processors/analytics_oracle.py";
    test::process_options options{"/usr/bin/python3", {script.string(), subject}};
    options.stdin_text = json;
    const auto said = test::run_command(options);
    REQUIRE_MESSAGE(said.code == 0, said.errors);
    return said.output.substr(0, said.output.find_last_not_of('\n') + 1);
}

std::string lines_of(const std::vector<test::row>& rows) {
    std::vector<std::string> sorted;
    for (const auto& row : rows) {
        sorted.push_back(row.at(0).value_or(""));
    }
    std::sort(sorted.begin(), sorted.end());
    std::string lines;
    for (const auto& line : sorted) {
        lines += lines.empty() ? "" : "\n";
        lines += line;
    }
    return lines;
}

constexpr const char* as_of = "2026-06-30 12:00:00+00";

std::string scores_of(const analytics_bench& bench) {
    bench.db.execute("SELECT analytics.compute_scores($1::uuid, $2::timestamptz)",
                     {test::no_tenant, as_of});
    return lines_of(bench.db.rows(
        "SELECT concat_ws(' ', replace(customer::text, '-', ''), currency, days_since_last, "
        "recency, frequency, money, replace(segment, ' ', '_'), churn, lifetime_value) "
        "FROM analytics.score"));
}

}  // namespace

TEST_SUITE("analytics: scores") {
    TEST_CASE("worked example: five customers, one in each fifth") {
        analytics_bench bench;
        // Customer n bought n times, n x 10.00 in all, the last time (6 - n) x 40 days ago.
        bench.db.execute(
            "INSERT INTO analytics.customer SELECT $1::uuid, lpad(n::text, 32, '0')::uuid, 'EUR', "
            "$2::timestamptz - interval '2 years', "
            "$2::timestamptz - (6 - n) * interval '40 days', n, 1000 * n "
            "FROM generate_series(1, 5) n",
            {test::no_tenant, as_of});
        const std::string zeros(31, '0');
        // 2 years are 730 of 365.25 days: 1000 x 3 / 1.99863... = 1501 and multiples.
        CHECK(scores_of(bench) == zeros + "1 EUR 200 1 1 1 Lost 0.800 1501\n" + zeros +
                                      "2 EUR 160 2 2 2 Hibernating 0.570 3002\n" + zeros +
                                      "3 EUR 120 3 3 3 Promising 0.540 4503\n" + zeros +
                                      "4 EUR 80 4 4 4 Champions 0.340 6004\n" + zeros +
                                      "5 EUR 40 5 5 5 Champions 0.160 7505");
        CHECK(bench.db.query("SELECT string_agg(segment || ' ' || customers, ', ' "
                             "ORDER BY segment) FROM analytics.segments") ==
              "Champions 2, Hibernating 1, Lost 1, Promising 1");
    }

    TEST_CASE("equal customers are scored equally, and one alone is in the first fifth") {
        analytics_bench bench;
        bench.db.execute(
            "INSERT INTO analytics.customer SELECT $1::uuid, lpad(n::text, 32, '0')::uuid, "
            "CASE WHEN n = 10 THEN 'USD' ELSE 'EUR' END, $2::timestamptz - interval '20 days', "
            "$2::timestamptz - interval '10 days', 1, 500 FROM generate_series(1, 10) n",
            {test::no_tenant, as_of});
        scores_of(bench);
        CHECK(bench.db.query("SELECT string_agg(DISTINCT concat_ws(' ', recency, frequency, "
                             "money), ', ') FROM analytics.score") == "1 1 1");
    }

    TEST_CASE("churn by days, and less with every order") {
        analytics_bench bench;
        const auto churn = [&](const char* days, const char* orders) {
            return bench.db.query("SELECT analytics.churn($1::integer, $2::bigint)",
                                  {days, orders});
        };
        CHECK(churn("0", "1") == "0.100");
        CHECK(churn("30", "1") == "0.100");
        CHECK(churn("31", "1") == "0.200");
        CHECK(churn("61", "1") == "0.400");
        CHECK(churn("91", "1") == "0.600");
        CHECK(churn("180", "1") == "0.600");
        CHECK(churn("181", "1") == "0.800");
        CHECK(churn("181", "3") == "0.720");
        CHECK(churn("181", "11") == "0.400");
        CHECK(churn("181", "500") == "0.400");
    }

    TEST_CASE("lifetime value: average order x orders a year x 3, of at least a year") {
        analytics_bench bench;
        const auto value = [&](const char* amount, const char* first_at) {
            return bench.db.query(
                "SELECT analytics.lifetime_value($1::numeric, 4, $2::timestamptz, "
                "timestamptz '2026-01-01 00:00:00+00')",
                {amount, first_at});
        };
        CHECK(value("10000", "2025-12-01 00:00:00+00") == "30000");
        CHECK(value("10000", "2024-01-01 00:00:00+00") == "14990");  // 731 / 365.25 years
        CHECK(value("10000", "2022-01-01 00:00:00+00") == "7500");   // 1461 / 365.25
    }

    TEST_CASE("random customers: as the independent computation has it") {
        analytics_bench bench;
        bench.db.execute(
            "SELECT setseed(0.42); INSERT INTO analytics.customer "
            "SELECT '00000000-0000-0000-0000-000000000000', md5(n::text)::uuid, "
            "(ARRAY['EUR', 'USD', 'EUR'])[1 + n % 3], last_at - random() * 900 * interval '1 day', "
            "last_at, (1 + floor(14 * random() ^ 3))::bigint, floor(random() * 2000) * 50 "
            "FROM (SELECT n, timestamptz '2026-06-30 12:00:00+00' - floor(random() * 260) * "
            "interval '1 day' AS last_at FROM generate_series(1, 700) n) x");
        const auto customers = bench.db.query(
            "SELECT jsonb_build_object('as_of', extract(epoch FROM $1::timestamptz)::bigint * "
            "1000000, 'customers', jsonb_agg(jsonb_build_object("
            "'customer', replace(customer::text, '-', ''), 'currency', currency, "
            "'first_at', (extract(epoch FROM first_at) * 1000000)::bigint, "
            "'last_at', (extract(epoch FROM last_at) * 1000000)::bigint, "
            "'orders', orders, 'amount', amount))) FROM analytics.customer",
            {as_of});

        const auto expected = oracle("scores", customers);
        CHECK(scores_of(bench) == expected);
        // All nine segments occur, or the comparison would say less than it seems to.
        CHECK(bench.db.query("SELECT count(DISTINCT segment) FROM analytics.score") == "9");
    }

    TEST_CASE("the job scores its tenant; for all, each tenant has a job; again changes nothing") {
        analytics_bench bench;
        bench.db.execute(
            "INSERT INTO analytics.customer SELECT t, md5(n::text)::uuid, 'EUR', now(), now(), 1, "
            "n FROM generate_series(1, 10) n, unnest(ARRAY[$1::uuid, $2::uuid]) t",
            {test::no_tenant, "aaaaaaaa-0000-0000-0000-000000000001"});
        bench.start();

        const auto one =
            bench.run("analytics.scores", "{}", "aaaaaaaa-0000-0000-0000-000000000001");
        CHECK(one.output == R"({"customers": 10})");
        const auto all = bench.run("analytics.scores", R"({"tenants": "all"})");
        CHECK(all.state == libqueue::job_state::completed);
        const auto jobs = bench.db.rows(
            "SELECT id FROM queue.jobs WHERE kind = 'analytics.scores' AND id > $1::bigint",
            {std::to_string(all.id)});
        REQUIRE(jobs.size() == 2);
        for (const auto& job : jobs) {
            CHECK(bench.finished(std::stoll(job.at(0).value())).output == R"({"customers": 10})");
        }
        CHECK(bench.db.query("SELECT count(*) FROM analytics.score") == "20");
        CHECK(bench.run("analytics.scores", R"({"tenants": "some"})").state ==
              libqueue::job_state::dead);
    }
}

TEST_SUITE("analytics: attribution") {
    TEST_CASE("worked example: 100.00 over three touches of three channels") {
        analytics_bench bench;
        // A visit by search 14 days before, one by mail 7 days before, the purchase came direct.
        bench.db.execute(
            "SELECT analytics.ingest(array_fill($1::uuid, ARRAY[3]), "
            "ARRAY[md5('a'), md5('b'), md5('c')]::uuid[], "
            "ARRAY[86400000000, 691200000000, 1296000000000], ARRAY[3, 3, 1]::smallint[], "
            "'{1,1,1}', '{0,0,10000}', array_fill(md5('me')::uuid, ARRAY[3]), '{\"\",\"\",\"\"}', "
            "'{paid_search,email,direct}', '{\"\",\"\",EUR}', '{NULL,NULL,o1}')",
            {test::no_tenant});
        CHECK(bench.db.query("SELECT analytics.attribute($1::uuid, '1970-01-01', '1970-02-01')",
                             {test::no_tenant}) == "1");

        const auto shares = [&](const char* model) {
            return bench.db.query(
                "SELECT string_agg(channel || ' ' || amount, ', ' ORDER BY channel) "
                "FROM analytics.attribution_share WHERE model = $1",
                {model});
        };
        CHECK(shares("first") == "paid_search 10000");
        CHECK(shares("last") == "direct 10000");
        CHECK(shares("linear") == "direct 3334, email 3333, paid_search 3333");
        // 1/4, 1/2, 1 of 7/4.
        CHECK(shares("time_decay") == "direct 5714, email 2857, paid_search 1429");
        // .25, .15, .10 of .50.
        CHECK(shares("channel") == "direct 2000, email 3000, paid_search 5000");
    }

    TEST_CASE("random journeys: as the independent computation has it, exact to the last cent") {
        analytics_bench bench;
        // Times in steps of six hours, so that many touches are at the same moment.
        bench.db.execute(
            "SELECT setseed(0.17); SELECT analytics.ingest("
            "array_agg('00000000-0000-0000-0000-000000000000'::uuid), "
            "array_agg(md5(n::text)::uuid), "
            "array_agg(at), array_agg(type), array_agg(1), "
            "array_agg(CASE WHEN type = 1 THEN amount ELSE 0 END), array_agg(customer), "
            "array_agg(''::text), array_agg(channel), "
            "array_agg(CASE WHEN type = 1 THEN 'EUR' ELSE '' END), "
            "array_agg(NULL::text)) FROM (SELECT n, floor(random() * 160)::bigint * 21600000000 "
            "AS at, (ARRAY[1, 2, 3, 3, 3, 3, 4, 4])[1 + floor(random() * 8)::int]::smallint AS "
            "type, floor(random() * 30000)::bigint AS amount, CASE WHEN random() < 0.95 THEN "
            "md5(floor(random() * 90)::text)::uuid END AS customer, (ARRAY['organic', "
            "'paid_search', 'social', 'email', 'direct', 'affiliate', ''])[1 + floor(random() * "
            "7)::int] AS channel FROM generate_series(1, 2500) n) x");
        bench.db.execute("SELECT analytics.attribute($1::uuid, '1970-01-01', '1970-03-01')",
                         {test::no_tenant});

        const auto expected = oracle(
            "attribution",
            bench.db.query("SELECT jsonb_build_object('events', jsonb_agg(jsonb_build_object("
                           "'key', replace(event_key::text, '-', ''), 'type', type, 'at', "
                           "(extract(epoch FROM occurred_at) * 1000000)::bigint, 'amount', amount, "
                           "'customer', customer, 'channel', channel))) FROM analytics.event"));
        CHECK(lines_of(bench.db.rows(
                  "SELECT concat_ws(' ', replace(event_key::text, '-', ''), model, channel, "
                  "amount) FROM analytics.attribution_share")) == expected);
        CHECK(bench.db.query(
                  "SELECT count(*) FROM analytics.event e CROSS JOIN (SELECT DISTINCT model FROM "
                  "analytics.attribution_share) m WHERE e.type = 1 AND e.amount <> (SELECT "
                  "sum(s.amount) FROM analytics.attribution_share s WHERE s.event_key = "
                  "e.event_key AND s.model = m.model)") == "0");
        CHECK(std::stoi(bench.db.query("SELECT count(DISTINCT event_key) FROM "
                                       "analytics.attribution_share")) > 200);
    }

    TEST_CASE("the job credits the latest days and, run again, changes nothing") {
        analytics_bench bench;
        bench.start();
        REQUIRE(bench
                    .run("analytics.event",
                         R"({"type": "ticket-purchase", "amount": 999, "currency": "EUR"})")
                    .state == libqueue::job_state::completed);
        for (int again = 0; again < 2; ++again) {
            CHECK(bench.run("analytics.attribution", "{}").output == R"({"purchases": 1})");
            CHECK(
                bench.db.query("SELECT string_agg(concat_ws(' ', model, channel, amount, "
                               "round(orders)), ', ' ORDER BY model) FROM analytics.attribution") ==
                "channel direct 999 1, first direct 999 1, last direct 999 1, "
                "linear direct 999 1, time_decay direct 999 1");
        }
        CHECK(bench.run("analytics.attribution", R"({"days": 99})").state ==
              libqueue::job_state::dead);
    }
}
