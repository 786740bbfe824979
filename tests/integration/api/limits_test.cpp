#include "support/test_database.hpp"

#include <libqueue/async_client.hpp>
#include <libqueue/limits.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <future>
#include <string>
#include <thread>
#include <vector>

TEST_SUITE_BEGIN("limits");

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
        db.execute("SELECT queue.limit_set('provider', " + figures + ")");
    }
    [[nodiscard]] std::string tokens(const std::string& key = {}) const {
        return db.query(
            "SELECT tokens FROM queue.limit_status "
            "WHERE name = 'provider' AND key = $1",
            {key});
    }
};

}  // namespace

TEST_CASE("a bucket is spoken for up to an offset from now") {
    test::test_database db;
    struct row {
        const char* name;
        const char* spoken_for;  ///< offset of the stored time from now, or NULL
        int burst;
        double rate;
        double offset_us;
    };
    const std::vector<row> table{
        {"never used: full", "NULL", 25, 5, -5'000'000},
        {"idle for long: full, and not fuller", "now_at - interval '1 year'", 25, 5, -5'000'000},
        {"just full", "now_at - interval '5 s'", 25, 5, -5'000'000},
        {"one token away from full", "now_at - interval '4.8 s'", 25, 5, -4'800'000},
        {"empty", "now_at", 25, 5, 0},
        {"promised ahead", "now_at + interval '2 s'", 25, 5, 2'000'000},
        {"days ahead", "now_at + interval '40 days'", 1, 0.001, 40.0 * 86'400'000'000},
        {"a token an hour", "NULL", 20, 20.0 / 3'600, -3'600'000'000},
        {"the clock stepped back an hour: never more than was promised",
         "now_at + interval '1 hour'", 10, 2, 3'600'000'000},
    };
    for (const row& one : table) {
        CAPTURE(one.name);
        const std::string got =
            db.query("SELECT queue.bucket_offset(" + std::string{one.spoken_for} +
                         ", now_at, $1::int, $2::float8) FROM (SELECT now() AS now_at) n",
                     {std::to_string(one.burst), std::to_string(one.rate)});
        CHECK(std::stod(got) == doctest::Approx(one.offset_us).epsilon(1e-4));
    }
}

TEST_CASE("an offset as a time is rounded up, never a token too many") {
    test::test_database db;

    CHECK(db.query("SELECT queue.bucket_time(t, 1000000 / 3.0::float8) - t FROM "
                   "(SELECT now() AS t) n") == "00:00:00.333334");
    CHECK(db.query("SELECT queue.bucket_time(t, -1000000 / 3.0::float8) - t FROM "
                   "(SELECT now() AS t) n") == "-00:00:00.333333");
}

TEST_CASE("take: n tokens or none, and the time until they are there") {
    fixture f;
    f.define("burst => 5, rate => 0.5");

    CHECK(f.limits.take("provider", 3)->granted);
    CHECK(f.tokens() == "2");
    const auto refused = f.limits.take("provider", 3);
    REQUIRE(refused.has_value());
    CHECK(!refused->granted);
    CHECK(refused->wait.value() > 1'900ms);
    CHECK(refused->wait.value() <= 2s);
    CHECK(f.tokens() == "2");
    CHECK(f.limits.take("provider", 2)->granted);
    CHECK(f.tokens() == "0");
}

TEST_CASE("a large request that waits is not starved by small ones") {
    fixture f;
    f.define("burst => 10, rate => 10");
    REQUIRE(f.limits.take("provider", 10)->granted);

    const auto large = f.limits.reserve("provider", 10, 2s);
    const auto small = f.limits.take("provider", 1);

    REQUIRE(large.has_value());
    CHECK(large->granted);
    CHECK(large->wait.value() <= 1s);
    CHECK(!small->granted);
    CHECK(small->wait.value() > 1s);
}

TEST_CASE("reserve: nothing is reserved when the slot would come too late") {
    fixture f;
    f.define("burst => 1, rate => 1");
    REQUIRE(f.limits.take("provider")->granted);

    const auto late = f.limits.reserve("provider", 1, 200ms);

    CHECK(!late->granted);
    CHECK(late->wait.value() > 200ms);
    const auto again = f.limits.reserve("provider", 1, 2s);
    CHECK(again->granted);
    CHECK(again->wait.value() <= 1s);
}

TEST_CASE("wait: returns when its slot has come, or at once when it would come too late") {
    fixture f;
    f.define("burst => 1, rate => 20");
    REQUIRE(f.limits.take("provider")->granted);
    const auto begun = std::chrono::steady_clock::now();

    const auto waited = f.limits.wait("provider", 1, 5s);
    const auto took = std::chrono::steady_clock::now() - begun;
    f.define("rate => 0.001");
    const auto late = f.limits.wait("provider", 1, 100ms);

    CHECK(waited->granted);
    CHECK(waited->wait.value() == 0ms);
    CHECK(took >= 40ms);
    CHECK(!late->granted);
}

TEST_CASE("eight takers at once get what is in the bucket and no more") {
    fixture f;
    f.define("burst => 50, rate => 0.001");

    std::vector<std::future<int>> takers;
    for (int n = 0; n < 8; ++n) {
        takers.push_back(std::async(std::launch::async, [&f] {
            libqueue::client own{libqueue::client_options{f.db.dsn()}};
            libqueue::limit_control control{own};
            int got = 0;
            for (int round = 0; round < 20; ++round) {
                got += control.take("provider")->granted ? 1 : 0;
            }
            return got;
        }));
    }
    int all = 0;
    for (auto& one : takers) {
        all += one.get();
    }
    CHECK(all == 50);
}

TEST_CASE("keys have buckets of their own, and one of them can be filled again") {
    fixture f;
    f.define("burst => 1, rate => 0.001");

    CHECK(f.limits.take("provider", 1, "a")->granted);
    CHECK(f.limits.take("provider", 1, "b")->granted);
    CHECK(!f.limits.take("provider", 1, "a")->granted);
    CHECK(f.limits.reset("provider", std::string{"a"}).value() == 1);
    CHECK(f.limits.take("provider", 1, "a")->granted);
    CHECK(!f.limits.take("provider", 1, "b")->granted);
    CHECK(f.limits.reset("provider").value() == 2);
    CHECK(f.limits.take("provider", 1, "b")->granted);
}

TEST_CASE("a stopped limit gives nothing and has no time, until it is resumed") {
    fixture f;
    f.define("burst => 5, rate => 5");

    REQUIRE(f.limits.stop("provider", "it melts").has_value());
    const auto refused = f.limits.take("provider");
    CHECK(!refused->granted);
    CHECK(!refused->wait.has_value());
    CHECK(!f.limits.wait("provider", 1, 10s)->granted);
    CHECK(f.db.query("SELECT stop_reason FROM queue.limit_status") == "it melts");
    REQUIRE(f.limits.resume("provider").has_value());
    CHECK(f.limits.take("provider")->granted);
}

TEST_CASE("set: nothing said leaves a figure as it is, 0 takes it away") {
    fixture f;
    const auto figures = [&] {
        return f.db.query(
            "SELECT coalesce(burst, 0) || ' ' || coalesce(rate, 0) || ' ' || "
            "coalesce(concurrency, 0) FROM queue.limit_rule");
    };
    libqueue::limit_change change{"provider"};
    change.rate = 2.5;
    change.concurrency = 10;

    REQUIRE(f.limits.set(change).has_value());
    CHECK(figures() == "3 2.5 10");
    libqueue::limit_change more{"provider"};
    more.burst = 25;
    REQUIRE(f.limits.set(more).has_value());
    CHECK(figures() == "25 2.5 10");
    libqueue::limit_change without{"provider"};
    without.rate = 0;
    REQUIRE(f.limits.set(without).has_value());
    CHECK(figures() == "0 0 10");
    CHECK(f.limits.take("provider", 1'000)->granted);
}

TEST_CASE("what is wrong with a limit is said") {
    fixture f;
    f.define("burst => 5, rate => 5");

    CHECK(f.limits.take("nobody").error().code == errc::not_found);
    CHECK(f.limits.stop("nobody", "").error().code == errc::not_found);
    CHECK(f.limits.reset("nobody").error().code == errc::not_found);
    CHECK(f.limits.list(std::string{"nobody"}).error().code == errc::not_found);
    const auto large = f.limits.take("provider", 6);
    CHECK(large.error().code == errc::invalid_argument);
    CHECK(large.error().message == "n: expected 1 to 5 (the burst of limit provider), got 6");
    CHECK(f.limits.take("provider", 0).error().code == errc::invalid_argument);
    libqueue::limit_change wrong{"No Name"};
    CHECK(f.limits.set(wrong).error().code == errc::invalid_argument);
    libqueue::limit_change negative{"provider"};
    negative.rate = -1;
    CHECK(f.limits.set(negative).error().code == errc::invalid_argument);
    libqueue::limit_change key{"provider"};
    key.key = "payload.user";
    CHECK(f.limits.set(key).error().message ==
          "key: expected tenant, limit_key, meta.<field> or nothing, got 'payload.user'");
}

TEST_CASE("list: one row per limit and key in use, with what is left") {
    fixture f;
    f.define("burst => 5, rate => 0.001, concurrency => 2");
    f.db.execute("SELECT queue.limit_set('idle', concurrency => 1)");
    REQUIRE(f.limits.take("provider", 2)->granted);
    REQUIRE(f.limits.take("provider", 5, "a")->granted);

    const auto all = f.limits.list();
    const auto one = f.limits.list(std::string{"provider"});

    REQUIRE(all.has_value());
    CHECK(all->rows.size() == 3);
    CHECK(one->rows.size() == 2);
    CHECK(f.tokens() == "3");
    CHECK(f.tokens("a") == "0");
    CHECK(f.db.query("SELECT next_token_at > now() FROM queue.limit_status WHERE key = 'a'") ==
          "t");
}

TEST_CASE("the asynchronous client reserves and tells how long to sleep") {
    fixture f;
    f.define("burst => 1, rate => 1");
    boost::asio::io_context io;
    libqueue::async_client async{io.get_executor(), libqueue::client_options{f.db.dsn()}};

    auto first = async.reserve("provider", 1, 0ms, "", boost::asio::use_future);
    auto second = async.reserve("provider", 1, 5s, "", boost::asio::use_future);
    io.run();

    CHECK(first.get()->wait.value() == 0ms);
    const auto later = second.get();
    CHECK(later->granted);
    CHECK(later->wait.value() > 0ms);
    CHECK(later->wait.value() <= 1s);
}

TEST_SUITE_END();
