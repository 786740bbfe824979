#include "console.hpp"
#include "instant.hpp"
#include "printable.hpp"
#include "progress.hpp"
#include "render.hpp"
#include "row_builder.hpp"
#include "stop.hpp"
#include "zone.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

namespace {

using libqueue::column_type;
using libqueue::report;
using qctl::list_renderer;
using qctl::output_format;
using qctl::view;

report two_jobs() {
    report rows;
    rows.columns = {{"id", column_type::integer},   {"kind", column_type::text},
                    {"payload", column_type::json}, {"paused", column_type::boolean},
                    {"run_at", column_type::time},  {"rate", column_type::number}};
    rows.rows = {
        {"1", "a.b", R"({"n": 12345678901234567890.10})", "t", "2026-01-31 09:00:00.5+01", "0.25"},
        {"22", "say \"hi\",\nbye", "null", "f", std::nullopt, "NaN"}};
    return rows;
}

view in(output_format format) {
    view how;
    how.format = format;
    return how;
}

std::string rendered(const report& rows, const view& how) {
    list_renderer to{how};
    auto text = to.add(rows);
    return text + to.finish();
}

}  // namespace

TEST_SUITE("qctl text") {
    TEST_CASE("nothing a terminal would obey is printed") {
        CHECK(qctl::printable("a\x1b[2Jb\x07") == "a\\x1b[2Jb\\x07");
        CHECK(qctl::printable("line\nnext\ttab\r") == "line\\nnext\\ttab\\r");
        CHECK(qctl::printable("\x7f\xc2\x9b") == "\\x7f\\u009b");
        CHECK(qctl::printable("\xe2\x80\xaegnp.exe") == "\\u202egnp.exe");
        CHECK(qctl::printable("\xff\xc3") == "\\xff\\xc3");
        CHECK(qctl::printable("caf\xc3\xa9 \xe6\xbc\xa2") == "caf\xc3\xa9 \xe6\xbc\xa2");
        CHECK(qctl::printable_lines("a\n\x1b") == "a\n\\x1b");
    }

    TEST_CASE("--tz: tables show the clocks of the zone, also at a terminal; programs get UTC") {
        auto how = in(output_format::table);
        how.columns = {"run_at"};
        how.headers = false;
        how.zone = "Europe/Berlin";
        auto rows = two_jobs();
        rows.rows[1][4] = "2026-07-01 22:30:00+00";
        const std::string clocks{
            "2026-01-31T09:00:00.500000+01:00\n2026-07-02T00:30:00.000000+02:00\n"};
        CHECK(rendered(rows, how) == clocks);
        how.for_people = true;
        how.now = *qctl::read_instant("2026-01-31T08:01:00Z");
        CHECK(rendered(rows, how) == clocks);
        CHECK(qctl::render_object(rows, how) ==
              "run_at  2026-01-31T09:00:00.500000+01:00 (59s ago)\n");
        how.format = output_format::csv;
        CHECK(rendered(rows, how) == "2026-01-31T08:00:00.500000Z\n2026-07-01T22:30:00.000000Z\n");
        how.format = output_format::json;
        CHECK(rendered(rows, how).find("2026-07-01T22:30:00.000000Z") != std::string::npos);
    }

    TEST_CASE("zones: known whatever the case, and what they show is the same moment") {
        CHECK(qctl::find_zone("europe/berlin") == "Europe/Berlin");
        CHECK(qctl::find_zone("utc") == "UTC");
        CHECK_FALSE(qctl::find_zone("Mars/Base"));
        CHECK_FALSE(qctl::find_zone("../../etc/passwd"));
        CHECK_FALSE(qctl::find_zone(""));
        for (const auto* text : {"1850-01-01T00:00:00Z", "2026-03-29T00:59:59.999999Z",
                                 "2026-03-29T01:00:00Z", "2026-10-25T00:30:00Z"}) {
            const auto when = *qctl::read_instant(text);
            for (const auto* zone :
                 {"Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "UTC"}) {
                CHECK(qctl::read_instant(qctl::zoned_instant(when, zone)) == when);
            }
        }
        CHECK(qctl::zoned_instant(*qctl::read_instant("2026-03-29T01:00:00Z"), "Europe/Berlin") ==
              "2026-03-29T03:00:00.000000+02:00");
    }

    TEST_CASE("JSON escapes are those of JSON and of terminals") {
        CHECK(qctl::json_quoted("a\"b\\c\n\x01\x7f") == R"("a\"b\\c\n\u0001\u007f")");
        CHECK(qctl::json_quoted("\xe2\x80\xae") == R"("\u202e")");
        CHECK(qctl::json_quoted("\xff") == "\"\xef\xbf\xbd\"");
        CHECK(qctl::json_printable("{\"a\": \"\xc2\x9b\"}") == R"({"a": "\u009b"})");
    }

    TEST_CASE("width counts what a terminal shows") {
        CHECK(qctl::display_width("abc") == 3);
        CHECK(qctl::display_width("\xe6\xbc\xa2") == 2);
        CHECK(qctl::display_width("e\xcc\x81") == 1);
        CHECK(qctl::fitted("abcdef", 4) == "abc…");
        CHECK(qctl::fitted("abcd", 4) == "abcd");
        CHECK(qctl::fitted("\xe6\xbc\xa2\xe6\xbc\xa2", 3) == "\xe6\xbc\xa2…");
    }

    TEST_CASE("times are read in every spelling that names a zone") {
        const auto when = qctl::read_instant("2026-01-31T08:00:00Z");

        REQUIRE(when);
        CHECK(qctl::iso_instant(*when) == "2026-01-31T08:00:00.000000Z");
        CHECK(qctl::read_instant("2026-01-31 09:00+01") == when);
        CHECK(qctl::read_instant("2026-01-31 02:30:00.0-05:30") == when);
        CHECK(qctl::read_instant("2026-01-31T13:30:00+0530") == when);
        for (const auto* const bad :
             {"", "2026-01-31", "2026-01-31T08:00:00", "2026-02-30T08:00:00Z",
              "2026-01-31T24:00:00Z", "2026-01-31T08:60:00Z", "infinity", "2026-01-31T08:00:00Zx",
              "2026-01-31T08:00:00.Z", "12026-01-31T08:00:00Z"}) {
            CHECK_MESSAGE(!qctl::read_instant(bad), bad);
        }
    }

    TEST_CASE("relative times round down to one unit") {
        const auto now = *qctl::read_instant("2026-01-31T08:00:00Z");

        CHECK(qctl::relative_instant(now, now) == "now");
        CHECK(qctl::relative_instant(now - std::chrono::seconds{59}, now) == "59s ago");
        CHECK(qctl::relative_instant(now - std::chrono::minutes{119}, now) == "1h ago");
        CHECK(qctl::relative_instant(now + std::chrono::hours{49}, now) == "in 2d");
    }
}

TEST_SUITE("qctl output") {
    TEST_CASE("JSON keeps numbers and documents as they came") {
        const auto text = rendered(two_jobs(), in(output_format::json));

        CHECK(text ==
              R"([{"id":1,"kind":"a.b","payload":{"n": 12345678901234567890.10},"paused":true,)"
              R"("run_at":"2026-01-31T08:00:00.500000Z","rate":0.25},)"
              "\n "
              R"({"id":22,"kind":"say \"hi\",\nbye","payload":null,"paused":false,)"
              R"("run_at":null,"rate":"NaN"}])"
              "\n");
        CHECK(boost::json::parse(text).as_array().size() == 2);
    }

    TEST_CASE("an empty list is an empty array, no line and a header") {
        auto none = two_jobs();
        none.rows.clear();

        CHECK(rendered(none, in(output_format::json)) == "[]\n");
        CHECK(rendered(none, in(output_format::jsonl)).empty());
        CHECK(rendered(none, in(output_format::csv)) == "id,kind,payload,paused,run_at,rate\n");
    }

    TEST_CASE("pages make one list") {
        list_renderer json{in(output_format::json)};
        auto text = json.add(two_jobs());
        text += json.add(two_jobs());
        text += json.finish();
        list_renderer csv{in(output_format::csv)};
        auto lines = csv.add(two_jobs());
        lines += csv.add(two_jobs());
        lines += csv.finish();

        CHECK(boost::json::parse(text).as_array().size() == 4);
        CHECK(lines.find("id,kind") == lines.rfind("id,kind"));
    }

    TEST_CASE("jsonl is one object per line") {
        const auto text = rendered(two_jobs(), in(output_format::jsonl));

        CHECK(std::count(text.begin(), text.end(), '\n') == 2);
    }

    TEST_CASE("CSV quotes, and tells NULL from an empty text") {
        report rows;
        rows.columns = {{"a", column_type::text}, {"b", column_type::text}};
        rows.rows = {{"say \"hi\", you\nthere", std::nullopt}, {"", "x\x1b"}};

        CHECK(rendered(rows, in(output_format::csv)) ==
              "a,b\n\"say \"\"hi\"\", you\nthere\",\n\"\",x\\x1b\n");
        auto bare = in(output_format::csv);
        bare.headers = false;
        CHECK(rendered(rows, bare).starts_with("\"say"));
    }

    TEST_CASE("a table aligns, and shows NULL as a dash") {
        auto how = in(output_format::table);
        how.default_columns = "id,run_at,kind,column_of_tomorrow";

        CHECK(rendered(two_jobs(), how) ==
              "ID  RUN_AT                       KIND\n"
              " 1  2026-01-31T08:00:00.500000Z  a.b\n"
              "22  -                            say \"hi\",\\nbye\n");
    }

    TEST_CASE("wide shows every column") {
        auto how = in(output_format::wide);
        how.default_columns = "id";

        CHECK(rendered(two_jobs(), how).find("PAYLOAD") != std::string::npos);
    }

    TEST_CASE("a table for people fits the terminal and tells times relatively") {
        report rows;
        rows.columns = {{"id", column_type::integer},
                        {"run_at", column_type::time},
                        {"error", column_type::text}};
        rows.rows = {{"1", "2026-01-31 08:00:00+00", std::string(200, 'e')}};
        auto how = in(output_format::table);
        how.for_people = true;
        how.width = 40;
        how.now = *qctl::read_instant("2026-01-31T08:05:00Z");

        const auto text = rendered(rows, how);

        CHECK(text.find("5m ago") != std::string::npos);
        CHECK(text.find("…") != std::string::npos);
        std::size_t begin = 0;
        while (begin < text.size()) {
            const auto end = text.find('\n', begin);
            CHECK(qctl::display_width(text.substr(begin, end - begin)) <= 40);
            begin = end + 1;
        }
    }

    TEST_CASE("nothing is cut when nobody watches") {
        report rows;
        rows.columns = {{"error", column_type::text}};
        rows.rows = {{std::string(500, 'e')}};

        CHECK(rendered(rows, in(output_format::table)).find(std::string(500, 'e')) !=
              std::string::npos);
    }

    TEST_CASE("colour is added only when asked for") {
        report rows;
        rows.columns = {{"state", column_type::text}};
        rows.rows = {{"dead"}};
        auto colored = in(output_format::table);
        colored.color = true;

        CHECK(rendered(rows, colored).find("\x1b[31mdead\x1b[0m") != std::string::npos);
        CHECK(rendered(rows, in(output_format::table)).find('\x1b') == std::string::npos);
    }

    TEST_CASE("id prints the ids alone") {
        CHECK(rendered(two_jobs(), in(output_format::id)) == "1\n22\n");
    }

    TEST_CASE("chosen columns come in the order chosen; an unknown one is refused") {
        auto how = in(output_format::csv);
        how.columns = {"kind", "id"};
        CHECK(rendered(two_jobs(), how).starts_with("kind,id\na.b,1\n"));

        how.columns = {"knid"};
        try {
            static_cast<void>(rendered(two_jobs(), how));
            FAIL("accepted");
        } catch (const qctl::stop& why) {
            CHECK(why.exit == qctl::exit_code::usage);
            CHECK(why.hint == "did you mean 'kind'?");
        }
    }

    TEST_CASE("a single thing is an object, or names and values") {
        qctl::row_builder row;
        row.integer("id", 7).text("last_error", std::nullopt);

        CHECK(qctl::render_object(row.done(), in(output_format::json)) ==
              "{\"id\":7,\"last_error\":null}\n");
        CHECK(qctl::render_object(row.done(), in(output_format::table)) ==
              "id          7\nlast_error  -\n");
        CHECK(qctl::render_object(row.done(), in(output_format::csv)) == "id,last_error\n7,\n");
    }

    TEST_CASE("an error is one line of JSON or two lines for people") {
        const qctl::stop why{qctl::exit_code::refused, "conflict", "job \x1b[2J 7", "look"};

        CHECK(qctl::error_text(why, true, false) ==
              "{\"error\":{\"code\":\"conflict\",\"message\":\"job \\u001b[2J 7\",\"hint\":"
              "\"look\"}}\n");
        CHECK(qctl::error_text(why, false, false) == "qctl: error: job \\x1b[2J 7\n  hint: look\n");
    }

    TEST_CASE("progress tells share, rate and time left") {
        CHECK(qctl::progress_text("replaying", 500, 1000, std::chrono::seconds{5}) ==
              "replaying [##########..........] 500/1000 50% 100/s ETA 5s");
        CHECK(qctl::progress_text("enqueueing", 300, 0, std::chrono::seconds{3}) ==
              "enqueueing 300 100/s");
        CHECK(qctl::progress_text("purging", 0, 10, std::chrono::seconds{0}) ==
              "purging [....................] 0/10 0%");
    }
}
