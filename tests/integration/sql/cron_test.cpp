#include "support/test_database.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

// Reading expressions and finding their slots, by tables. The oracle over all zones is next door.

namespace {

/// The next firings in UTC, as "01-31 09:00 02-28 09:00".
std::string firings(const test::test_database& db, const std::string& cron, int n = 3,
                    const std::string& zone = "UTC",
                    const std::string& after = "2026-01-01 00:00:00+00") {
    return db.query(
        "SELECT string_agg(to_char(f AT TIME ZONE 'UTC', CASE WHEN extract(second FROM f) = 0 "
        "THEN 'MM-DD HH24:MI' ELSE 'MM-DD HH24:MI:SS' END), ' ') "
        "FROM queue.preview_cron($1, $2, $3, $4) f",
        {cron, std::to_string(n), zone, after});
}

/// What an expression is refused with, without the SQLSTATE, which must be that of bad arguments.
std::string refusal(const test::test_database& db, const test::field& cron,
                    const std::string& zone = "UTC") {
    try {
        db.execute("SELECT queue.preview_cron($1, 1, $2)", {cron, zone});
    } catch (const test::sql_error& what) {
        CHECK(what.sqlstate() == "LQ001");
        const std::string text = what.what();
        const auto from = text.find("cron: ");
        return text.substr(from == std::string::npos ? 0 : from,
                           text.find('\n', from == std::string::npos ? 0 : from) -
                               (from == std::string::npos ? 0 : from));
    }
    return {};
}

bool says(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST_SUITE("cron") {
    TEST_CASE("fields: values, lists, ranges, steps and names") {
        const test::test_database db;
        // 2026-01-01 is a Thursday.
        CHECK(firings(db, "30 9 * * *", 2) == "01-01 09:30 01-02 09:30");
        CHECK(firings(db, "0,30 9,17 * * *", 5) ==
              "01-01 09:00 01-01 09:30 01-01 17:00 01-01 17:30 01-02 09:00");
        CHECK(firings(db, "0 9-11 * * *", 4) == "01-01 09:00 01-01 10:00 01-01 11:00 01-02 09:00");
        CHECK(firings(db, "*/20 0 * * *", 3) == "01-01 00:20 01-01 00:40 01-02 00:00");
        CHECK(firings(db, "0 6-23/8 * * *", 4) ==
              "01-01 06:00 01-01 14:00 01-01 22:00 01-02 06:00");
        CHECK(firings(db, "0 20/2 * * *", 3) == "01-01 20:00 01-01 22:00 01-02 20:00");
        CHECK(firings(db, "0 0 1 jan,JUL *", 2) == "07-01 00:00 01-01 00:00");
        CHECK(firings(db, "0 0 * * mon-wed", 4) ==
              "01-05 00:00 01-06 00:00 01-07 00:00 01-12 00:00");
        CHECK(firings(db, "0 0 * * 5-7", 3) == "01-02 00:00 01-03 00:00 01-04 00:00");
        CHECK(firings(db, "0 0 * * SAT-SUN", 3) == "01-03 00:00 01-04 00:00 01-10 00:00");
        CHECK(firings(db, "0 0 * * 7", 2) == firings(db, "0 0 * * 0", 2));
        CHECK(firings(db, "  0\t0  *   * * ", 1) == "01-02 00:00");
    }

    TEST_CASE("fields: six of them begin with the second") {
        const test::test_database db;
        CHECK(firings(db, "15 30 9 * * *", 2) == "01-01 09:30:15 01-02 09:30:15");
        CHECK(firings(db, "*/30 0 9 * * *", 3) == "01-01 09:00 01-01 09:00:30 01-02 09:00");
        CHECK(firings(db, "*/20 * * * * *", 3) == "01-01 00:00:20 01-01 00:00:40 01-01 00:01");
    }

    TEST_CASE("days: L, L-n, W and LW stay within the month") {
        const test::test_database db;
        CHECK(firings(db, "0 0 L * *", 4) == "01-31 00:00 02-28 00:00 03-31 00:00 04-30 00:00");
        CHECK(firings(db, "0 0 L 2 *", 3) == "02-28 00:00 02-28 00:00 02-29 00:00");
        CHECK(firings(db, "0 0 L-2 * *", 3) == "01-29 00:00 02-26 00:00 03-29 00:00");
        // 31 January and 28 February 2026 are Saturdays.
        CHECK(firings(db, "0 0 LW * *", 3) == "01-30 00:00 02-27 00:00 03-31 00:00");
        // 15 February is a Sunday, 15 August a Saturday; 1 February a Sunday, 1 August a Saturday.
        CHECK(firings(db, "0 0 15W 2,8 ?", 2) == "02-16 00:00 08-14 00:00");
        CHECK(firings(db, "0 0 1W 2,8 ?", 2) == "02-02 00:00 08-03 00:00");
        // 31 May 2026 is a Sunday, and no other month but the long ones has a 31st.
        CHECK(firings(db, "0 0 31W 4,5,6 ?", 1) == "05-29 00:00");
        CHECK(firings(db, "0 0 1,L * *", 4) == "01-31 00:00 02-01 00:00 02-28 00:00 03-01 00:00");
        CHECK(firings(db, "0 0 31 * *", 3) == "01-31 00:00 03-31 00:00 05-31 00:00");
        CHECK(firings(db, "0 0 29 2 *", 1) == "02-29 00:00");
    }

    TEST_CASE("days: the k-th and the last of a week day") {
        const test::test_database db;
        CHECK(firings(db, "0 0 ? * 2#1", 3) == "01-06 00:00 02-03 00:00 03-03 00:00");
        CHECK(firings(db, "0 0 ? * FRI#3", 2) == "01-16 00:00 02-20 00:00");
        CHECK(firings(db, "0 0 ? * 5#5", 3) == "01-30 00:00 05-29 00:00 07-31 00:00");
        CHECK(firings(db, "0 0 ? * 5L", 3) == "01-30 00:00 02-27 00:00 03-27 00:00");
        CHECK(firings(db, "0 0 ? * SUNL,MON#1", 3) == "01-05 00:00 01-25 00:00 02-02 00:00");
    }

    TEST_CASE("days: two restricted fields are alternatives, a starred one is not") {
        const test::test_database db;
        CHECK(firings(db, "0 0 13 * 5", 4) == "01-02 00:00 01-09 00:00 01-13 00:00 01-16 00:00");
        CHECK(firings(db, "0 0 */2 * 5", 3) == "01-09 00:00 01-23 00:00 02-13 00:00");
        CHECK(firings(db, "0 0 13 * ?", 1) == "01-13 00:00");
    }

    TEST_CASE("nicknames and fixed intervals") {
        const test::test_database db;
        CHECK(firings(db, "@yearly", 1) == "01-01 00:00");
        CHECK(firings(db, "@monthly", 2) == "02-01 00:00 03-01 00:00");
        CHECK(firings(db, "@weekly", 2) == "01-04 00:00 01-11 00:00");
        CHECK(firings(db, "@Daily", 1) == "01-02 00:00");
        CHECK(firings(db, "@hourly", 2) == "01-01 01:00 01-01 02:00");
        CHECK(firings(db, "@every 90s", 3) == "01-01 00:01:30 01-01 00:03 01-01 00:04:30");
        CHECK(firings(db, "@every 1d2h3m4s", 1) == "01-02 02:03:04");
        // An interval is real time: the day of the change has 23 hours.
        CHECK(firings(db, "@every 24h", 2, "Europe/Berlin", "2026-03-28 12:00:00+00") ==
              "03-29 12:00 03-30 12:00");
    }

    TEST_CASE("daylight saving: a skipped time fires at the end of the gap, a repeated one once") {
        const test::test_database db;
        const auto around = [&](const std::string& cron, const std::string& after, int n = 3) {
            return firings(db, cron, n, "Europe/Berlin", after);
        };
        // 2026-03-29 01:00 UTC: 02:00 becomes 03:00. 2026-10-25 01:00 UTC: 03:00 becomes 02:00.
        CHECK(around("30 2 * * *", "2026-03-28 00:00+00") == "03-28 01:30 03-29 01:00 03-30 00:30");
        CHECK(around("0,30 2,3 * * *", "2026-03-29 00:00+00") ==
              "03-29 01:00 03-29 01:30 03-30 00:00");
        CHECK(around("30 2 * * *", "2026-10-24 12:00+00") == "10-25 00:30 10-26 01:30 10-27 01:30");
        CHECK(around("*/30 2 * * *", "2026-10-25 00:45+00") ==
              "10-26 01:00 10-26 01:30 10-27 01:00");
        // Every hour means every hour that passes.
        CHECK(around("0 * * * *", "2026-03-29 00:00+00") == "03-29 01:00 03-29 02:00 03-29 03:00");
        CHECK(around("0 * * * *", "2026-10-24 23:30+00", 4) ==
              "10-25 00:00 10-25 01:00 10-25 02:00 10-25 03:00");
        CHECK(around("30 * 25 10 *", "2026-10-24 23:00+00", 3) ==
              "10-24 23:30 10-25 00:30 10-25 01:30");
    }

    TEST_CASE("zones: a day that never was, clocks moved at midnight, by half an hour, by a day") {
        const test::test_database db;
        // Samoa had no 30 December 2011.
        CHECK(firings(db, "0 12 * * *", 3, "Pacific/Apia", "2011-12-29 12:00:00+00") ==
              "12-29 22:00 12-30 10:00 12-30 22:00");
        // Chile goes forward at midnight.
        CHECK(firings(db, "0 0 * * *", 2, "America/Santiago", "2026-09-05 12:00:00+00") ==
              "09-06 04:00 09-07 03:00");
        // Lord Howe by half an hour: 01:45 occurs twice, 02:15 once a year never.
        CHECK(firings(db, "45 1 * * *", 2, "Australia/Lord_Howe", "2026-04-04 00:00:00+00") ==
              "04-04 14:45 04-05 15:15");
        CHECK(firings(db, "15 2 * * *", 2, "Australia/Lord_Howe", "2026-10-03 00:00:00+00") ==
              "10-03 15:30 10-04 15:15");
        CHECK(firings(db, "0 9 * * *", 1, "Asia/Kathmandu") == "01-01 03:15");
        CHECK(firings(db, "0 9 * * *", 1, "europe/berlin") == "01-01 08:00");
    }

    TEST_CASE("refused: what is wrong, in which field, and what came") {
        const test::test_database db;
        const std::vector<std::pair<std::string, std::string>> cases{
            {"60 * * * *", "cron: minute: expected 0 to 59, got '60'"},
            {"* 24 * * *", "cron: hour: expected 0 to 23, got '24'"},
            {"* * 0 * *", "cron: day of month: expected 1 to 31, got '0'"},
            {"* * 32W * *", "cron: day of month: expected 1 to 31, got '32'"},
            {"* * L-31 * *", "cron: day of month: expected L-0 to L-30, got 'L-31'"},
            {"* * * 13 *", "cron: month: expected 1 to 12 or JAN ... DEC, got '13'"},
            {"* * * foo *", "cron: month: expected 1 to 12 or JAN ... DEC, got 'FOO'"},
            {"* * * * 8", "cron: day of week: expected 0 to 7 or SUN ... SAT, got '8'"},
            {"* * * * mon#6", "cron: day of week: expected #1 to #5, got 'MON#6'"},
            {"99 * * * * *", "cron: second: expected 0 to 59, got '99'"},
            {"0 22-6 * * *", "cron: hour: expected a range that goes up"},
            {"*/0 * * * *", "cron: minute: expected a step of 1 to 59"},
            {"*/90 * * * *", "cron: minute: expected a step of 1 to 59"},
            {"1,,2 * * * *", "cron: minute: expected *, a value"},
            {"*-5 * * * *", "cron: minute: expected *, a value"},
            {"1--5 * * * *", "cron: minute: expected *, a value"},
            {"? * * * *", "cron: minute: expected *, a value"},
            {"0 0 ? * ?", "cron: day of week: expected ? in one of the two day fields"},
            {"* * * *", "cron: expression: expected 5 or 6 fields and not 4"},
            {"* * * * * * 2026", "cron: expression: expected 5 or 6 fields and not 7"},
            {"@reboot", "cron: expression: expected @yearly"},
            {"@every 0s", "cron: @every: expected an interval of 1s to 366d"},
            {"@every 367d", "cron: @every: expected an interval of 1s to 366d"},
            {"@every soon", "cron: @every: expected an interval of 1s to 366d"},
            {"@every 99999999999999999999s", "cron: @every: expected an interval"},
            {"", "cron: expression: expected 1 to 256 bytes, got ''"},
            {"   ", "cron: expression: expected 1 to 256 bytes"},
            {std::string(257, '*'), "cron: expression: expected 1 to 256 bytes"},
            {"0 0 99999999999999999999 * *", "cron: day of month: expected 1 to 31"},
            {"0 0 \xE2\x80\xAE * *", "cron: day of month: expected *, a value"},
            {"'; DROP TABLE queue.job; --", "cron: minute: expected *, a value"},
        };
        for (const auto& [cron, expected] : cases) {
            CAPTURE(cron);
            const std::string said = refusal(db, cron);
            CHECK_MESSAGE(says(said, expected), said);
        }
        CHECK(says(refusal(db, std::nullopt), "expected 1 to 256 bytes, got NULL"));
    }

    TEST_CASE("refused: days that never come, by the field") {
        const test::test_database db;
        for (const std::string day : {"30 2", "31 2,4,6,9,11", "31W 4", "L-29 2", "30,31 FEB"}) {
            CAPTURE(day);
            const std::string said = refusal(db, "0 0 " + day + " *");
            CHECK_MESSAGE(says(said, "cron: day of month: expected a day that occurs in month"),
                          said);
        }
        CHECK(refusal(db, "0 0 29 2 *").empty());
        CHECK(refusal(db, "0 0 L-28 2 *").empty());
        CHECK(refusal(db, "0 0 30 2 MON").empty());  // Mondays do.
    }

    TEST_CASE("any text is refused with LQ001 or has slots that go up") {
        const test::test_database db;
        test::connection on{db.dsn()};
        on.execute(
            "CREATE FUNCTION tried(cron text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE "
            "slot timestamptz := '2026-01-31 23:59:59+00'; next_slot timestamptz; c queue.cron; "
            "BEGIN c := queue.parse_cron(cron); FOR i IN 1 .. 4 LOOP next_slot := "
            "queue.cron_next(c, 'Europe/Berlin', '2026-01-01', slot); IF next_slot IS NULL OR "
            "next_slot <= slot THEN RETURN 'stands still: ' || cron; END IF; slot := next_slot; "
            "END LOOP; RETURN 'slots'; EXCEPTION WHEN SQLSTATE 'LQ001' THEN RETURN 'refused'; "
            "END $$");
        const std::vector<std::string> pieces{
            "0",   "1",    "5",   "23",  "28",    "31", "59", "60", "7",  "*",     "?",
            "L",   "W",    "LW",  "#",   "#2",    "-",  "/",  ",",  "/2", "-9",    "MON",
            "feb", "SUNL", "15W", "L-3", "99999", "\\", "'",  "%s", "\t", "@every"};
        std::mt19937 random{20261121};
        std::map<std::string, int> seen;
        for (int i = 0; i < 4'000; ++i) {
            std::string text;
            const int fields = i % 8 == 0 ? 4 + i % 3 : 5 + i % 2;
            for (int field = 0; field < fields; ++field) {
                text += field > 0 ? " " : "";
                // Mostly sound fields, or nothing would ever get past the first.
                const int parts = random() % 4 == 0 ? 1 + static_cast<int>(random() % 4) : 0;
                text += parts == 0 ? "*" : "";
                for (int part = 0; part < parts; ++part) {
                    text += pieces[random() % pieces.size()];
                }
            }
            ++seen[on.query("SELECT tried($1)", {text})];
        }
        CHECK(seen.size() == 2);
        CHECK(seen["slots"] > 200);
        CHECK(seen["refused"] > 200);
        for (const auto& [what, times] : seen) {
            INFO(what << ": " << times);
            CHECK(what.find("stands still") == std::string::npos);
        }
    }

    TEST_CASE("refused: zones that are none") {
        const test::test_database db;
        for (const std::string zone : {"Mars/Olympus", "", "Foo/Bar5", "+02:00", "CEST", "EST5EDT4",
                                       "right/UTC", "posix/Europe/Berlin", "../etc/passwd"}) {
            CAPTURE(zone);
            CHECK(says(refusal(db, "* * * * *", zone), "timezone: expected a name"));
        }
        // Zones by these names exist; the server would read them as fixed offsets.
        for (const std::string zone : {"CET", "EET", "met", "WET", "EST"}) {
            CAPTURE(zone);
            CHECK(says(refusal(db, "* * * * *", zone), "timezone: expected the name of a zone"));
        }
        for (const std::string zone : {"UTC", "utc", "GMT", "Etc/GMT+5", "Zulu"}) {
            CAPTURE(zone);
            CHECK(refusal(db, "* * * * *", zone).empty());
        }
    }
}

}  // namespace
