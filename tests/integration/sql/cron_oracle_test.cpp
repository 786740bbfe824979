#include "support/test_database.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

// Every slot around every change of every clock of the tz database, against an oracle that knows
// nothing but the C library's localtime and goes minute by minute: a wall-clock schedule fires in
// the minute in which the clock first shows a matching time, or passes one over; a schedule of
// every hour fires in each minute that shows one. Set LIBQUEUE_CRON_YEARS=2017-2037 for a wide one.

namespace {

using minutes = std::vector<std::int64_t>;  ///< since 1970

class expression {
   public:
    const char* cron;
    bool every_hour;
    bool (*matches)(const std::tm& t);
};

int last_day(const std::tm& t) {
    std::tm next{};
    next.tm_year = t.tm_year;
    next.tm_mon = t.tm_mon + 1;
    next.tm_mday = 1;
    const std::time_t at = ::timegm(&next) - 86'400;
    std::tm last{};
    ::gmtime_r(&at, &last);
    return last.tm_mday;
}

bool nearest_to_15(const std::tm& t) {
    const int dow_15 = (t.tm_wday + 15 - t.tm_mday + 35) % 7;
    return t.tm_mday == (dow_15 == 6 ? 14 : dow_15 == 0 ? 16 : 15);
}

std::vector<expression> wall_clock_expressions() {
    return {
        {"30 2 * * *", false,
         [](const std::tm& t) {
             return t.tm_min == 30 && t.tm_hour == 2;
         }},
        {"0 0 * * *", false,
         [](const std::tm& t) {
             return t.tm_min == 0 && t.tm_hour == 0;
         }},
        {"59 23 * * *", false,
         [](const std::tm& t) {
             return t.tm_min == 59 && t.tm_hour == 23;
         }},
        {"*/20 1-3 * * *", false,
         [](const std::tm& t) {
             return t.tm_min % 20 == 0 && t.tm_hour >= 1 && t.tm_hour <= 3;
         }},
        {"15,45 */2 * * *", false,
         [](const std::tm& t) {
             return (t.tm_min == 15 || t.tm_min == 45) && t.tm_hour % 2 == 0;
         }},
        {"0 1-23 * * *", false,
         [](const std::tm& t) {
             return t.tm_min == 0 && t.tm_hour >= 1;
         }},
        {"10 0,23 * * SUN", false,
         [](const std::tm& t) {
             return t.tm_min == 10 && (t.tm_hour == 0 || t.tm_hour == 23) && t.tm_wday == 0;
         }},
        {"5 2 L * *", false,
         [](const std::tm& t) {
             return t.tm_min == 5 && t.tm_hour == 2 && t.tm_mday == last_day(t);
         }},
        {"0 2 ? * SUNL", false,
         [](const std::tm& t) {
             return t.tm_min == 0 && t.tm_hour == 2 && t.tm_wday == 0 &&
                    t.tm_mday + 7 > last_day(t);
         }},
        {"30 1 ? * 0#1", false,
         [](const std::tm& t) {
             return t.tm_min == 30 && t.tm_hour == 1 && t.tm_wday == 0 && t.tm_mday <= 7;
         }},
        {"0 3 15W * ?", false,
         [](const std::tm& t) {
             return t.tm_min == 0 && t.tm_hour == 3 && nearest_to_15(t);
         }},
        {"0 2 1-7 * 6", false,
         [](const std::tm& t) {
             return t.tm_min == 0 && t.tm_hour == 2 && (t.tm_mday <= 7 || t.tm_wday == 6);
         }},
    };
}

std::vector<expression> running_expressions() {
    return {
        {"0 * * * *", true,
         [](const std::tm& t) {
             return t.tm_min == 0;
         }},
        {"*/25 * * * *", true,
         [](const std::tm& t) {
             return t.tm_min % 25 == 0;
         }},
        {"30 * * * SUN", true,
         [](const std::tm& t) {
             return t.tm_min == 30 && t.tm_wday == 0;
         }},
        {"45 */1 1 * *", true,
         [](const std::tm& t) {
             return t.tm_min == 45 && t.tm_mday == 1;
         }},
        {"10 * ? * 6#4", true,
         [](const std::tm& t) {
             return t.tm_min == 10 && t.tm_wday == 6 && t.tm_mday > 21 && t.tm_mday <= 28;
         }},
    };
}

std::tm local_of(std::int64_t minute) {
    const std::time_t at = minute * 60;
    std::tm t{};
    ::localtime_r(&at, &t);
    return t;
}

/// The wall clock's minutes since 1970.
std::int64_t wall_minute(const std::tm& t) {
    std::tm copy = t;
    return ::timegm(&copy) / 60;
}

/// Of the zone that is set: windows of two days to each side of every change of its offset.
class window {
   public:
    std::int64_t from;
    std::int64_t until;
};

std::vector<window> windows_of(int first_year, int last_year) {
    std::tm begin{};
    begin.tm_year = first_year - 1900;
    begin.tm_mday = 1;
    std::tm end = begin;
    end.tm_year = last_year + 1 - 1900;
    std::vector<window> found;
    constexpr std::int64_t step{6 * 60};
    constexpr std::int64_t two_days{2 * 24 * 60};
    long offset = local_of(::timegm(&begin) / 60).tm_gmtoff;
    for (std::int64_t at = ::timegm(&begin) / 60; at < ::timegm(&end) / 60; at += step) {
        if (const long now = local_of(at).tm_gmtoff; now != offset) {
            found.push_back(window{at - two_days, at + two_days});
            offset = now;
        }
    }
    return found;
}

minutes oracle(const expression& of, const window& in) {
    minutes fired;
    std::int64_t reached = wall_minute(local_of(in.from - 24 * 60));
    for (std::int64_t at = in.from - 24 * 60; at <= in.until; ++at) {
        const std::tm local = local_of(at);
        bool fires = of.every_hour && of.matches(local);
        const std::int64_t shown = wall_minute(local);
        for (std::int64_t wall = reached + 1; !of.every_hour && wall <= shown; ++wall) {
            const std::time_t passed = wall * 60;
            std::tm t{};
            ::gmtime_r(&passed, &t);
            fires = fires || of.matches(t);
        }
        reached = std::max(reached, shown);
        if (fires && at > in.from) {
            fired.push_back(at);
        }
    }
    return fired;
}

std::string text_of(const minutes& values) {
    std::string text{"{"};
    for (const std::int64_t value : values) {
        text += (text.size() > 1 ? "," : "") + std::to_string(value);
    }
    return text + "}";
}

/// Without the names that PostgreSQL reads as abbreviations, which no schedule may have.
std::vector<std::string> zone_names(const test::test_database& db) {
    std::set<std::string> abbreviations;
    for (const auto& row : db.rows("SELECT abbrev FROM pg_timezone_abbrevs")) {
        abbreviations.insert(row.at(0).value());
    }
    std::ifstream list{"/usr/share/zoneinfo/tzdata.zi"};
    std::vector<std::string> names;
    for (std::string line; std::getline(list, line);) {
        const auto word = [&](int nth) {
            std::size_t from = 0;
            for (int i = 0; i < nth; ++i) {
                from = line.find(' ', from) + 1;
            }
            return line.substr(from, line.find(' ', from) - from);
        };
        // "Z name offset ..." is a zone, "L target name" another name of one.
        if (line.starts_with("Z ") || line.starts_with("L ")) {
            std::string name = word(line[0] == 'Z' ? 1 : 2);
            if (!abbreviations.contains(name)) {
                names.push_back(std::move(name));
            }
        }
    }
    return names;
}

/// Zones whose clocks change alike in these years need to be looked at once.
std::map<std::string, std::string> distinct_zones(const std::vector<std::string>& names,
                                                  int first_year, int last_year) {
    std::map<std::string, std::string> by_changes;
    for (const std::string& name : names) {
        ::setenv("TZ", (":" + name).c_str(), 1);
        ::tzset();
        std::string changes;
        for (const window& each : windows_of(first_year, last_year)) {
            for (std::int64_t at = each.from; at < each.until; at += 15) {
                changes += std::to_string(local_of(at).tm_gmtoff / 60) + " ";
            }
            changes += std::to_string(each.from) + ";";
        }
        by_changes.emplace(std::move(changes), name);
    }
    return by_changes;
}

TEST_SUITE("cron oracle") {
    TEST_CASE("every change of every zone's clock: the slots are the oracle's") {
        const char* years = std::getenv("LIBQUEUE_CRON_YEARS");
        const std::string range = years != nullptr ? years : "2025-2027";
        const int first_year = std::stoi(range);
        const int last_year = std::stoi(range.substr(range.find('-') + 1));
        const std::string zone_before = std::getenv("TZ") != nullptr ? std::getenv("TZ") : "";
        const test::test_database db;
        test::connection on{db.dsn()};
        on.execute(
            "CREATE FUNCTION slots(cron text, zone text, since bigint, until bigint) "
            "RETURNS bigint[] LANGUAGE plpgsql AS $$ DECLARE c queue.cron := "
            "queue.parse_cron(cron); at timestamptz := to_timestamp(since * 60); "
            "found bigint[] := '{}'; BEGIN LOOP at := queue.cron_next(c, zone, at, at); "
            "EXIT WHEN at IS NULL OR extract(epoch FROM at) > until * 60; "
            "found := found || (extract(epoch FROM at) / 60)::bigint; END LOOP; "
            "RETURN found; END $$");

        const auto names = zone_names(db);
        REQUIRE(names.size() > 500);
        const auto zones = distinct_zones(names, first_year, last_year);
        std::vector<expression> expressions = wall_clock_expressions();
        for (const expression& each : running_expressions()) {
            expressions.push_back(each);
        }
        std::int64_t compared = 0;
        int wrong = 0;
        for (const auto& [changes, zone] : zones) {
            ::setenv("TZ", (":" + zone).c_str(), 1);
            ::tzset();
            for (const window& each : windows_of(first_year, last_year)) {
                for (const expression& of : expressions) {
                    const std::string expected = text_of(oracle(of, each));
                    const std::string got = on.query(
                        "SELECT slots($1, $2, $3, $4)",
                        {of.cron, zone, std::to_string(each.from), std::to_string(each.until)});
                    ++compared;
                    if (got != expected && ++wrong <= 20) {
                        FAIL_CHECK(zone << " " << std::string{of.cron} << " from minute "
                                        << each.from << "\n expected " << expected << "\n got      "
                                        << got);
                    }
                }
            }
        }
        ::setenv("TZ", zone_before.c_str(), 1);
        if (zone_before.empty()) {
            ::unsetenv("TZ");
        }
        ::tzset();
        MESSAGE(names.size() << " zones, " << zones.size() << " different, " << compared
                             << " comparisons");
        CHECK(wrong == 0);
        CHECK(compared > 1'000);
    }
}

}  // namespace
