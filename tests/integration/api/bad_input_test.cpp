#include "stand_in_worker.hpp"
#include "support/test_database.hpp"

#include <libqueue/client.hpp>
#include <libqueue/transaction.hpp>

#include <doctest/doctest.h>

#include <limits>

// Whatever a caller sends: a typed error, or a clean store and return. Never an exception, a crash,
// a half-stored job or an unusable connection.

using libqueue::client;
using libqueue::client_options;
using libqueue::errc;
using libqueue::new_job;
using std::chrono::microseconds;

namespace {

std::string nested(std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
}

std::vector<std::pair<const char*, std::string>> bad_payloads() {
    return {
        {"empty", ""},
        {"blank", "   "},
        {"half an object", R"({"a": )"},
        {"trailing text", "{} {}"},
        {"single quotes", "{'a': 1}"},
        {"a bare word", "nope"},
        {"NaN", "NaN"},
        {"NUL byte", std::string{"{\"a\": \"x\0y\"}", 12}},
        {"escaped NUL", R"({"a": "\u0000"})"},
        {"lone high surrogate", R"({"a": "\ud83d"})"},
        {"lone low surrogate", R"({"a": "\ude00"})"},
        {"surrogates in the wrong order", R"({"a": "\ude00\ud83d"})"},
        {"invalid UTF-8", "{\"a\": \"\xff\xfe\"}"},
        {"overlong UTF-8", "{\"a\": \"\xc0\xaf\"}"},
        {"CESU surrogate", "{\"a\": \"\xed\xa0\x80\"}"},
        {"20000 levels", nested(20'000)},
        {"absurd exponent", "1e1000000"},
        {"endless number", std::string(200'000, '9')},
        {"raw control character", "\"\x01\""},
        {"unknown escape", R"("\x41")"},
        {"SQL", "'; DROP TABLE queue.job; --"},
    };
}

std::vector<std::pair<const char*, std::string>> storable_payloads() {
    return {
        {"scalar", "1"},
        {"null", "null"},
        {"quotes and SQL", R"({"a": "'; DROP TABLE queue.job; --", "b": "$1 $$ \" \\"})"},
        {"an emoji as surrogate pair", R"({"a": "\ud83d\ude00"})"},
        {"an emoji", "{\"a\": \"\U0001F600\"}"},
        {"edge of the planes", "{\"a\": \"\uFFFF\U0010FFFF\"}"},
        {"escapes", R"({"a": "\b\f\n\r\t\/\u0001"})"},
        {"100 levels", nested(100)},
        {"big and small numbers", "[1e308, -1e-308, 123456789012345678901234567890.5]"},
        {"duplicate keys", R"({"a": 1, "a": 2})"},
        {"empty key", R"({"": ""})"},
        {"a megabyte less a bit", "\"" + std::string(1'000'000, 'x') + "\""},
    };
}

new_job plain() {
    return new_job{"a.b", "{}"};
}

errc refused(client& on, const new_job& job) {
    const auto made = on.enqueue(job);
    REQUIRE(made.has_error());
    CHECK_FALSE(made.error().message.empty());
    return made.error().code;
}

TEST_SUITE("bad input: C++") {
    TEST_CASE("payloads that cannot be stored are invalid_payload and are never quoted") {
        const test::test_database db;
        client on{client_options{db.dsn()}};
        for (const auto& [what, payload] : bad_payloads()) {
            CAPTURE(what);
            CHECK(refused(on, new_job{"a.b", payload}) == errc::invalid_payload);
            CHECK(refused(on, new_job{"a.b", payload}.unique_key("k")) == errc::invalid_payload);
            const std::vector<new_job> batch(2, new_job{"a.b", payload});
            CHECK(on.enqueue_many(batch).error().code == errc::invalid_payload);
            CHECK(on.enqueue(new_job{"a.b", payload}).error().message.find("DROP") ==
                  std::string::npos);
        }

        CHECK(db.query("SELECT count(*) FROM queue.job") == "0");
        CHECK(db.query("SELECT count(*) FROM queue.idempotency") == "0");
        CHECK(on.enqueue(plain()).has_value());
    }

    TEST_CASE("payloads: the fault's position is told") {
        const test::test_database db;
        client on{client_options{db.dsn()}};

        const auto made = on.enqueue(new_job{"a.b", R"({"a": "\ud83d"})"});

        REQUIRE(made.has_error());
        CHECK(made.error().message.find("byte") != std::string::npos);
    }

    TEST_CASE("payloads that are merely odd come back as they went in") {
        const test::test_database db;
        client on{client_options{db.dsn()}};
        for (const auto& [what, payload] : storable_payloads()) {
            CAPTURE(what);
            const auto made = on.enqueue(new_job{"a.b", payload});
            REQUIRE(made.has_value());
            CHECK(db.query("SELECT payload = $2::jsonb FROM queue.job WHERE id = $1",
                           {std::to_string(made->id), payload}) == "t");
            const std::vector<new_job> batch(2, new_job{"a.b", payload});
            CHECK(on.enqueue_many(batch).has_value());
        }
    }

    TEST_CASE("payloads over the queue's limit are payload_too_large") {
        const test::test_database db;
        client on{client_options{db.dsn()}};
        const std::string large = "\"" + std::string(1'048'600, 'x') + "\"";

        CHECK(refused(on, new_job{"a.b", large}) == errc::payload_too_large);
        const std::vector<new_job> batch{plain(), new_job{"a.b", large}};
        CHECK(on.enqueue_many(batch).error().code == errc::payload_too_large);
        const std::string huge = "\"" + std::string(std::size_t{65} << 20, 'x') + "\"";
        CHECK(refused(on, new_job{"a.b", huge}) == errc::payload_too_large);
        CHECK(db.query("SELECT count(*) FROM queue.job") == "0");
    }

    TEST_CASE("names: long, quoted, with SQL, with stray bytes") {
        const test::test_database db;
        client on{client_options{db.dsn()}};
        const std::vector<std::string> names{"",
                                             std::string(65, 'x'),
                                             std::string(65'536, 'x'),
                                             "A.B",
                                             "a b",
                                             "a'; DROP TABLE x; --",
                                             "\"a\"",
                                             std::string{"a\0b", 3},
                                             "\xff\xfe",
                                             "a\nb",
                                             "$1",
                                             "\u00e4"};
        for (const std::string& name : names) {
            CAPTURE(name.substr(0, 20));
            CHECK(refused(on, new_job{name, "{}"}) == errc::invalid_argument);
            CHECK(on.enqueue(new_job{name, "{}"}).error().message.size() < 300);
            if (name != "A.B") {
                CHECK(refused(on, plain().in_queue(name)) == errc::invalid_argument);
            }
            CHECK(refused(on, plain().for_tenant(name)) == errc::invalid_argument);
        }
        CHECK(refused(on, plain().in_queue("unknown")) == errc::unknown_queue);
        CHECK(on.enqueue(plain()).has_value());
    }

    TEST_CASE("keys, tags and trace context: any storable text, nothing else") {
        const test::test_database db;
        client on{client_options{db.dsn()}};
        for (const std::string& bad :
             {std::string{}, std::string(513, 'x'), std::string{"a\0b", 3}, std::string{"\xff"}}) {
            CHECK(refused(on, plain().unique_key(bad)) == errc::invalid_argument);
            CHECK(refused(on, plain().tag(bad)) == errc::invalid_argument);
            new_job traced = plain();
            traced.traceparent = bad;
            CHECK(refused(on, traced) == errc::invalid_argument);
        }
        new_job many = plain();
        many.tags.assign(33, "x");
        CHECK(refused(on, many) == errc::invalid_argument);

        const std::string odd{"'; DROP TABLE queue.job; -- \" {},\\ NULL \U0001F600"};
        const auto made = on.enqueue(plain().unique_key(odd).tag(odd).tag("NULL").tag("{}"));

        REQUIRE(made.has_value());
        CHECK(db.query("SELECT key = $1 FROM queue.idempotency", {odd}) == "t");
        CHECK(db.query("SELECT meta -> 'tags' = jsonb_build_array($1::text, 'NULL', '{}') "
                       "FROM queue.job",
                       {odd}) == "t");
        CHECK(on.enqueue(plain().unique_key(odd))->id == made->id);
    }

    TEST_CASE("meta: an object PostgreSQL can store, of at most 64 KiB") {
        const test::test_database db;
        client on{client_options{db.dsn()}};
        for (const std::string& bad :
             {std::string{"[]"}, std::string{"1"}, std::string{"{"}, std::string{"\xff"},
              std::string{"{}\0", 3}, std::string{R"({"a": "\u0000"})"},
              R"({"a": ")" + std::string(70'000, 'x') + "\"}"}) {
            new_job job = plain();
            job.meta = bad;
            CHECK(refused(on, job) == errc::invalid_argument);
        }
    }

    TEST_CASE("numbers and times: absurd ones are refused, the outermost allowed ones work") {
        const test::test_database db;
        client on{client_options{db.dsn()}};
        const auto edge = [](auto value) {
            return std::numeric_limits<decltype(value)>::max();
        };
        for (const int bad : {40'000, -40'000, edge(int{}), std::numeric_limits<int>::min()}) {
            CHECK(refused(on, plain().with_priority(bad)) == errc::invalid_argument);
        }
        for (const int bad : {0, -1, 1'001, edge(int{})}) {
            CHECK(refused(on, plain().attempts(bad)) == errc::invalid_argument);
        }
        for (const microseconds bad :
             {microseconds{-1}, microseconds::max(), microseconds::min(),
              microseconds{std::chrono::hours{24 * 3'650}} + microseconds{1}}) {
            CHECK(refused(on, plain().run_in(bad)) == errc::invalid_argument);
        }
        CHECK(refused(on, plain().run_at_time(libqueue::time_point::max())) ==
              errc::invalid_argument);
        CHECK(refused(on, plain().run_at_time({}).run_in(microseconds{1})) ==
              errc::invalid_argument);
        for (const std::chrono::seconds bad :
             {std::chrono::seconds{0}, std::chrono::seconds::max(), std::chrono::seconds{-5}}) {
            new_job job = plain().unique_key("k");
            job.idempotency_ttl = bad;
            CHECK(refused(on, job) == errc::invalid_argument);
        }

        new_job outermost = plain().unique_key("k").with_priority(32'767).attempts(1'000);
        outermost.idempotency_ttl = std::chrono::hours{24 * 3'650};
        outermost.delay = std::chrono::hours{24 * 3'650};
        CHECK(on.enqueue(outermost).has_value());
        CHECK(on.enqueue(plain().with_priority(-32'768).attempts(1).run_at_time(
                             libqueue::time_point{microseconds{253'402'214'400'000'000}}))
                  .has_value());
        CHECK(on.enqueue(plain().run_at_time(libqueue::time_point::min())).has_value());
    }

    TEST_CASE("ids: negative and enormous ones are not_found") {
        const test::test_database db;
        client on{client_options{db.dsn()}};
        for (const libqueue::job_id id : {libqueue::job_id{0}, libqueue::job_id{-1},
                                          std::numeric_limits<libqueue::job_id>::max(),
                                          std::numeric_limits<libqueue::job_id>::min()}) {
            CHECK(on.get(id).error().code == errc::not_found);
            CHECK(on.cancel(id).error().code == errc::not_found);
            CHECK(on.retry(id).error().code == errc::not_found);
        }
    }

    TEST_CASE("a caller's transaction survives what is refused before sending") {
        const test::test_database db;
        test::connection on{db.dsn()};
        on.execute("BEGIN");
        for (const auto& [what, payload] : bad_payloads()) {
            CAPTURE(what);
            CHECK(libqueue::enqueue(on.get(), new_job{"a.b", payload}).error().code ==
                  errc::invalid_payload);
        }
        CHECK(libqueue::enqueue(on.get(), plain(), "Bad \"schema\"").error().code ==
              errc::invalid_argument);

        CHECK(libqueue::enqueue(on.get(), plain()).has_value());
        on.execute("COMMIT");
        CHECK(db.query("SELECT count(*) FROM queue.job") == "1");
    }
}

TEST_SUITE("bad input: SQL") {
    TEST_CASE("payloads: the server itself refuses what it cannot store, with a stable SQLSTATE") {
        const test::test_database db;
        const std::string allowed{"22P02 22P05 22021 54001 54000 LQ003 LQ008 22003"};
        int refusals = 0;
        for (const auto& [what, payload] : bad_payloads()) {
            if (payload.find('\0') != std::string::npos) {
                continue;  // The protocol's text parameters end at a NUL.
            }
            CAPTURE(what);
            try {
                db.execute("SELECT queue.enqueue('a.b', $1::jsonb)", {payload});
            } catch (const test::sql_error& error) {
                ++refusals;
                CHECK_MESSAGE(allowed.find(error.sqlstate()) != std::string::npos,
                              error.sqlstate());
            }
        }
        // Only long numbers and control of nesting are stricter in C++ than in PostgreSQL.
        CHECK(refusals >= 17);
        CHECK(db.query("SELECT queue.enqueue('a.b', '{}') > 0") == "t");
    }

    TEST_CASE("names and keys with quotes and SQL are values, never code") {
        const test::test_database db;
        const std::string sql{"'; DROP TABLE queue.job; -- \""};
        for (const char* call :
             {"SELECT queue.enqueue($1, '{}')", "SELECT queue.enqueue('a.b', '{}', $1)",
              "SELECT queue.create_queue($1)", "SELECT queue.pause($1)",
              "SELECT queue.resume($1)"}) {
            CHECK_THROWS_AS(db.execute(call, {sql}), test::sql_error);
        }
        db.execute(
            "SELECT queue.enqueue('a.b', '{}', idempotency_key => $1, "
            "tags => ARRAY[$1], traceparent => $1)",
            {sql});
        db.execute("SELECT queue.cancel(1, $1)", {sql});
        db.execute("SELECT queue.pause('default', $1)", {sql});

        CHECK(db.query("SELECT last_error FROM queue.jobs") == sql);
        CHECK(db.query("SELECT pause_reason FROM queue.queue_stats") == sql);
    }

    TEST_CASE("strings of 64 KiB and more are refused or cut, never stored whole in an index") {
        const test::test_database db;
        const std::string huge(70'000, 'x');
        for (const char* call :
             {"SELECT queue.enqueue($1, '{}')", "SELECT queue.enqueue('a.b', '{}', $1)",
              "SELECT queue.enqueue('a.b', '{}', idempotency_key => $1)",
              "SELECT queue.enqueue('a.b', '{}', traceparent => $1)",
              "SELECT queue.enqueue('a.b', '{}', tags => ARRAY[$1])",
              "SELECT queue.create_queue($1)", "SELECT queue.pause($1)"}) {
            try {
                db.execute(call, {huge});
                FAIL(call);
            } catch (const test::sql_error& error) {
                CHECK(error.sqlstate().starts_with("LQ00"));
                CHECK(std::string{error.what()}.size() < 3'000);
            }
        }
        db.execute("SELECT queue.enqueue('a.b', '{}'); SELECT queue.cancel(1, repeat('x', 70000))");
        CHECK(db.query("SELECT length(last_error) FROM queue.jobs") == "16384");
    }

    TEST_CASE("error texts of any storable kind come back from every view") {
        const test::test_database db;
        test::stand_in_worker worker{db};
        const std::string odd{"'; DROP TABLE queue.job; -- \U0001F600 \" \\ \x01 $1"};
        db.execute("SELECT queue.enqueue('a.b', '{}')");

        worker.kill(1, odd);

        CHECK(db.query("SELECT last_error FROM queue.jobs") == odd);
        CHECK(db.query("SELECT error FROM queue.dead_letters") == odd);
        CHECK(db.query("SELECT detail FROM queue.explain(1)").find(odd) != std::string::npos);
    }
}

}  // namespace
