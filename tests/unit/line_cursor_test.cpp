#include "core/line_cursor.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

using libqueue::core::line_cursor;
using libqueue::core::line_place;

namespace {

using std::chrono::milliseconds;

constexpr line_cursor::time_point begin{};

line_place at(std::int64_t run_at, std::int64_t id = 0) {
    line_place place;
    place.run_at = run_at;
    place.id = id;
    return place;
}

}  // namespace

TEST_SUITE("line_cursor") {
    TEST_CASE("line_cursor: a new one starts before every place") {
        line_cursor cursor;
        CHECK(cursor.position(begin) < at(-1'000'000'000));
        CHECK(cursor.position(begin) == line_place{});
    }

    TEST_CASE("line_cursor: it follows a claim when the lag time has passed, not before") {
        line_cursor cursor;
        cursor.advance(at(10, 1), 5, begin);
        CHECK(cursor.furthest() == at(10, 1));
        CHECK(cursor.position(begin + line_cursor::lag_time - milliseconds{1}) == line_place{});
        CHECK(cursor.position(begin + line_cursor::lag_time) == at(10, 1));
    }

    TEST_CASE(
        "line_cursor: it never lags by more than the rows allowed, however fast claims come") {
        line_cursor cursor;
        constexpr int batch = 500;
        for (int n = 1; n <= 20; ++n) {
            cursor.advance(at(n), batch, begin);
            // Rows claimed behind the position are at most a lag and the batch that fills it.
            const auto behind =
                cursor.furthest().run_at - std::max<std::int64_t>(0, cursor.position(begin).run_at);
            CHECK(behind * batch <= line_cursor::lag_rows);
        }
        CHECK(cursor.position(begin) == at(18));
    }

    TEST_CASE("line_cursor: a stray or the other lane's claim behind it moves it nowhere") {
        line_cursor cursor;
        cursor.advance(at(10), 1, begin);
        cursor.advance(at(7), 1, begin);
        cursor.advance(at(10), 1, begin);
        CHECK(cursor.furthest() == at(10));
        CHECK(cursor.position(begin + line_cursor::lag_time) == at(10));
    }

    TEST_CASE("line_cursor: places of one time are told apart by id") {
        line_cursor cursor;
        cursor.advance(at(10, 4), 1, begin);
        cursor.advance(at(10, 9), 1, begin + milliseconds{50});
        CHECK(cursor.position(begin + line_cursor::lag_time) == at(10, 4));
        CHECK(cursor.position(begin + milliseconds{50} + line_cursor::lag_time) == at(10, 9));
    }
}
