#include <libqueue/backoff.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <ostream>
#include <random>
#include <vector>

namespace lq = libqueue;
using namespace std::chrono_literals;
using lq::backoff_strategy;
using std::chrono::milliseconds;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

class row {
   public:
    backoff_strategy strategy;
    milliseconds base;
    milliseconds cap;
    std::vector<milliseconds> delays;  // after the 1st, 2nd ... failure
};

}  // namespace

TEST_SUITE_BEGIN("backoff");

TEST_CASE("backoff: each strategy grows by its formula up to the cap") {
    const std::vector<row> table{
        {backoff_strategy::exponential, 1s, 60s, {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}},
        {backoff_strategy::exponential, 5s, 300s, {5s, 10s, 20s, 40s, 80s, 160s, 300s}},
        {backoff_strategy::exponential, 1s, 64s, {1s, 2s, 4s, 8s, 16s, 32s, 64s, 64s}},
        {backoff_strategy::linear, 2s, 10s, {2s, 4s, 6s, 8s, 10s, 10s}},
        {backoff_strategy::linear, 3s, 10s, {3s, 6s, 9s, 10s}},
        {backoff_strategy::fibonacci, 1s, 30s, {1s, 1s, 2s, 3s, 5s, 8s, 13s, 21s, 30s, 30s}},
        {backoff_strategy::fibonacci, 10ms, 30ms, {10ms, 10ms, 20ms, 30ms, 30ms}},
        {backoff_strategy::fixed, 7s, 60s, {7s, 7s, 7s}},
        {backoff_strategy::fixed, 90s, 60s, {60s, 60s}},
        {backoff_strategy::exponential, 90s, 60s, {60s, 60s}},
        {backoff_strategy::linear, 90s, 60s, {60s}},
        {backoff_strategy::fibonacci, 90s, 60s, {60s, 60s}},
    };

    for (const row& one : table) {
        const lq::retry_policy policy{one.strategy, one.base, one.cap, false};
        CAPTURE(lq::to_string(policy));
        int failed = 0;
        for (const milliseconds expected : one.delays) {
            ++failed;
            CAPTURE(failed);
            CHECK(policy.delay(failed, 0.5) == expected);
        }
    }
}

TEST_CASE("backoff: jitter spreads evenly over the upper half of the delay") {
    const lq::retry_policy policy{backoff_strategy::fixed, 1s, 60s, true};

    CHECK(policy.delay(1, 0.0) == 500ms);
    CHECK(policy.delay(1, 0.5) == 750ms);
    CHECK(policy.delay(1, 0.25) == 625ms);
    CHECK(policy.delay(1, std::nextafter(1.0, 0.0)) < 1s);
}

TEST_CASE("backoff: an odd delay is never halved below its half") {
    const lq::retry_policy policy{backoff_strategy::fixed, 3ms, 60s, true};

    CHECK(policy.delay(1, 0.0) == 2ms);
    CHECK(policy.delay(1, 0.999) == 2ms);
    CHECK(lq::retry_policy{backoff_strategy::fixed, 1ms, 60s, true}.delay(1, 0.0) == 1ms);
}

TEST_CASE("backoff: a random number outside its range is clamped") {
    const lq::retry_policy policy{backoff_strategy::fixed, 1s, 60s, true};

    CHECK(policy.delay(1, -3.0) == 500ms);
    CHECK(policy.delay(1, -infinity) == 500ms);
    CHECK(policy.delay(1, 1.0) == 1s);
    CHECK(policy.delay(1, 17.0) == 1s);
    CHECK(policy.delay(1, infinity) == 1s);
    CHECK(policy.delay(1, not_a_number) == 1s);
}

TEST_CASE("backoff: an attempt number below one counts as one") {
    const lq::retry_policy policy{backoff_strategy::exponential, 2s, 60s, false};

    CHECK(policy.delay(0, 0) == 2s);
    CHECK(policy.delay(-1, 0) == 2s);
    CHECK(policy.delay(std::numeric_limits<int>::min(), 0) == 2s);
}

TEST_CASE("backoff: a base or cap of zero or less means no delay") {
    for (const auto strategy : {backoff_strategy::exponential, backoff_strategy::linear,
                                backoff_strategy::fibonacci, backoff_strategy::fixed}) {
        CHECK(lq::retry_policy{strategy, 0ms, 60s, true}.delay(5, 0.9) == 0ms);
        CHECK(lq::retry_policy{strategy, -1s, 60s, true}.delay(5, 0.9) == 0ms);
        CHECK(lq::retry_policy{strategy, milliseconds::min(), 60s, true}.delay(5, 0.9) == 0ms);
        CHECK(lq::retry_policy{strategy, 2s, 0ms, true}.delay(5, 0.9) == 0ms);
        CHECK(lq::retry_policy{strategy, 2s, -5s, true}.delay(5, 0.9) == 0ms);
    }
}

TEST_CASE("backoff: no attempt number, base or cap overflows") {
    constexpr unsigned seed = 20240517;
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const std::vector<int> attempts{1,  2,  30, 62, 63,        64,
                                    65, 91, 92, 93, 1'000'000, std::numeric_limits<int>::max()};
    const std::vector<milliseconds> spans{1ms,
                                          2s,
                                          60s,
                                          24h * 3'650,
                                          milliseconds::max() / 2,
                                          milliseconds::max() - 1ms,
                                          milliseconds::max()};

    for (const auto strategy : {backoff_strategy::exponential, backoff_strategy::linear,
                                backoff_strategy::fibonacci, backoff_strategy::fixed}) {
        for (const milliseconds base : spans) {
            for (const milliseconds cap : spans) {
                milliseconds previous{0};
                for (const int attempt : attempts) {
                    const lq::retry_policy plain{strategy, base, cap, false};
                    const lq::retry_policy jittered{strategy, base, cap, true};
                    const double random01 = std::uniform_real_distribution<>{}(random);
                    const milliseconds full = plain.delay(attempt, random01);
                    const milliseconds part = jittered.delay(attempt, random01);
                    const bool within = full <= cap && full >= std::min(base, cap) &&
                                        full >= previous && part <= full &&
                                        part.count() >= full.count() / 2;
                    CAPTURE(lq::to_string(jittered));
                    CAPTURE(attempt);
                    REQUIRE(within);
                    previous = full;
                }
            }
        }
    }
}

TEST_CASE("backoff: the default is exponential from 2 s, cap 60 s, with jitter") {
    const lq::retry_policy policy;

    CHECK(policy == lq::retry_policy{backoff_strategy::exponential, 2s, 60s, true});
    CHECK(policy == lq::backoff::standard());
}

TEST_CASE("backoff: the presets are those of the platform") {
    CHECK(lq::to_string(lq::backoff::payment()) == "exponential 1s cap 1m jitter");
    CHECK(lq::to_string(lq::backoff::refund()) == "exponential 1s cap 1m jitter");
    CHECK(lq::to_string(lq::backoff::mint()) == "exponential 5s cap 5m jitter");
    CHECK(lq::to_string(lq::backoff::email()) == "linear 2s cap 10s");
    CHECK(lq::to_string(lq::backoff::webhook()) == "fibonacci 1s cap 30s jitter");
    CHECK(lq::to_string(lq::backoff::standard()) == "exponential 2s cap 1m jitter");

    REQUIRE(lq::find_retry_preset("payment") != nullptr);
    CHECK(lq::find_retry_preset("payment")->max_attempts() == 6);
    CHECK(lq::find_retry_preset("mint")->retries == 3);
    CHECK(lq::find_retry_preset("default")->max_attempts() == 4);
    CHECK(lq::find_retry_preset("Payment") == nullptr);
}

TEST_CASE("backoff: strategies and policies read back as they were printed") {
    for (const auto strategy : {backoff_strategy::exponential, backoff_strategy::linear,
                                backoff_strategy::fibonacci, backoff_strategy::fixed}) {
        CHECK(lq::parse_backoff_strategy(lq::to_string(strategy)) == strategy);
        for (const bool jitter : {true, false}) {
            const lq::retry_policy policy{strategy, 1'500ms, 90min, jitter};
            const auto again = lq::parse_retry_policy(lq::to_string(policy));
            REQUIRE(again.has_value());
            CHECK(*again == policy);
        }
    }
    for (const lq::retry_preset& preset : lq::retry_presets()) {
        CHECK(*lq::parse_retry_policy(preset.name) == preset.policy);
    }
}

TEST_CASE("backoff: a policy that cannot be read says what was expected") {
    for (const char* text : {"", "exp 2s cap 60s", "linear", "linear 2s", "linear 2s 60s",
                             "linear 2s cap", "linear 2s cap 60s shaken", "linear 2 cap 60s",
                             "linear  2s cap 60s", "linear 2s cap 60s jitter jitter"}) {
        CAPTURE(text);
        const auto parsed = lq::parse_retry_policy(text);
        REQUIRE(parsed.has_error());
        CHECK(parsed.error().code == lq::errc::invalid_argument);
        CHECK(parsed.error().message.find("expected") != std::string::npos);
    }
    CHECK_FALSE(lq::parse_backoff_strategy("Exponential").has_value());
}

TEST_SUITE_END();
