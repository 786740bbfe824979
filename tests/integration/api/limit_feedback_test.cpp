#include "support/test_database.hpp"

#include <libqueue/limits.hpp>

#include <doctest/doctest.h>

#include <future>
#include <limits>
#include <optional>
#include <string>
#include <vector>

TEST_SUITE_BEGIN("limit feedback");

using libqueue::errc;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

namespace {

class fixture {
   public:
    test::test_database db;
    libqueue::client client{libqueue::client_options{db.dsn()}};
    libqueue::limit_control limits{client};

    void define(const std::string& figures) const {
        db.execute("SELECT queue.limit_set(" + figures + ")");
    }
    [[nodiscard]] bool takes(const std::string& name, const std::string& key = {}, int n = 1) {
        return limits.take(name, n, key).value().granted;
    }
    void report(int requests, int errors, const std::string& key = {}) {
        REQUIRE(limits.report_requests("provider", key, requests, errors).has_value());
    }
    [[nodiscard]] std::string circuit(const std::string& key = {}) const {
        return db.query(
            "SELECT coalesce((SELECT circuit FROM queue.limit_status WHERE name = 'provider' AND "
            "key = $1), 'closed')",
            {key});
    }
    /// As if so long had passed since everything that was told and decided.
    void pass(const std::string& interval) const {
        db.execute("UPDATE queue.limit_breaker SET retry_at = retry_at - interval '" + interval +
                   "', opened_at = opened_at - interval '" + interval +
                   "', probe_until = probe_until - interval '" + interval +
                   "'; UPDATE queue.limit_tally SET closed_until = closed_until - interval '" +
                   interval + "'");
    }
    /// What a worker's claim under the limit `provider` takes out of line.
    [[nodiscard]] std::string claim(int most = 100) const {
        return db.query(
            "SELECT count(c.id) FROM (SELECT array_agg(id) AS ids, min(queue_id) AS queue "
            "FROM queue.line) l, queue.claim_limited(7, 0, l.queue, 'provider', NULL, l.ids, "
            "array_fill($1::int, ARRAY[cardinality(l.ids)]), $1::int) c",
            {std::to_string(most)});
    }
    void finish_claimed(const std::string& outcome) const {
        db.execute(
            "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, worker_id, "
            "outcome, attempt) SELECT u, s.id, now(), now(), 7, '" +
            outcome +
            "', 1 FROM queue.lease s, unnest(s.job_ids) u; DELETE FROM queue.lease;"
            "DELETE FROM queue.limit_slot");
    }
};

}  // namespace

TEST_CASE("tokens are taken at every level, or at none") {
    fixture f;
    f.define("'platform', burst => 3, rate => 0.001");
    f.define("'provider', burst => 10, rate => 0.001, parent => 'platform'");
    const auto tokens = [&](const std::string& name) {
        return f.db.query("SELECT tokens FROM queue.limit_status WHERE name = $1", {name});
    };

    CHECK(f.takes("provider", "", 2));
    CHECK(tokens("provider") == "8");
    CHECK(tokens("platform") == "1");
    CHECK(!f.takes("provider", "", 2));
    CHECK(tokens("provider") == "8");
    CHECK(tokens("platform") == "1");
    CHECK(f.takes("platform"));
    CHECK(!f.takes("provider"));
    CHECK(f.limits.take("provider", 4).error().message ==
          "n: expected 1 to 3 (the burst of limit provider), got 4");
}

TEST_CASE("eight takers at once, under two limits of one parent, get no more than it has") {
    fixture f;
    f.define("'platform', burst => 50, rate => 0.001");
    f.define("'a', burst => 1000, rate => 0.001, parent => 'platform'");
    f.define("'b', burst => 20, rate => 0.001, parent => 'platform'");

    std::vector<std::future<int>> takers;
    for (int n = 0; n < 8; ++n) {
        takers.push_back(std::async(std::launch::async, [&f, n] {
            libqueue::client own{libqueue::client_options{f.db.dsn()}};
            libqueue::limit_control control{own};
            int got = 0;
            for (int round = 0; round < 15; ++round) {
                got += control.take(n % 2 == 0 ? "a" : "b")->granted ? 1 : 0;
            }
            return got;
        }));
    }
    int all = 0;
    for (auto& one : takers) {
        all += one.get();
    }

    CHECK(all == 50);
    CHECK(f.db.query("SELECT 20 - tokens <= 20 FROM queue.limit_status WHERE name = 'b'") == "t");
}

TEST_CASE("a level with the same sort of key gives of the same key, another one of no key") {
    fixture f;
    f.define("'tenants', burst => 1, rate => 0.001, key => 'tenant'");
    f.define("'users', burst => 2, rate => 0.001, key => 'meta.user', parent => 'tenants'");
    f.define("'mails', burst => 9, rate => 0.001, key => 'meta.user', parent => 'users'");

    CHECK(f.takes("mails", "ana"));
    CHECK(f.db.query("SELECT string_agg(name || '=' || key, ' ' ORDER BY name) "
                     "FROM queue.limit_status") == "mails=ana tenants= users=ana");
    CHECK(!f.takes("mails", "bob"));
}

TEST_CASE("a bucket of the largest burst can be used") {
    fixture f;
    f.define("'provider', burst => 1000000, rate => 0.000001");

    CHECK(f.takes("provider", "", 999'999));
    CHECK(f.takes("provider"));
    CHECK(!f.takes("provider"));
}

TEST_CASE("what is wrong with levels is said, and nothing is changed") {
    fixture f;
    f.define("'a'");
    f.define("'b', parent => 'a'");
    f.define("'c', parent => 'b'");
    f.define("'d', parent => 'c'");
    f.define("'e'");
    f.define("'f', parent => 'e'");
    const auto fault = [&](const std::string& name, const std::string& parent) {
        libqueue::limit_change change{name};
        change.parent = parent;
        return f.limits.set(change).error();
    };

    CHECK(fault("a", "a").message == "parent: expected a limit that is not under a, got a");
    CHECK(fault("a", "d").message == "parent: expected a limit that is not under a, got d");
    CHECK(fault("e", "d").message == "parent: expected at most 4 levels, got 6 with d above e");
    CHECK(fault("x", "d").code == errc::invalid_argument);
    CHECK(fault("x", "nobody").code == errc::not_found);
    CHECK(fault("x", "No Name").message ==
          "parent: expected the name of a limit, or nothing, got 'No Name'");
    CHECK(f.db.query("SELECT count(*) FROM queue.limit_rule WHERE name = 'x' OR "
                     "name IN ('a', 'e') AND parent IS NOT NULL") == "0");
    libqueue::limit_change free{"d"};
    free.parent = "";
    REQUIRE(f.limits.set(free).has_value());
    CHECK(f.db.query("SELECT parent IS NULL FROM queue.limit_rule WHERE name = 'd'") == "t");
}

TEST_CASE("two who make a circle at once: one of them is refused") {
    fixture f;
    f.define("'a'");
    f.define("'b'");
    const auto set = [&](const std::string& name, const std::string& parent) {
        return std::async(std::launch::async, [&f, name, parent] {
            libqueue::client own{libqueue::client_options{f.db.dsn()}};
            libqueue::limit_change change{name};
            change.parent = parent;
            return libqueue::limit_control{own}.set(change).has_value();
        });
    };
    for (int round = 0; round < 10; ++round) {
        auto one = set("a", "b");
        auto other = set("b", "a");
        CHECK(one.get() != other.get());
        f.db.execute("UPDATE queue.limit_rule SET parent = NULL");
    }
}

TEST_CASE("what is wrong with a breaker, a closing or a report is said") {
    fixture f;
    f.define("'provider', burst => 5, rate => 5");
    const auto fault = [&](std::optional<double> ratio, std::optional<int> least,
                           std::optional<std::chrono::milliseconds> window,
                           std::optional<std::chrono::milliseconds> cooldown) {
        libqueue::limit_change change{"provider"};
        change.breaker_ratio = ratio;
        change.breaker_min_requests = least;
        change.breaker_window = window;
        change.breaker_cooldown = cooldown;
        const auto answer = f.limits.set(change);
        return answer.has_value() ? std::string{} : answer.error().message;
    };

    CHECK(fault(1.5, {}, {}, {}) ==
          "breaker_ratio: expected above 0 and at most 1, or 0 for no breaker, got 1.5");
    CHECK(fault(-0.1, {}, {}, {}).starts_with("breaker_ratio:"));
    CHECK(fault(std::numeric_limits<double>::quiet_NaN(), {}, {}, {}).starts_with("breaker_ratio"));
    CHECK(fault(0.5, 0, {}, {}) == "breaker_min_requests: expected 1 to 1000000, got 0");
    CHECK(fault(0.5, {}, 10ms, {}).starts_with("breaker_window: expected 1 s to 1 day"));
    CHECK(fault(0.5, {}, {}, 0ms).starts_with("breaker_cooldown: expected 100 ms to 1 day"));
    CHECK(fault({}, 5, {}, {}) ==
          "breaker: expected a breaker_ratio beside the other figures, got none");
    CHECK(f.limits.close("provider", "", 0ms).error().message ==
          "retry_after: expected above 0 and at most 30 days, got 00:00:00");
    CHECK(f.limits.close("provider", "", -1s).error().code == errc::invalid_argument);
    CHECK(f.limits.close("provider", "", std::chrono::hours{24 * 31}).error().code ==
          errc::invalid_argument);
    CHECK(f.limits.close("nobody", "", 1s).error().code == errc::not_found);
    CHECK(f.limits.report_requests("provider", "", -1, 0).error().code == errc::invalid_argument);
    CHECK(f.limits.report_requests("provider", "", 2, 3).error().message ==
          "errors: expected 0 to 2 (the requests), got 3");
    CHECK(f.limits.report_requests("nobody", "", 1, 0).error().code == errc::not_found);
    CHECK(f.db.query("SELECT count(*) FROM queue.limit_tally") == "0");
}

TEST_CASE("a closed key gives nothing until its time, which is never made shorter") {
    fixture f;
    f.define("'provider', burst => 100, rate => 100");

    REQUIRE(f.limits.close("provider", "a", 60s, "429").has_value());
    REQUIRE(f.limits.close("provider", "a", 1s).has_value());
    const auto refused = f.limits.take("provider", 1, "a");

    CHECK(!refused->granted);
    CHECK(refused->wait.value() > 55s);
    CHECK(refused->wait.value() <= 60s);
    CHECK(f.takes("provider", "b"));
    CHECK(f.db.query("SELECT close_reason FROM queue.limit_status WHERE key = 'a'") == "429");
    f.pass("61 s");
    CHECK(f.takes("provider", "a"));
    REQUIRE(f.limits.close("provider", "a", 60s).has_value());
    REQUIRE(f.limits.reset("provider", std::string{"a"}).has_value());
    CHECK(f.takes("provider", "a"));
}

TEST_CASE("wait() outlasts a closing that ends in time") {
    fixture f;
    f.define("'provider', burst => 100, rate => 100");
    REQUIRE(f.limits.close("provider", "", 60ms).has_value());

    CHECK(!f.limits.wait("provider", 1, 5ms)->granted);
    CHECK(f.limits.wait("provider", 1, 10s)->granted);
}

TEST_CASE("a parent that is closed closes what is under it") {
    fixture f;
    f.define("'platform', concurrency => 100");
    f.define("'provider', concurrency => 100, parent => 'platform'");
    f.db.execute("SELECT queue.create_queue('default')");
    f.db.execute("SELECT queue.enqueue('call', '{}')");

    REQUIRE(f.limits.close("platform", "", 60s, "maintenance").has_value());
    CHECK(f.claim() == "0");
    REQUIRE(f.limits.reset("platform").has_value());
    CHECK(f.claim() == "1");
}

TEST_CASE("the circuit opens at the ratio, and not below the least number of requests") {
    fixture f;
    f.define("'provider', concurrency => 9, breaker_ratio => 0.5");

    f.report(4, 4);
    CHECK(f.takes("provider"));
    f.report(5, 0);
    CHECK(f.takes("provider"));
    CHECK(f.circuit() == "closed");
    f.report(1, 1);
    const auto refused = f.limits.take("provider").value();

    CHECK(!refused.granted);
    CHECK(refused.wait.value() > 25s);
    CHECK(f.circuit() == "open");
    CHECK(f.db.query("SELECT errors || ' of ' || requests FROM queue.limit_breaker") == "5 of 10");
}

TEST_CASE("errors of another window, or of another key, do not open a circuit") {
    fixture f;
    f.define("'provider', key => 'meta.user', concurrency => 9, breaker_ratio => 0.5");

    f.report(4, 4, "a");
    f.db.execute("UPDATE queue.limit_tally SET half = half - 2");
    f.report(1, 1, "a");
    CHECK(f.takes("provider", "a"));
    f.report(4, 4, "b");
    CHECK(f.takes("provider", "b"));
    // The half before this one still counts.
    f.report(4, 4, "c");
    f.db.execute("UPDATE queue.limit_tally SET half = half - 1");
    f.report(1, 1, "c");
    CHECK(!f.takes("provider", "c"));
}

TEST_CASE("after the cooldown one is let through, and what it reports decides") {
    fixture f;
    f.define("'provider', concurrency => 9, breaker_ratio => 0.5");
    f.report(5, 5);
    REQUIRE(!f.takes("provider"));
    f.pass("31 s");

    CHECK(f.takes("provider"));
    CHECK(!f.takes("provider"));
    CHECK(f.circuit() == "half_open");
    f.report(1, 1);
    CHECK(!f.takes("provider"));
    CHECK(f.circuit() == "open");
    f.pass("31 s");
    CHECK(f.takes("provider"));
    f.report(1, 0);
    CHECK(f.takes("provider"));
    CHECK(f.takes("provider"));
    CHECK(f.circuit() == "closed");
}

TEST_CASE("a probe that says nothing gives way to another one") {
    fixture f;
    f.define("'provider', concurrency => 9, breaker_ratio => 0.5");
    f.db.execute("SELECT queue.create_queue('default')");
    f.db.execute(
        "SELECT count(*) FROM queue.enqueue_many('call', ARRAY['{}', '{}', '{}']::jsonb[])");
    f.report(5, 5);
    CHECK(f.claim() == "0");
    f.pass("31 s");

    CHECK(f.claim() == "1");
    const std::string first = f.db.query("SELECT era FROM queue.limit_breaker");
    CHECK(f.claim() == "0");
    // While a job probes, nobody else's word counts.
    f.report(1, 0);
    CHECK(f.claim() == "0");
    CHECK(!f.takes("provider"));
    f.finish_claimed("lost");
    CHECK(f.claim() == "1");
    CHECK(f.circuit() == "half_open");
    // What the first one says now is of an era that is over.
    f.db.execute(
        "SELECT queue.note_reports(3, 0, '{provider}', '{\"\"}', ARRAY[$1::bigint], "
        "'{1}', '{0}', '{0}', '{NULL}')",
        {first});
    CHECK(f.claim() == "0");
    CHECK(f.circuit() == "half_open");
    f.db.execute(
        "SELECT queue.note_reports(4, 0, '{provider}', '{\"\"}', ARRAY[(SELECT era FROM "
        "queue.limit_breaker)], '{1}', '{0}', '{0}', '{NULL}')");
    CHECK(f.claim() == "1");
    CHECK(f.circuit() == "closed");
}

TEST_CASE("a job waits for its circuit without an attempt, and explain says since when and until") {
    fixture f;
    f.define("'provider', concurrency => 9, breaker_ratio => 0.5");
    f.db.execute("SELECT queue.create_queue('default')");
    const std::string id = f.db.query("SELECT queue.enqueue('call', '{}')");
    f.db.execute(
        "INSERT INTO queue.kind (name, queue, priority, max_attempts, limit_name) "
        "VALUES ('call', 'default', 5, 4, 'provider') ON CONFLICT (name) DO UPDATE SET "
        "limit_name = 'provider'");
    f.report(6, 5);

    CHECK(f.claim() == "0");
    const auto told = f.db.rows(
        "SELECT reason, detail, until > now() + interval '25 s' FROM queue.explain($1)", {id});
    CHECK(told.at(0).at(0).value() == "circuit open");
    CHECK(told.at(0).at(1).value().find("5 of 6 requests failed), next probe at ") !=
          std::string::npos);
    CHECK(told.at(0).at(2).value() == "t");
    CHECK(f.db.query("SELECT count(*) FROM queue.attempt") == "0");
    f.pass("31 s");
    CHECK(f.claim() == "1");
    CHECK(f.db.query("SELECT reason FROM queue.explain_limits('default', 'call', NULL, NULL)") ==
          "circuit open");
    REQUIRE(f.limits.reset("provider").has_value());
    REQUIRE(f.limits.close("provider", "", 60s, "asked to").has_value());
    CHECK(f.db.query("SELECT reason || detail LIKE 'limit closed%asked to' FROM "
                     "queue.explain_limits('default', 'call', NULL, NULL)") == "t");
}

TEST_CASE("a job takes as many tokens as it costs, at every level") {
    fixture f;
    f.define("'platform', burst => 10, rate => 0.001");
    f.define("'provider', burst => 5, rate => 0.001, parent => 'platform'");
    f.db.execute("SELECT queue.create_queue('default')");
    f.db.execute("SELECT queue.enqueue('call', '{}', cost => 3)");
    f.db.execute("SELECT queue.enqueue('call', '{}')");
    f.db.execute("SELECT queue.enqueue('call', '{}', cost => 2)");
    const auto left = [&] {
        return f.db.query(
            "SELECT string_agg(name || ' ' || tokens, ', ' ORDER BY name) FROM queue.limit_status");
    };

    // The third waits for its second token, and is not put far ahead.
    CHECK(f.claim() == "2");
    CHECK(left() == "platform 6, provider 1");
    CHECK(f.db.query("SELECT count(*) FROM queue.ready WHERE reserved IS NULL") == "1");
    f.db.execute("SELECT queue.limit_reset('provider')");
    CHECK(f.claim() == "1");
    CHECK(left() == "platform 4, provider 3");
}

TEST_CASE("a job that costs more than a full bucket starts when it is full and leaves a debt") {
    fixture f;
    f.define("'provider', burst => 5, rate => 10");
    f.db.execute("SELECT queue.create_queue('default')");
    f.db.execute("SELECT queue.enqueue('call', '{}', cost => 100)");
    f.db.execute("SELECT queue.enqueue('call', '{}')");

    CHECK(f.claim() == "1");
    CHECK(f.claim() == "0");
    CHECK(std::stod(f.db.query("SELECT extract(epoch FROM used_at - now()) FROM "
                               "queue.limit_bucket")) == doctest::Approx(9.5).epsilon(0.1));
    f.db.execute(
        "UPDATE queue.limit_bucket SET used_at = used_at - interval '9.6 s', "
        "planned_at = planned_at - interval '9.6 s'");
    CHECK(f.claim() == "1");
}

TEST_CASE("jobs of a key that is closed do not hold up those of others behind them") {
    fixture f;
    f.define("'provider', key => 'limit_key', concurrency => 1000000");
    f.db.execute("SELECT queue.create_queue('default')");
    f.db.execute(
        "SELECT count(*) FROM queue.enqueue_many('call', ARRAY(SELECT '{}'::jsonb FROM "
        "generate_series(1, 1200)), limit_key => 'down')");
    f.db.execute("SELECT queue.enqueue('call', '{}', limit_key => 'up')");
    REQUIRE(f.limits.close("provider", "down", 60s).has_value());

    std::string got = "0";
    for (int look = 0; look < 4 && got == "0"; ++look) {
        got = f.claim();
    }
    CHECK(got == "1");
    CHECK(f.db.query("SELECT meta ->> 'limit_key' FROM queue.job WHERE id = ANY "
                     "(SELECT unnest(job_ids) FROM queue.lease)") == "up");
    // Back in line at the end of the closing, with no attempt used up.
    CHECK(f.db.query("SELECT bool_and(outcome = 'snoozed' AND next_run_at > now() + "
                     "interval '50 s') FROM queue.attempt") == "t");
    CHECK(f.db.query("SELECT max(attempt) FROM queue.ready") == "0");
}

TEST_CASE("list and status show closings and circuits") {
    fixture f;
    f.define("'platform', concurrency => 5");
    f.define(
        "'provider', burst => 5, rate => 5, parent => 'platform', breaker_ratio => 0.2, "
        "breaker_min_requests => 2, breaker_window => '10 s', breaker_cooldown => '60 s'");
    f.report(5, 1);
    REQUIRE(!f.takes("provider"));
    REQUIRE(f.limits.close("provider", "k", 60s).has_value());

    const auto rows = f.limits.list(std::string{"provider"});
    REQUIRE(rows.has_value());
    CHECK(rows->rows.size() == 2);
    CHECK(f.db.query("SELECT string_agg(concat_ws('/', key, parent, circuit, closed_until > now(), "
                     "probe_at > now() + interval '50 s'), ' ' ORDER BY key) FROM "
                     "queue.limit_status WHERE name = 'provider'") ==
          "/platform/open/t k/platform/closed/t");
}

TEST_SUITE_END();
