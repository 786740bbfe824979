#include <libqueue/duration.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <ostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace lq = libqueue;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

constexpr std::uint64_t kibi = 1'024;

}  // namespace

TEST_SUITE_BEGIN("duration");

TEST_CASE("duration: reads whole numbers with units") {
    const std::vector<std::pair<const char*, milliseconds>> table{
        {"0", 0ms},       {"0s", 0ms},
        {"250ms", 250ms}, {"30s", 30s},
        {"5m", 5min},     {"1h30m", 90min},
        {"2d", 48h},      {"1d2h3m4s5ms", 26h + 3min + 4s + 5ms},
        {"90m", 90min},   {"1h1ms", 1h + 1ms},
        {"007s", 7s},     {"9223372036854775807ms", milliseconds::max()},
    };

    for (const auto& row : table) {
        const auto& text = row.first;
        const auto& expected = row.second;
        CAPTURE(text);
        const auto parsed = lq::parse_duration(text);
        REQUIRE(parsed.has_value());
        CHECK(*parsed == expected);
    }
}

TEST_CASE("duration: says what is wrong") {
    const std::vector<std::pair<const char*, const char*>> table{
        {"", "it is empty"},
        {"30", "the unit is missing"},
        {"1h30", "the unit is missing"},
        {"-5s", "it is negative"},
        {"s", "a number is missing"},
        {" 5s", "a number is missing"},
        {"5 s", "unknown unit \" s\""},
        {"5s ", "unknown unit \"s \""},
        {"5S", "unknown unit \"S\""},
        {"5sec", "unknown unit \"sec\""},
        {"5w", "unknown unit \"w\""},
        {"1.5h", "fractions are not allowed"},
        {"30m1h", "units must go from large to small, each once"},
        {"1h1h", "units must go from large to small, each once"},
        {"1ms1s", "units must go from large to small, each once"},
        {"9223372036854775808ms", "it is too long"},
        {"99999999999999999999999999s", "it is too long"},
        {"106751991168d", "it is too long"},
        {"106751991167d9999999h", "it is too long"},
    };

    for (const auto& row : table) {
        const auto& text = row.first;
        const auto& why = row.second;
        CAPTURE(text);
        const auto parsed = lq::parse_duration(text);
        REQUIRE(parsed.has_error());
        CHECK(parsed.error().code == lq::errc::invalid_argument);
        CHECK_FALSE(parsed.error().hint.empty());
        CHECK(parsed.error().message ==
              "expected a duration (250ms, 30s, 1h30m), got \"" + std::string{text} + "\": " + why);
    }
}

TEST_CASE("duration: long or unprintable input is shown cut and cleaned") {
    const auto parsed = lq::parse_duration(std::string(100, '7') + "\n\xFF");
    REQUIRE(parsed.has_error());
    CHECK(parsed.error().message.size() < 130);

    const auto odd = lq::parse_duration(std::string{"5\0s\n\xC3", 5});
    REQUIRE(odd.has_error());
    CHECK(odd.error().message.find("\"5?s??\"") != std::string::npos);
}

TEST_CASE("duration: prints the shortest form") {
    CHECK(lq::format_duration(0ms) == "0s");
    CHECK(lq::format_duration(1ms) == "1ms");
    CHECK(lq::format_duration(1'500ms) == "1s500ms");
    CHECK(lq::format_duration(60s) == "1m");
    CHECK(lq::format_duration(90min) == "1h30m");
    CHECK(lq::format_duration(36h) == "1d12h");
    CHECK(lq::format_duration(-5s) == "-5s");
    CHECK(lq::format_duration(milliseconds::max()) == "106751991167d7h12m55s807ms");
    CHECK(lq::format_duration(milliseconds::min()) == "-106751991167d7h12m55s808ms");
}

TEST_CASE("duration: reads back what it prints") {
    constexpr unsigned seed = 11;
    CAPTURE(seed);
    std::mt19937_64 random{seed};

    for (int i = 0; i < 2'000; ++i) {
        const milliseconds value{static_cast<std::int64_t>(random() >> (1 + random() % 62))};
        const auto again = lq::parse_duration(lq::format_duration(value));
        REQUIRE(again.has_value());
        REQUIRE(*again == value);
    }
}

TEST_CASE("size: reads whole numbers with units") {
    const std::vector<std::pair<const char*, std::uint64_t>> table{
        {"0", 0},
        {"512", 512},
        {"512B", 512},
        {"10kB", 10'000},
        {"3MB", 3'000'000},
        {"2GB", 2'000'000'000},
        {"1TB", 1'000'000'000'000},
        {"4KiB", 4 * kibi},
        {"64MiB", 64 * kibi * kibi},
        {"1GiB", kibi * kibi * kibi},
        {"2TiB", 2 * kibi * kibi * kibi * kibi},
        {"18446744073709551615B", std::numeric_limits<std::uint64_t>::max()},
    };

    for (const auto& row : table) {
        const auto& text = row.first;
        const auto& expected = row.second;
        CAPTURE(text);
        const auto parsed = lq::parse_size(text);
        REQUIRE(parsed.has_value());
        CHECK(*parsed == expected);
    }
}

TEST_CASE("size: says what is wrong") {
    const std::vector<std::pair<const char*, const char*>> table{
        {"", "it is empty"},
        {"-1", "it is negative"},
        {"MiB", "a number is missing"},
        {"1.5MiB", "fractions are not allowed"},
        {"64mib", "unknown unit \"mib\""},
        {"64 MiB", "unknown unit \" MiB\""},
        {"10K", "unknown unit \"K\""},
        {"1MiB512KiB", "one number and one unit are expected"},
        {"18446744073709551616", "it is too large"},
        {"16777216TiB", "it is too large"},
    };

    for (const auto& row : table) {
        const auto& text = row.first;
        const auto& why = row.second;
        CAPTURE(text);
        const auto parsed = lq::parse_size(text);
        REQUIRE(parsed.has_error());
        CHECK(parsed.error().message ==
              "expected a size (512B, 10kB, 64MiB), got \"" + std::string{text} + "\": " + why);
    }
}

TEST_CASE("size: prints the shortest text that reads back as the same number") {
    CHECK(lq::format_size(0) == "0B");
    CHECK(lq::format_size(999) == "999B");
    CHECK(lq::format_size(1'000) == "1kB");
    CHECK(lq::format_size(kibi) == "1KiB");
    CHECK(lq::format_size(64 * kibi * kibi) == "64MiB");
    CHECK(lq::format_size(1'000'001) == "1000001B");

    constexpr unsigned seed = 12;
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    for (int i = 0; i < 2'000; ++i) {
        const std::uint64_t value = (random() >> (random() % 64)) << (random() % 3 * 10);
        const auto again = lq::parse_size(lq::format_size(value));
        REQUIRE(again.has_value());
        REQUIRE(*again == value);
    }
}

TEST_SUITE_END();
