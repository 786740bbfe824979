#include "analytics_bench.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

namespace {

using libqueue::job_state;
using test::analytics_bench;

constexpr const char* tenant_a = "aaaaaaaa-0000-0000-0000-000000000001";
constexpr const char* tenant_b = "bbbbbbbb-0000-0000-0000-000000000002";

/// Random events of the last two days, `{"events": [...]}`.
std::string random_batch(std::mt19937_64& random, int events) {
    std::string list;
    const auto pick = [&random](int below) {
        return static_cast<int>(random() % static_cast<std::uint64_t>(below));
    };
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    for (int at = 0; at < events; ++at) {
        list += list.empty() ? "" : ", ";
        list += R"({"at": )" + std::to_string(now - pick(172'800'000)) + R"(, "venue": "v)" +
                std::to_string(pick(4)) + R"(", )";
        switch (pick(3)) {
            case 0:
                list += R"("type": "ticket-purchase", "currency": ")" +
                        std::string{pick(2) == 0 ? "EUR" : "USD"} + R"(", "amount": )" +
                        std::to_string(pick(10'000)) + R"(, "quantity": )" +
                        std::to_string(1 + pick(4)) + R"(, "customer": "plain-)" +
                        std::to_string(pick(50)) + R"("})";
                break;
            case 1:
                list += R"("type": "ticket-scan"})";
                break;
            default:
                list += R"("type": "page-view", "customer": "plain-)" + std::to_string(pick(50)) +
                        R"("})";
        }
    }
    return R"({"events": [)" + list + "]}";
}

std::string differences(const analytics_bench& bench) {
    return bench.db.query(
        "SELECT count(*) FROM generate_series(current_date - 3, current_date + 1, '1 day') d, "
        "analytics.check_buckets(d::date)");
}

}  // namespace

TEST_SUITE("analytics: counting") {
    TEST_CASE("all four sizes of bucket equal a plain recount of the payloads") {
        analytics_bench bench;
        std::mt19937_64 random{20261121};
        std::vector<libqueue::job_id> jobs;
        for (int job = 0; job < 40; ++job) {
            jobs.push_back(bench.enqueue("analytics.batch", random_batch(random, 50),
                                         job % 2 == 0 ? tenant_a : tenant_b));
        }
        for (int job = 0; job < 100; ++job) {
            jobs.push_back(bench.enqueue("analytics.event",
                                         R"({"type": "page-view", "venue": "single"})", tenant_a));
        }
        bench.start();
        for (const auto job : jobs) {
            REQUIRE(bench.finished(job).state == job_state::completed);
        }

        for (const int minutes : {1, 5, 60, 1440}) {
            CHECK(bench.counted(minutes) == "2100");
        }
        CHECK(differences(bench) == "0");
        // From what the producers wrote, without anything of ours in between.
        const std::string by_payload =
            "SELECT string_agg(concat_ws(' ', tenant, type, venue, currency, events, quantity, "
            "amount), E'\\n' ORDER BY tenant, type, venue, currency) FROM (";
        CHECK(bench.db.query(
                  by_payload +
                  "SELECT j.tenant_id AS tenant, e->>'type' AS type, e->>'venue' AS venue, "
                  "coalesce(e->>'currency', '') COLLATE \"C\" AS currency, count(*) AS events, "
                  "sum(coalesce((e->>'quantity')::int, 1)) AS quantity, "
                  "sum(coalesce((e->>'amount')::bigint, 0)) AS amount FROM queue.job j, "
                  "jsonb_array_elements(coalesce(j.payload->'events', jsonb_build_array(payload))) "
                  "e GROUP BY 1, 2, 3, 4) x") ==
              bench.db.query(
                  by_payload +
                  "SELECT tenant_id AS tenant, type, venue, currency, sum(events) AS events, "
                  "sum(quantity) AS quantity, sum(amount) AS amount FROM analytics.buckets "
                  "WHERE minutes = 5 GROUP BY 1, 2, 3, 4) x"));
        CHECK(bench.db.query("SELECT sum(orders) FROM analytics.customer") ==
              bench.db.query("SELECT sum(events) FROM analytics.buckets WHERE minutes = 60 "
                             "AND type = 'ticket-purchase'"));
        CHECK(bench.db.query(
                  "SELECT count(*) FROM analytics.event e WHERE e::text LIKE '%plain%'") == "0");
        CHECK(bench.db.query(
                  "SELECT analytics.distinct_customers($1::uuid, 'page-view', now() - interval "
                  "'3 days', now())",
                  {tenant_a}) == "50");
    }

    TEST_CASE("planted: a bucket that is off by one is seen") {
        analytics_bench bench;
        bench.start();
        REQUIRE(bench.run("analytics.event", R"({"type": "page-view"})").state ==
                job_state::completed);
        REQUIRE(differences(bench) == "0");

        bench.db.execute("UPDATE analytics.bucket SET events = 2 WHERE minutes = 5");
        CHECK(differences(bench) == "1");
        bench.db.execute("DELETE FROM analytics.bucket WHERE minutes = 1440");
        CHECK(differences(bench) == "2");
    }

    TEST_CASE("an event id counts once: within a batch, in another job, in a job run again") {
        analytics_bench bench;
        bench.start();
        const std::string twice =
            R"({"events": [{"type": "page-view", "id": "e1"}, {"type": "page-view", "id": "e1"}]})";
        CHECK(bench.run("analytics.batch", twice, tenant_a).state == job_state::completed);
        CHECK(bench.counted() == "1");

        CHECK(
            bench.run("analytics.event", R"({"type": "page-view", "id": "e1"})", tenant_a).state ==
            job_state::completed);
        CHECK(bench.counted() == "1");
        CHECK(
            bench.run("analytics.event", R"({"type": "page-view", "id": "e1"})", tenant_b).state ==
            job_state::completed);
        CHECK(bench.counted() == "2");
        CHECK(bench.db.query("SELECT count(*) FROM analytics.event WHERE event_key = "
                             "analytics.event_key($1::uuid, 'e1')",
                             {tenant_a}) == "1");
    }

    TEST_CASE("a job of which something does not fit is discarded, its neighbours are counted") {
        analytics_bench bench;
        const auto good = bench.enqueue("analytics.event", R"({"type": "page-view"})");
        const auto bad = bench.enqueue("analytics.event", R"({"type": "jane@example.com"})");
        const auto more = bench.enqueue("analytics.event", R"({"type": "page-view"})");
        bench.start();

        CHECK(bench.finished(good).output == R"({"events": 1, "rejected": 0})");
        CHECK(bench.finished(more).state == job_state::completed);
        const auto dead = bench.finished(bad);
        CHECK(dead.state == job_state::dead);
        CHECK(dead.attempt == 1);
        CHECK(dead.last_error.value_or("").find("payload.type: expected one of") !=
              std::string::npos);
        CHECK(dead.last_error.value_or("").find("jane") == std::string::npos);
        CHECK(bench.counted() == "2");
    }

    TEST_CASE("late events go to the bucket of their time, too late and future ones are listed") {
        analytics_bench bench;
        bench.start();
        const auto at = [&](const std::string& when) {
            return bench
                .run("analytics.event",
                     bench.db.query("SELECT jsonb_build_object('type', 'page-view', 'at', "
                                    "(extract(epoch FROM now() + $1::interval) * "
                                    "1000)::bigint)",
                                    {when}))
                .output.value_or("");
        };
        CHECK(at("-6 days") == R"({"events": 1, "rejected": 0})");
        CHECK(at("-8 days") == R"({"events": 1, "rejected": 1})");
        CHECK(at("50 minutes") == R"({"events": 1, "rejected": 0})");
        CHECK(at("2 hours") == R"({"events": 1, "rejected": 1})");

        CHECK(bench.counted() == "2");
        CHECK(bench.db.query("SELECT count(*) FROM analytics.bucket WHERE minutes = 60 AND "
                             "begins_at = date_trunc('hour', now() - interval '6 days', 'UTC')") ==
              "1");
        CHECK(bench.db.query("SELECT string_agg(reason || ' ' || events, ', ' ORDER BY reason) "
                             "FROM analytics.rejections") == "ahead 1, late 1");
    }

    TEST_CASE("track is part of the producer's transaction") {
        analytics_bench bench;
        bench.start();
        test::connection producer{bench.db.dsn()};
        producer.execute("BEGIN; SELECT analytics.track('page-view'); ROLLBACK");
        const auto job = producer.query(
            "SELECT analytics.track('ticket-purchase', '{\"amount\": 5, \"currency\": \"EUR\"}', "
            "id => 'p1', tenant_id => $1::uuid)",
            {tenant_a});
        CHECK(bench.finished(std::stoll(job)).state == job_state::completed);
        CHECK(producer.query("SELECT concat_ws(' ', type, events, amount) FROM analytics.buckets "
                             "WHERE minutes = 1") == "ticket-purchase 1 5");
        CHECK_THROWS_WITH_AS(producer.execute("SELECT analytics.track('odd')"),
                             doctest::Contains("type: expected ticket-purchase"), test::sql_error);

        const auto many = producer.rows(
            "SELECT analytics.track_many((SELECT jsonb_agg('{\"type\": \"page-view\"}'::jsonb) "
            "FROM generate_series(1, 1200)))");
        REQUIRE(many.size() == 3);
        for (const auto& each : many) {
            CHECK(bench.finished(std::stoll(each.at(0).value())).state == job_state::completed);
        }
        CHECK(bench.counted() == "1201");
    }
}
