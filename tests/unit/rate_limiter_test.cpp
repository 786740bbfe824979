#include "auth/rate_limiter.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using workerd::api::rate_limiter;

TEST_SUITE("rate limiter") {
    TEST_CASE("rate limiter: gives what a full bucket holds and then the rate") {
        rate_limiter limiter{2};
        const rate_limiter::clock::time_point start{100h};

        int given = 0;
        while (limiter.take("a", 1, start).allowed)
            ++given;

        CHECK(given == 12);
        const auto refused = limiter.take("a", 1, start);
        CHECK(refused.limit == 12);
        CHECK(refused.remaining == 0);
        CHECK(refused.retry_after == 1);
        CHECK(refused.full_in == 6);
        CHECK(limiter.take("a", 1, start + 500ms).allowed);
        CHECK_FALSE(limiter.take("a", 1, start + 500ms).allowed);
        CHECK(limiter.take("b", 1, start).allowed);
    }

    TEST_CASE("rate limiter: a charge empties the bucket and no more") {
        rate_limiter limiter{1};
        const rate_limiter::clock::time_point start{100h};

        limiter.charge("a", 1'000, start);

        CHECK_FALSE(limiter.take("a", 0, start).allowed);
        CHECK(limiter.take("a", 0, start + 1s).allowed);
    }
}
