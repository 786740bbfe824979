#include "core/claim_budget.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

using libqueue::core::claim_budget;
using libqueue::core::claim_situation;
using libqueue::core::rate_meter;
using namespace std::chrono_literals;

namespace {

claim_situation situation(int slots, int free, int unstarted, double rate, double turn_time) {
    claim_situation now;
    now.slots = slots;
    now.free = free;
    now.unstarted = unstarted;
    now.rate = rate;
    now.turn_time = turn_time;
    return now;
}

class row {
   public:
    const char* when;
    claim_situation now;
    int want;
};

const rate_meter::time_point origin{1h};

}  // namespace

TEST_SUITE_BEGIN("claim_budget");

TEST_CASE("claim_budget: free slots plus what will be free when the turn is back") {
    const std::vector<row> table{
        {"idle, nothing known of the rate", situation(10, 10, 0, 0, 0.005), 10},
        {"all busy, jobs are long", situation(10, 0, 0, 0.1, 0.005), 0},
        {"one free, jobs are long", situation(10, 1, 0, 0.1, 0.005), 1},
        {"the free ones are promised already", situation(10, 3, 3, 0.1, 0.005), 0},
        {"more held than free", situation(10, 3, 9, 0.1, 0.005), 0},
        {"just under one job per turn", situation(10, 0, 0, 199.0, 0.005), 0},
        {"one job per turn", situation(10, 0, 0, 200.0, 0.005), 2},
        {"four jobs per turn", situation(10, 0, 0, 800.0, 0.005), 6},
        {"four jobs per turn, six held", situation(10, 0, 6, 800.0, 0.005), 0},
        {"prefetch is bounded by the slots", situation(10, 0, 0, 1e6, 0.005), 10},
        {"fast jobs, all free", situation(10, 10, 0, 1e6, 0.005), 20},
        {"the batch is bounded", situation(5'000, 5'000, 0, 1e6, 0.005), 1'000},
        {"no slots at all", situation(0, 0, 0, 1e6, 0.005), 0},
    };

    for (const row& one : table) {
        CAPTURE(one.when);
        CHECK(claim_budget(one.now) == one.want);
    }
}

TEST_CASE("claim_budget: absurd inputs count as zero") {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    constexpr double infinity = std::numeric_limits<double>::infinity();
    constexpr int lowest = std::numeric_limits<int>::min();

    CHECK(claim_budget(situation(10, 4, 0, nan, 0.005)) == 4);
    CHECK(claim_budget(situation(10, 4, 0, infinity, 0.005)) == 4);
    CHECK(claim_budget(situation(10, 4, 0, 100, nan)) == 4);
    CHECK(claim_budget(situation(10, 4, 0, -100, -1)) == 4);
    CHECK(claim_budget(situation(10, 4, lowest, 0, 0)) == 4);
    CHECK(claim_budget(situation(lowest, lowest, 0, 0, 0)) == 0);
    CHECK(claim_budget(situation(10, 400, 0, 0, 0)) == 10);
    claim_situation no_batch = situation(10, 4, 0, 0, 0);
    no_batch.batch_max = -1;
    CHECK(claim_budget(no_batch) == 0);
}

TEST_CASE("claim_budget: long jobs are never hoarded, whatever the situation") {
    constexpr unsigned seed = 7;
    CAPTURE(seed);
    std::mt19937 random{seed};
    const auto up_to = [&](int most) {
        return std::uniform_int_distribution<>{0, most}(random);
    };

    for (int i = 0; i < 20'000; ++i) {
        const int slots = up_to(2'000);
        const int free = up_to(slots);
        const int unstarted = up_to(2'000);
        const double rate = up_to(100'000) / 100.0;
        const double turn_time = up_to(1'000) / 10'000.0;
        const int want = claim_budget(situation(slots, free, unstarted, rate, turn_time));
        const bool long_jobs = rate * turn_time < 1;
        const bool in_bounds =
            want >= 0 && want <= 1'000 && (want == 0 || want + unstarted <= free + slots);
        const bool not_hoarded = !long_jobs || want == 0 || want + unstarted <= free;
        CAPTURE(i);
        REQUIRE(in_bounds);
        REQUIRE(not_hoarded);
    }
}

TEST_CASE("rate_meter: a steady rate is exact from the start, however it is batched") {
    for (const int batch : {1, 10, 100}) {
        CAPTURE(batch);
        rate_meter meter{1s, origin};
        auto now = origin;
        for (int i = 0; i < 2'000 / batch; ++i) {
            now += batch * 1ms;
            meter.record(batch, now);
            // Events of a batch are booked at its end, which reads high by at most half a batch.
            const double spread = batch / 1'000.0;
            REQUIRE(meter.rate(now) >= doctest::Approx(1'000.0));
            REQUIRE(meter.rate(now) <= 1'000.0 * (1 + spread));
        }
    }
}

TEST_CASE("rate_meter: silence fades without being recorded") {
    rate_meter meter{1s, origin};
    meter.record(1'000, origin + 1s);
    const double at_once = meter.rate(origin + 1s);

    CHECK(meter.rate(origin + 2s) < at_once / 2);
    CHECK(meter.rate(origin + 60s) < 1e-6);
}

TEST_CASE("rate_meter: follows a change within a few memories") {
    rate_meter meter{500ms, origin};
    auto now = origin;
    for (int i = 0; i < 100; ++i) {
        meter.record(100, now += 10ms);
    }
    for (int i = 0; i < 250; ++i) {
        meter.record(1, now += 10ms);
    }

    CHECK(meter.rate(now) == doctest::Approx(100.0 * 1.01).epsilon(0.75));
    CHECK(meter.rate(now) < 200.0);
}

TEST_CASE("rate_meter: no time, no rate; time going back is ignored") {
    rate_meter meter{1s, origin};
    CHECK(meter.rate(origin) == 0.0);
    meter.record(5, origin);
    CHECK(meter.rate(origin) == 0.0);
    meter.record(5, origin - 10s);
    meter.record(-5, origin + 1s);

    CHECK(std::isfinite(meter.rate(origin + 1s)));
    CHECK(meter.rate(origin - 5s) == meter.rate(origin + 1s));
    CHECK(meter.rate(origin + 1s) == doctest::Approx(10 * std::exp(-1) / (1 - std::exp(-1))));
}

TEST_SUITE_END();
