#include <libqueue/filter.hpp>

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

namespace {

using libqueue::filter;
using libqueue::parse_filter;

filter read(std::string_view text) {
    auto parsed = parse_filter(text);
    REQUIRE_MESSAGE(parsed.has_value(), text, ": ",
                    parsed.has_value() ? "" : parsed.error().message);
    return *std::move(parsed);
}

std::string refused(std::string_view text) {
    const auto parsed = parse_filter(text);
    REQUIRE_MESSAGE(parsed.has_error(), text);
    CHECK(parsed.error().code == libqueue::errc::invalid_argument);
    return parsed.error().message;
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("every form of a term becomes what the SQL functions read") {
    CHECK(read("").json() == "[]");
    CHECK(read(" \t").empty());
    CHECK(read("state:failed,retrying").json() ==
          R"([{"field":"state","any":[{"eq":"dead"},{"eq":"retrying"}]}])");
    CHECK(read("state:waiting").terms.at(0).any.size() == 3);
    CHECK(read("kind:email.*").json() == R"([{"field":"kind","any":[{"like":"email.%"}]}])");
    CHECK(read("queue:a_b*").json() == R"([{"field":"queue","any":[{"like":"a\\_b%"}]}])");
    CHECK(read(R"(kind:"email.*")").json() == R"([{"field":"kind","any":[{"eq":"email.*"}]}])");
    CHECK(read("-tag:vip").json() == R"([{"field":"tag","not":true,"any":[{"eq":"vip"}]}])");
    CHECK(read("args.user.id:42").json() ==
          R"([{"field":"args","path":["user","id"],"any":[{"eq":"42"}]}])");
    CHECK(read("args.total:>10").json() ==
          R"([{"field":"args","path":["total"],"any":[{"gt":"10"}]}])");
    CHECK(read("args.coupon:none").json() ==
          R"([{"field":"args","path":["coupon"],"any":[{"none":true}]}])");
    CHECK(read(read(R"(args.path:"a\\b")").text()).json() == read(R"(args.path:"a\\b")").json());
    CHECK(read(R"(args.coupon:"none")").json() ==
          R"([{"field":"args","path":["coupon"],"any":[{"eq":"none"}]}])");
    CHECK(read(R"(error:"time \"out\"")").json() ==
          R"([{"field":"error","any":[{"part":"time \"out\""}]}])");
    CHECK(read("age:>10m").json() == R"([{"field":"age","any":[{"gt":"600000000"}]}])");
    CHECK(read("attempt:2..4").json() == R"([{"field":"attempt","any":[{"ge":"2","le":"4"}]}])");
    CHECK(read("tenant:none").json() == R"([{"field":"tenant","any":[{"none":true}]}])");
}

TEST_CASE("a day is the whole of it, whichever side it bounds") {
    CHECK(read("created:2026-12-31").json() ==
          R"([{"field":"created","any":[{"ge":"2026-12-31T00:00:00Z",)"
          R"("lt":"2027-01-01T00:00:00Z"}]}])");
    CHECK(read("created:>2026-02-28").json() ==
          R"([{"field":"created","any":[{"ge":"2026-03-01T00:00:00Z"}]}])");
    CHECK(read("created:<=2026-11-05").json() ==
          R"([{"field":"created","any":[{"lt":"2026-11-06T00:00:00Z"}]}])");
    CHECK(read("created:2026-11-01..").json() ==
          R"([{"field":"created","any":[{"ge":"2026-11-01T00:00:00Z"}]}])");
    CHECK(read("died:..2026-11-01T08:00:00Z").json() ==
          R"([{"field":"died","any":[{"le":"2026-11-01T08:00:00Z"}]}])");
}

TEST_CASE("a word without a field is an id when it is a number, else a text to look for") {
    CHECK(read("42").json() == R"([{"field":"id","any":[{"eq":"42"}]}])");
    CHECK(read(R"("42")").json() == R"([{"field":"text","any":[{"part":"42"}]}])");
    CHECK(read("stripe").json() == R"([{"field":"text","any":[{"part":"stripe"}]}])");
    CHECK(read("-stripe").json() == R"([{"field":"text","not":true,"any":[{"part":"stripe"}]}])");
}

TEST_CASE("what is wrong is said with its position and what was meant") {
    const std::string mistyped = refused("queue:mail stat:dead");
    CHECK(contains(mistyped, "position 12"));
    CHECK(contains(mistyped, "did you mean state:"));
    CHECK(contains(refused("http://example.com"), "write it in quotes"));
    CHECK(contains(refused("args:42"), "args.user.id:42"));
    CHECK(contains(refused("state:gone"), "expected a state"));
    CHECK(contains(refused("id:>ten"), "position 4"));
    CHECK(contains(refused("age:10m"), "a range of durations"));
    CHECK(contains(refused("created:yesterday"), "2026-11-01"));
    CHECK(contains(refused("created:2026-02-30"), "2026-11-01"));
    CHECK(contains(refused("tenant:7"), "UUID"));
    CHECK(contains(refused("error:\"open"), "quote"));
    CHECK(contains(refused("queue:a,"), "got nothing"));
    CHECK(contains(refused("queue:"), "got nothing"));
    CHECK(contains(refused("-"), "behind '-'"));
    CHECK(contains(refused("args.a..b:1"), "member"));
    CHECK(contains(refused("id:99999999999999999999"), "a number"));
    CHECK(contains(refused(std::string(5000, 'a')), "4096"));
    CHECK(contains(refused(std::string_view{"a\0b", 3}), "UTF-8"));
    std::string many;
    for (int i = 0; i < 65; ++i) {
        many += "a ";
    }
    CHECK(contains(refused(many), "64 terms"));
}

TEST_CASE("printing and reading back gives the same filter, whatever it is made of") {
    const std::vector<std::string> pieces{
        "state:",  "queue:",  "kind:", "tag:", "args.",   "a",         "user.id",    ":",
        ",",       "\"",      "\\",    "*",    "-",       " ",         ">",          "..",
        "<=",      "42",      "7",     "none", "dead",    "é",         "2026-11-01", "10m",
        "error:",  "id:",     "age:",  "text", "x y",     "%",         "_",          "created:",
        "email.*", "waiting", "'",     "$1",   "tenant:", "priority:", "{",          "\t"};
    std::mt19937 random{20261121};
    int accepted = 0;
    for (int round = 0; round < 200'000; ++round) {
        std::string text;
        const auto length = 1 + random() % 8;
        for (unsigned i = 0; i < length; ++i) {
            text += pieces[random() % pieces.size()];
        }
        const auto first = parse_filter(text);
        if (first.has_error()) {
            continue;
        }
        ++accepted;
        const std::string printed = first->text();
        const auto second = parse_filter(printed);
        REQUIRE_MESSAGE(second.has_value(), text, " printed as ", printed, ": ",
                        second.has_value() ? "" : second.error().message);
        REQUIRE_MESSAGE(second->json() == first->json(), text, " printed as ", printed);
        REQUIRE_MESSAGE(second->text() == printed, text);
        boost::system::error_code fault;
        REQUIRE_MESSAGE(boost::json::parse(first->json(), fault).is_array(), first->json());
    }
    CHECK(accepted > 2'000);
}

TEST_CASE("what was begun is completed") {
    CHECK(libqueue::complete_filter("st") == std::vector<std::string>{"state:"});
    CHECK(libqueue::complete_filter("queue:mail -arg") == std::vector<std::string>{"-args."});
    CHECK(libqueue::complete_filter("state:dead,comp") ==
          std::vector<std::string>{"state:dead,completed"});
    CHECK(libqueue::complete_filter("").size() > 10);
    CHECK(libqueue::complete_filter("nothing:x").empty());
}
