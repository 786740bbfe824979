#include "bulk_line.hpp"
#include "dlq_filter.hpp"
#include "faults.hpp"
#include "invocation.hpp"
#include "job_flags.hpp"
#include "json_members.hpp"
#include "stop.hpp"
#include "values.hpp"

#include <doctest/doctest.h>

namespace {

using libqueue::errc;
using libqueue::new_job;
using qctl::exit_code;
using qctl::parse_command_line;
using qctl::stop;

template <typename Work>
std::string refusal(Work work) {
    try {
        static_cast<void>(work());
    } catch (const stop& why) {
        return std::string{why.what()} + " | " + why.hint;
    }
    return "accepted";
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

new_job line(std::string_view text) {
    return qctl::read_bulk_line(text, new_job{"", "{}"});
}

std::string bad_line(std::string_view text) {
    return refusal([&] { return line(text); });
}

}  // namespace

TEST_SUITE("qctl bulk lines") {
    TEST_CASE("with a kind given the whole line is the payload") {
        const auto job = qctl::read_bulk_line(R"({"kind":"x","payload":1})", new_job{"a.b", "{}"});

        CHECK(job.kind == "a.b");
        CHECK(job.payload == R"({"kind":"x","payload":1})");
    }

    TEST_CASE("without one the line names everything") {
        const auto job = line(
            R"({"kind":"a.b","payload":{"n": 12345678901234567890.10},"queue":"q","priority":-3,)"
            R"("run_at":"2026-01-31T08:00:00Z","max_attempts":7,"idempotency_key":"k",)"
            R"("idempotency_ttl":"24h","tenant_id":"6f0b3a52-8d1f-4a57-9c4e-3f1f0d7a9b11",)"
            R"("meta":{"a":1},"tags":["x","y"],"traceparent":"00-1-2-01"})");

        CHECK(job.kind == "a.b");
        CHECK(job.payload == R"({"n": 12345678901234567890.10})");
        CHECK(job.queue == "q");
        CHECK(job.priority == -3);
        CHECK(job.run_at == qctl::read_instant("2026-01-31T08:00:00Z"));
        CHECK(job.max_attempts == 7);
        CHECK(job.idempotency_key == "k");
        CHECK(job.idempotency_ttl == std::chrono::hours{24});
        CHECK(job.meta == R"({"a":1})");
        CHECK(job.tags == std::vector<std::string>{"x", "y"});
        CHECK(job.traceparent == "00-1-2-01");
    }

    TEST_CASE("a line overrides the flags, null leaves them") {
        new_job defaults{"", "{}"};
        defaults.in_queue("slow").with_priority(9);
        defaults.run_at = qctl::read_instant("2026-01-31T08:00:00Z");

        const auto job = qctl::read_bulk_line(
            R"({"kind":"a.b","queue":"fast","priority":null,"delay":"5m","payload":null})",
            defaults);

        CHECK(job.queue == "fast");
        CHECK(job.priority == 9);
        CHECK(job.delay == std::chrono::minutes{5});
        CHECK_FALSE(job.run_at);
        CHECK(job.payload == "null");
    }

    TEST_CASE("escapes in names and texts are read") {
        CHECK(line(R"({"k\u0069nd":"a\u002eb"})").kind == "a.b");
    }

    TEST_CASE("a bad line is refused with its fault, not with its content") {
        CHECK(contains(bad_line("[1]"), "expected an object"));
        CHECK(contains(bad_line(R"({"kind":"a.b","payload":{"card":"4242"})"), "expected an obj"));
        CHECK_FALSE(contains(bad_line(R"({"kind":"a.b","payload":{"card":"4242"})"), "4242"));
        CHECK(contains(bad_line(R"({"kind":"a.b","kind":"c.d"})"), "each member once"));
        CHECK(contains(bad_line(R"({"kind":"a.b"} x)"), "expected an object"));
        CHECK(contains(bad_line(R"({"payload":{}})"), "kind: expected"));
        CHECK(contains(bad_line(R"({"kind":7})"), "kind: expected a JSON string"));
        CHECK(contains(bad_line(R"({"kind":"a.b","prioriti":1})"), "did you mean 'priority'?"));
        CHECK(contains(bad_line(R"({"kind":"a.b","priority":"1"})"), "-32768 to 32767"));
        CHECK(contains(bad_line(R"({"kind":"a.b","priority":1.5})"), "got '1.5'"));
        CHECK(contains(bad_line(R"({"kind":"a.b","run_at":"tomorrow"})"), "a time with its zone"));
        CHECK(contains(bad_line(R"({"kind":"a.b","delay":5})"), "delay: expected a JSON string"));
        CHECK(contains(bad_line(R"({"kind":"a.b","delay":"5m","run_at":"2026-01-31T08:00:00Z"})"),
                       "got both"));
        CHECK(contains(bad_line(R"({"kind":"a.b","tags":["x",1]})"), "array of JSON strings"));
    }

    TEST_CASE("no text makes the reader fail otherwise than by saying so") {
        for (const std::string_view text :
             {"{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":}", "{\"a\":1", "{\"a\":1,",
              "{\"a\":1,}", "{\"a\":\"", "{\"a\":\"\\", "{\"a\":[}", "{,}", "{}{}", "", "null",
              "{\"a\":]}", "{\"\\ud800\":1}"}) {
            CHECK_MESSAGE(!qctl::json_members(text), text);
        }
        std::string deep = "{\"a\":";
        deep.append(20'000, '[');
        CHECK_FALSE(qctl::json_members(deep));
        CHECK_FALSE(qctl::is_json(deep.append(20'000, ']')));
        CHECK(qctl::json_members(deep + "}"));
    }

    TEST_CASE("raw values are parts of the text") {
        const auto members =
            qctl::json_members(R"( { "a" : { "x" : "},]" } , "b":[1, 2] , "c":-1 } )");

        REQUIRE(members);
        REQUIRE(members->size() == 3);
        CHECK((*members)[0].value == R"({ "x" : "},]" })");
        CHECK((*members)[1].value == "[1, 2]");
        CHECK((*members)[2].value == "-1");
    }
}

TEST_SUITE("qctl flags") {
    TEST_CASE("flags of enqueue describe the job") {
        const auto job = qctl::job_from_flags(parse_command_line({"enqueue",
                                                                  "a.b",
                                                                  "{}",
                                                                  "--queue",
                                                                  "q",
                                                                  "--priority",
                                                                  "-1",
                                                                  "--in",
                                                                  "90s",
                                                                  "--unique-key",
                                                                  "k",
                                                                  "--window",
                                                                  "24h",
                                                                  "--max-attempts",
                                                                  "3",
                                                                  "--tag",
                                                                  "x",
                                                                  "--meta",
                                                                  "who=ann \"a\"",
                                                                  "--meta",
                                                                  "url=a=b"}));

        CHECK(job.kind == "a.b");
        CHECK(job.priority == -1);
        CHECK(job.delay == std::chrono::seconds{90});
        CHECK(job.idempotency_ttl == std::chrono::hours{24});
        CHECK(job.meta == R"({"who":"ann \"a\"","url":"a=b"})");
        CHECK(job.tags == std::vector<std::string>{"x"});
    }

    TEST_CASE("flags that exclude each other are refused") {
        const auto described = [](const std::vector<std::string>& words) {
            return refusal([&] { return qctl::job_from_flags(parse_command_line(words)); });
        };

        CHECK(contains(described({"enqueue", "a", "--in", "1s", "--at", "2026-01-31T08:00:00Z"}),
                       "got both"));
        CHECK(contains(described({"enqueue", "a", "--meta", "novalue"}), "expected K=V"));
        CHECK(contains(described({"enqueue", "a", "--meta", "k=1", "--meta", "k=2"}), "twice"));
        CHECK(contains(described({"enqueue", "a", "--window", "10ms"}), "at least 1s"));
    }

    TEST_CASE("dead letters are chosen by ids, by a filter or all, never by accident") {
        const auto now = *qctl::read_instant("2026-01-31T08:00:00Z");
        const auto chosen = [&](const std::vector<std::string>& words) {
            return refusal([&] {
                const auto call = parse_command_line(words);
                const auto choice = qctl::read_dlq_choice(call, now);
                qctl::demand_choice(call, choice);
                return 0;
            });
        };

        CHECK(chosen({"dlq", "discard", "7"}) == "accepted");
        CHECK(chosen({"dlq", "discard", "--queue", "q"}) == "accepted");
        CHECK(chosen({"dlq", "discard", "--all"}) == "accepted");
        CHECK(contains(chosen({"dlq", "discard"}), "ids, a filter or --all"));
        CHECK(contains(chosen({"dlq", "discard", "--limit", "5"}), "ids, a filter or --all"));
        CHECK(contains(chosen({"dlq", "discard", "7", "--queue", "q"}), "got both"));
        CHECK(contains(chosen({"dlq", "discard", "--all", "--queue", "q"}), "not together"));
    }

    TEST_CASE("a time ago is counted from now, and never before the epoch") {
        const auto now = *qctl::read_instant("2026-01-31T08:00:00Z");

        CHECK(qctl::read_past("1h", "--since", now) == now - std::chrono::hours{1});
        CHECK(qctl::read_past("2026-01-30T08:00:00Z", "--since", now) ==
              now - std::chrono::hours{24});
        CHECK(qctl::read_past("99999999d", "--since", now) == qctl::time_point{});
    }

    TEST_CASE("rates are per second, minute or hour") {
        CHECK(qctl::read_rate("50/s", "--rate") == doctest::Approx(50));
        CHECK(qctl::read_rate("30/m", "--rate") == doctest::Approx(0.5));
        CHECK(qctl::read_rate("0.5/s", "--rate") == doctest::Approx(0.5));
        for (const auto* const bad :
             {"50", "/s", "0/s", "-1/s", "1e9/s", "nan/s", "inf/s", "5/d"}) {
            CHECK_MESSAGE(refusal([&] { return qctl::read_rate(bad, "--rate"); }) != "accepted",
                          bad);
        }
    }
}

TEST_SUITE("qctl exit codes") {
    TEST_CASE("each domain error has its own") {
        CHECK(qctl::exit_for(errc::invalid_argument) == exit_code::usage);
        CHECK(qctl::exit_for(errc::invalid_payload) == exit_code::usage);
        CHECK(qctl::exit_for(errc::payload_too_large) == exit_code::usage);
        CHECK(qctl::exit_for(errc::unknown_queue) == exit_code::not_found);
        CHECK(qctl::exit_for(errc::not_found) == exit_code::not_found);
        CHECK(qctl::exit_for(errc::conflict) == exit_code::refused);
        CHECK(qctl::exit_for(errc::idempotency_conflict) == exit_code::refused);
        CHECK(qctl::exit_for(errc::schema_mismatch) == exit_code::refused);
    }

    TEST_CASE("failures of the environment are told apart") {
        const auto exit_of = [](const char* what, const char* state, bool lost, bool unknown) {
            return qctl::to_stop(libqueue::failure{what, state, lost, unknown}).exit;
        };

        CHECK(exit_of("connection refused", "", true, false) == exit_code::unreachable);
        CHECK(exit_of("password authentication failed for user", "", true, false) ==
              exit_code::not_authenticated);
        CHECK(exit_of("x", "28P01", true, false) == exit_code::not_authenticated);
        CHECK(exit_of("permission denied", "42501", false, false) == exit_code::not_authenticated);
        CHECK(exit_of("canceling statement", "57014", false, false) == exit_code::timed_out);
        CHECK(exit_of("relation does not exist", "42P01", false, false) == exit_code::refused);
        CHECK(exit_of("starting up", "57P03", true, false) == exit_code::unreachable);
        CHECK(exit_of("deadlock", "40P01", false, false) == exit_code::failed);
        CHECK(exit_of("connection lost", "", true, true) == exit_code::failed);
        CHECK(
            std::string{qctl::to_stop(libqueue::failure{"refused\n\tIs it up?\n", "", true, false})
                            .what()} == "refused Is it up?");
    }
}
