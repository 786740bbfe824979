#include "support/test_database.hpp"

#include <libqueue/alerts.hpp>
#include <libqueue/client.hpp>
#include <libqueue/observation.hpp>
#include <libqueue/samples.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>

using namespace std::chrono_literals;
using libqueue::errc;

namespace {

class bench {
   public:
    test::test_database db;
    libqueue::client on{libqueue::client_options{db.dsn()}};
    libqueue::observation look{on};
    libqueue::samples history{on};
    libqueue::alerts alerts{on};

    [[nodiscard]] std::int64_t first_id() { return std::stoll(alerts.list().rows[0][0].value()); }
    [[nodiscard]] std::string gauge(const std::string& name, const std::string& labels) {
        for (const auto& row : look.gauges().rows) {
            if (row[0] == name && row[1] == labels) {
                return row[2].value_or("null");
            }
        }
        return "missing";
    }
};

constexpr const char* firing =
    R"([{"rule":"depth","subject":"money","severity":"critical","summary":"51 jobs","value":51,
         "threshold":50,"channels":["log","mail"],"cool_down":300}])";

libqueue::alert_ends ends_after(std::chrono::milliseconds after) {
    libqueue::alert_ends made;
    made.channels = {"log", "mail", "sms"};
    made.after = after;
    return made;
}

}  // namespace

TEST_SUITE("observation") {
    TEST_CASE("observation: a duty has one holder until its time is over or it lets go") {
        bench b;

        CHECK(b.look.hold_duty("observe", "one", 1h));
        CHECK(!b.look.hold_duty("observe", "two", 1h));
        CHECK(b.look.hold_duty("observe", "one", 0ms));
        CHECK(b.look.hold_duty("observe", "two", 1h));
        CHECK(b.look.hold_duty("other", "one", 1h));
        b.db.execute("UPDATE queue.duty SET held_until = now() - interval '1 s'");
        CHECK(b.look.hold_duty("observe", "one", 1h));
    }

    TEST_CASE("observation: gauges count what stands in each queue, and levels handlers told of") {
        bench b;
        b.db.execute("SELECT queue.create_queue('money')");
        b.db.execute(
            "SELECT queue.enqueue('a.b', '{}', queue => 'money') "
            "FROM generate_series(1, 3)");
        b.db.execute("SELECT queue.enqueue('a.b', '{}', queue => 'money', delay => '1 hour')");
        b.look.put_levels(R"([{"name":"solana_wallet_balance_sol","labels":{},"value":0.5}])");
        b.look.put_levels(R"([{"name":"solana_wallet_balance_sol","labels":{},"value":0.25}])");

        CHECK(b.gauge("queue_size", R"({"queue": "money"})") == "4");
        CHECK(b.gauge("libqueue_queue_jobs", R"({"queue": "money", "state": "ready"})") == "3");
        CHECK(b.gauge("libqueue_queue_jobs", R"({"queue": "money", "state": "scheduled"})") == "1");
        CHECK(b.gauge("solana_wallet_balance_sol", "{}") == "0.25");
    }

    TEST_CASE("samples: the bounds of the database are those of the code") {
        bench b;
        std::string ours;
        for (const double bound : libqueue::sample_bounds) {
            ours += (ours.empty() ? "" : ",") +
                    b.db.query("SELECT $1::text::double precision", {std::to_string(bound)});
        }

        CHECK(b.db.query("SELECT array_to_string(queue.sample_bounds(), ',')") == ours);
    }

    TEST_CASE("samples: a series adds up the processes and says null where nothing is known") {
        bench b;
        const std::string minute = b.db.query(
            "SELECT to_char(date_trunc('minute', now() - interval '5 minutes') "
            "AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')");
        const auto sample = [&](const std::string& process) {
            return R"([{"at":")" + minute + R"(","queue":"q","process":")" + process +
                   R"(","completed":60,"discarded":6}])";
        };
        b.history.put(sample("one"));
        b.history.put(sample("one"));  // its answer was lost: the same again
        b.history.put(sample("two"));
        libqueue::series_request wanted{"throughput"};
        wanted.queue = "q";

        const auto rows = b.history.series(wanted);

        REQUIRE(rows.has_value());
        std::map<std::string, double> sum;
        int unknown = 0;
        for (const auto& row : rows->rows) {
            if (row[3]) {
                sum[row[2].value_or("")] += std::strtod(row[3]->c_str(), nullptr);
            } else {
                ++unknown;
            }
        }
        CHECK(sum["completed"] == doctest::Approx(2));
        CHECK(sum["failed"] == doctest::Approx(0.2));
        CHECK(unknown > 100);
    }

    TEST_CASE("samples: a queue's charts are those of all queues while it is the only one") {
        bench b;
        const auto put = [&](const std::string& queue, int size) {
            const auto text = std::to_string(size);
            b.db.execute(
                "INSERT INTO queue.sample (at, queue, process, completed, retried, wait_buckets, "
                "run_buckets, ready, scheduled, retrying, running, dead) "
                "SELECT timestamptz '2026-01-31 08:00+00' + n * interval '7 min', '" +
                queue + "', p, n + " + text + ", n, array_fill(n + " + text +
                ", ARRAY[20])::bigint[], "
                "array_fill(" +
                text + " + n % 3, ARRAY[20])::bigint[], n, n, n, n, n + " + text +
                " FROM generate_series(0, 20) n, unnest(ARRAY['', 'one', 'two']) p");
        };
        const auto chart = [&](const std::string& metric, std::optional<std::string> queue) {
            libqueue::series_request wanted{metric};
            wanted.queue = std::move(queue);
            wanted.from = libqueue::time_point{std::chrono::sys_days{2026y / 1 / 31} + 8h + 1min};
            wanted.to = *wanted.from + 90min;
            wanted.step = 5min;
            return b.history.series(wanted).value().rows;
        };
        put("q", 40);
        for (const auto* metric : {"throughput", "failures", "wait", "run", "depth"}) {
            CAPTURE(metric);
            const auto alone = chart(metric, "q");
            CHECK(alone.size() >= 18);
            CHECK(std::ranges::any_of(alone, [](const auto& row) { return row[3].has_value(); }));
            CHECK(alone == chart(metric, std::nullopt));
            CHECK(std::ranges::none_of(chart(metric, "other"),
                                       [](const auto& row) { return row[3].has_value(); }));
        }
        const auto before = chart("depth", "q");
        put("other", 900);
        CHECK(chart("depth", "q") == before);
        CHECK(chart("depth", std::nullopt) != before);
    }

    TEST_CASE("samples: quantiles lie within the bucket the share falls into") {
        bench b;
        const auto quantile = [&](const std::string& share) {
            return b.db.query(
                "SELECT queue.bucket_quantile(ARRAY[0,0,0,0,0,0,0,0,50,50,0,0,0,0,0,0,"
                "0,0,0,0]::bigint[], $1::double precision)",
                {share});
        };

        CHECK(quantile("0.5") == "0.5");
        CHECK(quantile("0.75") == "0.75");
        CHECK(quantile("1") == "1");
        CHECK(b.db.query("SELECT queue.bucket_quantile(ARRAY[0,0]::bigint[], 0.5) IS NULL") == "t");
    }

    TEST_CASE("samples: what there is no chart of is refused") {
        bench b;
        libqueue::series_request unknown{"luck"};
        libqueue::series_request odd{"depth"};
        odd.step = 90s;
        libqueue::series_request endless{"depth"};
        endless.from = libqueue::time_point{};

        CHECK(b.history.series(unknown).error().code == errc::invalid_argument);
        CHECK(b.history.series(odd).error().code == errc::invalid_argument);
        CHECK(b.history.series(endless).error().code == errc::invalid_argument);
    }

    TEST_CASE("alerts: one that goes on is one alert, told once within its cool-down") {
        bench b;
        static_cast<void>(b.alerts.update(firing));
        static_cast<void>(b.alerts.update(firing));

        CHECK(b.alerts.list().rows.size() == 1);
        const auto untold = b.alerts.untold();
        REQUIRE(untold.rows.size() == 2);
        const auto id = std::stoll(untold.rows[0][0].value());
        b.alerts.note_told(id, "log", true);
        b.alerts.note_told(id, "mail", false);
        CHECK(b.alerts.untold().rows.size() == 1);
        b.alerts.note_told(id, "mail", true);
        CHECK(b.alerts.untold().rows.empty());
        b.db.execute("UPDATE queue.alert SET notified_at = now() - interval '6 minutes'");
        static_cast<void>(b.alerts.update(firing));
        CHECK(b.alerts.untold().rows.size() == 2);
    }

    TEST_CASE("alerts: one that nobody took a notice of is news when it comes again") {
        bench b;
        static_cast<void>(b.alerts.update(firing));
        b.alerts.note_told(b.first_id(), "log", false);
        static_cast<void>(b.alerts.update("[]"));
        static_cast<void>(b.alerts.update(firing));
        CHECK(b.alerts.untold().rows.size() == 2);
    }

    TEST_CASE("alerts: a channel that is down uses up nobody else's tries") {
        bench b;
        static_cast<void>(b.alerts.update(firing));
        const auto id = b.first_id();
        for (int i = 0; i < 21; ++i) {
            CHECK(b.alerts.untold().rows.size() == 2);
            b.alerts.note_told(id, "mail", false);
        }
        CHECK(b.alerts.untold().rows.size() == 1);
        b.alerts.note_told(id, "log", false);
        CHECK(b.alerts.untold().rows.size() == 1);
        b.alerts.note_told(id, "log", true);
        CHECK(b.alerts.untold().rows.empty());
    }

    TEST_CASE("alerts: an end and a new beginning within the cool-down tell nobody again") {
        bench b;
        static_cast<void>(b.alerts.update(firing));
        b.alerts.note_told(b.first_id(), "log", true);
        const auto ended = b.alerts.update("[]");
        CHECK(ended.rows[0][1] == "1");
        CHECK(b.alerts.list().rows.empty());
        CHECK(b.alerts.untold().rows.empty());

        static_cast<void>(b.alerts.update(firing));

        CHECK(b.alerts.list().rows.size() == 1);
        CHECK(b.alerts.untold().rows.empty());
        libqueue::alert_filter all;
        all.only_open = false;
        CHECK(b.alerts.list(all).rows.size() == 2);
    }

    TEST_CASE("alerts: acknowledged ones tell nobody; ended and unknown ones cannot be") {
        bench b;
        static_cast<void>(b.alerts.update(firing));
        const auto id = std::stoll(b.alerts.list().rows[0][0].value());

        const auto done = b.alerts.acknowledge(id, "ada", "on it");

        REQUIRE(done.has_value());
        CHECK(done->rows[0][4] == "acknowledged");
        CHECK(b.alerts.untold().rows.empty());
        b.db.execute("UPDATE queue.alert SET notified_at = now() - interval '1 day'");
        static_cast<void>(b.alerts.update(firing));
        CHECK(b.alerts.untold().rows.empty());
        static_cast<void>(b.alerts.update("[]"));
        CHECK(b.alerts.acknowledge(id, "ada").error().code == errc::conflict);
        CHECK(b.alerts.acknowledge(id + 100, "ada").error().code == errc::not_found);
    }

    TEST_CASE("alerts: who was told that it fires is told, once, when it has been over for long") {
        bench b;
        const auto ends = ends_after(1min);
        static_cast<void>(b.alerts.update(firing, ends));
        const auto id = b.first_id();
        b.alerts.note_told(id, "log", true);
        b.alerts.note_told(id, "mail", false);

        static_cast<void>(b.alerts.update("[]", ends));
        CHECK(b.alerts.untold().rows.empty());
        b.db.execute("UPDATE queue.alert SET resolved_at = resolved_at - interval '61 s'");
        static_cast<void>(b.alerts.update("[]", ends));

        // Mail took nothing, so there is nothing to take back.
        const auto untold = b.alerts.untold();
        REQUIRE(untold.rows.size() == 1);
        CHECK(untold.rows[0][8] == "log");
        CHECK(untold.rows[0][10].has_value());
        b.alerts.note_told(id, "log", true, true);
        static_cast<void>(b.alerts.update("[]", ends));
        CHECK(b.alerts.untold().rows.empty());
    }

    TEST_CASE(
        "alerts: channels that want no ends are told of none, and acknowledged ones end too") {
        bench b;
        auto ends = ends_after(0ms);
        ends.channels = {"mail"};
        static_cast<void>(b.alerts.update(firing, ends));
        const auto id = b.first_id();
        b.alerts.note_told(id, "log", true);
        b.alerts.note_told(id, "mail", true);
        REQUIRE(b.alerts.acknowledge(id, "ada").has_value());

        static_cast<void>(b.alerts.update("[]", ends));

        const auto untold = b.alerts.untold();
        REQUIRE(untold.rows.size() == 1);
        CHECK(untold.rows[0][8] == "mail");
    }

    TEST_CASE("alerts: one that comes again before its end was told is the same to the channels") {
        bench b;
        const auto ends = ends_after(1min);
        static_cast<void>(b.alerts.update(firing, ends));
        const auto first = b.first_id();
        b.alerts.note_told(first, "log", true);
        b.alerts.note_told(first, "mail", true);
        static_cast<void>(b.alerts.update("[]", ends));
        static_cast<void>(b.alerts.update(firing, ends));
        CHECK(b.alerts.untold().rows.empty());
        b.db.execute("UPDATE queue.alert SET resolved_at = resolved_at - interval '61 s'");
        static_cast<void>(b.alerts.update(firing, ends));
        CHECK(b.alerts.untold().rows.empty());

        static_cast<void>(b.alerts.update("[]", ends_after(0ms)));

        const auto untold = b.alerts.untold();
        REQUIRE(untold.rows.size() == 2);
        CHECK(untold.rows[0][0] != std::to_string(first));
        CHECK(untold.rows[0][10].has_value());
    }

    TEST_CASE("alerts: after an end that was told the next beginning is news, and stops that end") {
        bench b;
        const auto ends = ends_after(0ms);
        static_cast<void>(b.alerts.update(firing, ends));
        const auto first = b.first_id();
        b.alerts.note_told(first, "log", true);
        b.alerts.note_told(first, "mail", true);
        static_cast<void>(b.alerts.update("[]", ends));
        b.alerts.note_told(first, "log", true, true);
        b.alerts.note_told(first, "mail", false, true);
        REQUIRE(b.alerts.untold().rows.size() == 1);

        // Within the cool-down, which an end that was told has made an end of.
        static_cast<void>(b.alerts.update(firing, ends));

        const auto untold = b.alerts.untold();
        REQUIRE(untold.rows.size() == 2);
        for (const auto& row : untold.rows) {
            CHECK(row[0] != std::to_string(first));
            CHECK(!row[10].has_value());
        }
        static_cast<void>(b.alerts.update(firing, ends));
        CHECK(b.alerts.untold().rows.size() == 2);
        CHECK(b.alerts.untold().rows[0][9] == "1");
    }

    TEST_CASE("alerts: a channel that takes its notice only once it is over is told that, too") {
        bench b;
        const auto ends = ends_after(0ms);
        static_cast<void>(b.alerts.update(firing, ends));
        const auto id = b.first_id();
        b.alerts.note_told(id, "log", true);
        static_cast<void>(b.alerts.update("[]", ends));
        b.alerts.note_told(id, "log", true, true);
        CHECK(b.alerts.untold().rows.empty());

        // It was under way when the alert ended.
        b.alerts.note_told(id, "mail", true);
        static_cast<void>(b.alerts.update("[]", ends));

        const auto untold = b.alerts.untold();
        REQUIRE(untold.rows.size() == 1);
        CHECK(untold.rows[0][8] == "mail");
        for (int i = 0; i < 21; ++i) {
            b.alerts.note_told(id, "mail", false, true);
        }
        CHECK(b.alerts.untold().rows.empty());
        static_cast<void>(b.alerts.update("[]", ends));
        CHECK(b.alerts.untold().rows.empty());
    }

    TEST_CASE("alerts: processes that know of no ends tell of none") {
        bench b;
        b.db.execute("SELECT * FROM queue.update_alerts($1::jsonb)", {firing});
        b.db.execute("SELECT queue.note_alert_told($1::bigint, 'log', true)",
                     {std::to_string(b.first_id())});
        b.db.execute("SELECT * FROM queue.update_alerts('[]')");

        CHECK(b.alerts.untold().rows.empty());
        CHECK(b.db.query("SELECT told FROM queue.alert") == "{log}");
    }

    TEST_CASE("alerts: a channel that never takes a notice is given up until the next one") {
        bench b;
        static_cast<void>(b.alerts.update(firing));
        const auto id = std::stoll(b.alerts.list().rows[0][0].value());

        for (int i = 0; i < 21; ++i) {
            b.alerts.note_told(id, "mail", false);
        }

        REQUIRE(b.alerts.untold().rows.size() == 1);
        CHECK(b.alerts.untold().rows[0][8] == "log");
    }

    TEST_CASE("retention: samples stay 30 days, alerts 7 days after their end") {
        bench b;
        b.history.put(R"([{"queue":"q","process":"p","completed":1}])");
        static_cast<void>(b.alerts.update(firing));
        static_cast<void>(b.alerts.update("[]"));
        const auto pruned = [&](const std::string& what, const std::string& after) {
            return b.db.query("SELECT queue.prune_" + what + "(now() + interval '" + after +
                              "', 100)");
        };

        CHECK(pruned("samples", "29 days") == "0");
        CHECK(pruned("samples", "31 days") == "1");
        CHECK(pruned("alerts", "6 days") == "0");
        CHECK(pruned("alerts", "8 days") == "1");
    }
}
