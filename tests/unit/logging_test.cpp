#include "logging/job_log.hpp"
#include "logging/line_format.hpp"
#include "logging/logger.hpp"
#include "logging/redactor.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <limits>
#include <sstream>
#include <string>
#include <vector>

using workerd::log_field;
using workerd::log_format;
using workerd::log_level;
using workerd::logger;
using workerd::redactor;

namespace {

// A logger that writes into memory; every line must parse as a JSON object.
class memory_log {
   public:
    explicit memory_log(log_level level = log_level::trace, log_format format = log_format::json)
        : log{level, format, out_} {}

    [[nodiscard]] std::vector<std::string> lines() const {
        std::vector<std::string> all;
        std::istringstream input{out_.str()};
        for (std::string line; std::getline(input, line);)
            all.push_back(line);
        return all;
    }
    [[nodiscard]] boost::json::object last() const {
        const auto all = lines();
        REQUIRE_FALSE(all.empty());
        return boost::json::parse(all.back()).as_object();
    }
    [[nodiscard]] std::string text() const { return out_.str(); }

   private:
    std::ostringstream out_;

   public:
    logger log;
};

std::string shown(std::string_view key, std::string_view value) {
    memory_log memory;
    memory.log.info("e", "m", {{key, value}});
    return std::string{memory.last().at(key).as_string()};
}

}  // namespace

TEST_SUITE("logging") {
    TEST_CASE("logging: a line is one JSON object with the agreed keys in order") {
        memory_log memory;
        memory.log.warn("job_finished", "job finished",
                        {{"job_id", std::int64_t{42}},
                         {"kind", "email.send"},
                         {"attempt", 2},
                         {"err.code", "retry"},
                         {"err.msg", "450 greylisted"},
                         {"dur_ms", 1.5},
                         {"last", true}});

        const auto line = memory.lines().at(0);
        CHECK(line.find("{\"ts\":\"20") == 0);
        CHECK(line.substr(line.find("\",\"level\"")) ==
              "\",\"level\":\"warn\",\"msg\":\"job "
              "finished\",\"event\":\"job_finished\",\"job_id\":42,"
              "\"kind\":\"email.send\",\"attempt\":2,\"err\":{\"code\":\"retry\",\"msg\":\"450 "
              "greylisted\"},\"dur_ms\":1.5,\"last\":true}");
    }

    TEST_CASE("logging: an object that ends the line is closed") {
        memory_log memory;
        memory.log.error("e", "m", {{"err.code", "x"}, {"err.msg", "y"}});
        CHECK(memory.last().at("err").as_object().size() == 2);
    }

    TEST_CASE("logging: times are RFC 3339 with microseconds in UTC") {
        const std::chrono::system_clock::time_point at{
            std::chrono::microseconds{1'700'000'000'000'042}};
        CHECK(workerd::rfc3339(at) == "2023-11-14T22:13:20.000042Z");
    }

    TEST_CASE("logging: any bytes give one valid line") {
        std::string every;
        for (int code = 0; code < 256; ++code)
            every += static_cast<char>(code);
        const std::vector<std::pair<std::string, std::string>> cases{
            {std::string{"a\0b", 3}, std::string{"a\0b", 3}},
            {"a\r\nb\t\"\\", "a\r\nb\t\"\\"},
            {"\xc3\x28", "\xef\xbf\xbd("},
            {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
            {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
            {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
            {"caf\xc3", "caf\xef\xbf\xbd"},
            {"\xe2\x80\xa8", "\xe2\x80\xa8"},
            {"grüße 🙂", "grüße 🙂"}};
        for (const auto& [text, expected] : cases)
            CHECK(shown("k", text) == expected);

        memory_log memory;
        memory.log.info(every, every,
                        {{every, every}, {"k", std::numeric_limits<double>::infinity()}});
        CHECK(memory.lines().size() == 1);
        CHECK(memory.last().at("k").is_null());
    }

    TEST_CASE("logging: a long text is cut") {
        CHECK(shown("k", std::string(100'000, 'x')).size() < 9'000);
    }

    TEST_CASE("logging: text lines cannot draw on the terminal or fake a second line") {
        memory_log memory{log_level::info, log_format::text};
        memory.log.info("event", "message",
                        {{"k", "a\x1b[2J\nfake \xc2\x9b"}, {"n", 3}, {"w", "one"}});

        const auto text = memory.text();
        CHECK(memory.lines().size() == 1);
        CHECK(text.find('\x1b') == std::string::npos);
        CHECK(text.find("\xc2\x9b") == std::string::npos);
        CHECK(text.find(" n=3 w=one") != std::string::npos);
    }

    TEST_CASE("logging: the level changes at run time") {
        memory_log memory{log_level::info};
        memory.log.debug("e", "hidden");
        memory.log.toggle_debug();
        memory.log.debug("e", "shown");
        memory.log.toggle_debug();
        memory.log.debug("e", "hidden");
        memory.log.set_level(log_level::error);
        memory.log.warn("e", "hidden");
        CHECK(memory.lines().size() == 1);
    }

    TEST_CASE("logging: levels and formats are read back from their names") {
        for (const auto level : {log_level::trace, log_level::debug, log_level::info,
                                 log_level::warn, log_level::error})
            CHECK(workerd::parse_log_level(workerd::to_string(level)) == level);
        CHECK_FALSE(workerd::parse_log_level("loud").has_value());
        CHECK(workerd::parse_log_format("json") == log_format::json);
        CHECK(workerd::parse_log_format("auto") == log_format::automatic);
    }
}

TEST_SUITE("redaction") {
    TEST_CASE("redaction: values under sensitive keys are masked, whatever their spelling") {
        for (const auto* key :
             {"password",   "Password",     "smtp_password", "authorization", "Authorization",
              "token",      "access_token", "accessToken",   "apiKey",        "api_key",
              "X-Api-Key",  "secret",       "clientSecret",  "phone",         "phoneNumber",
              "ssn",        "user_ssn",     "userSSN",       "dateOfBirth",   "date_of_birth",
              "creditCard", "cardNumber",   "card_number",   "cvv",           "accountNumber",
              "amount",     "amounts",      "total_amount",  "amountCents",   "dsn",
              "iban"}) {
            CAPTURE(key);
            CHECK(shown(key, "hunter2") == "***");
        }
    }

    TEST_CASE("redaction: numbers under sensitive keys are masked, too") {
        memory_log memory;
        memory.log.info("e", "m", {{"amount", 1999}, {"cvv", std::int64_t{123}}});
        CHECK(memory.last().at("amount").as_string() == "***");
        CHECK(memory.last().at("cvv").as_string() == "***");
    }

    TEST_CASE("redaction: values under other keys are shown") {
        for (const auto* key : {"kind", "queue", "className", "session", "span", "company",
                                "compass", "attempt", "worker", "dnssn0"}) {
            CAPTURE(key);
            CHECK(shown(key, "value") == "value");
        }
    }

    TEST_CASE("redaction: mail addresses keep their first letter and domain") {
        CHECK(shown("email", "john.doe@example.com") == "j***@example.com");
        CHECK(shown("customerEmail", "a@b.de") == "a***@b.de");
        CHECK(shown("email", "nobody") == "***");
        CHECK(shown("email", "@x") == "***");
        CHECK(shown("email", "jörg@example.com") == "j***@example.com");
        CHECK(shown("email", "ölaf@example.com") == "***@example.com");
        CHECK(shown("note", "550 <john@example.com>: unknown") ==
              "550 <j***@example.com>: unknown");
    }

    TEST_CASE("redaction: keys from the configuration are masked as well") {
        memory_log memory;
        memory.log.set_redacted_keys({"passport_no"});
        memory.log.info("e", "m", {{"passportNo", "X1"}, {"passport", "shown"}});
        CHECK(memory.last().at("passportNo").as_string() == "***");
        CHECK(memory.last().at("passport").as_string() == "shown");
    }

    TEST_CASE("redaction: secrets inside a text are masked") {
        const std::vector<std::pair<std::string, std::string>> cases{
            {"postgresql://me:hunter2@db:5432/app", "postgresql://me:***@db:5432/app"},
            {"postgres://me:hun/ter@2@db/app failed", "postgres://me:***@db/app failed"},
            {"https://u:p@host/x and more", "https://u:***@host/x and more"},
            {"postgresql://me@db.internal/app", "postgresql://me@db.internal/app"},
            {"http://127.0.0.1:8080/health", "http://127.0.0.1:8080/health"},
            {"host=db password=hunter2 user=me", "host=db password=*** user=me"},
            {"host=db password='hun ter' user=me", "host=db password='***' user=me"},
            {"PGPASSWORD=hunter2", "PGPASSWORD=***"},
            {R"({"password":"hun\"ter","a":1})", R"({"password":"***","a":1})"},
            {R"({"apiKey": "abc"})", R"({"apiKey": "***"})"},
            {"?token=abc&x=1", "?token=***&x=1"},
            {"Authorization: Bearer abcdef.ghijkl", "Authorization: Bearer ***"},
            {"authorization: basic dXNlcjpwYXNz", "authorization: basic ***"},
            {"key whsec_MfKQ9r8GKYqrTwjU", "key whsec_***"},
            {"sk_live_4eC39HqLyjWDarjtT1zdp7dc!", "sk_live_***!"},
            {"jwt eyJhbGciOiJIUzI1NiJ9.e30.abc", "jwt eyJ***"},
            {"card 4111 1111 1111 1111 declined", "card ***1111 declined"},
            {"card 5500-0000-0000-0004", "card ***0004"},
            {"card 378282246310005.", "card ***0005."},
            {"job 4111111111111112 is fine", "job 4111111111111112 is fine"},
            {"at 1700000000000042", "at 1700000000000042"},
            {"mail to john@example.com, jane@example.org",
             "mail to j***@example.com, j***@example.org"},
            {"basic idea, bearer of news", "basic idea, bearer of news"},
            {"user@localhost", "user@localhost"},
            {"", ""}};
        for (const auto& [text, expected] : cases) {
            CAPTURE(text);
            CHECK(redactor::in_text(text) == expected);
        }
    }

    TEST_CASE("redaction: a long text costs time in proportion to its length") {
        std::string text;
        while (text.size() < 200'000)
            text += "a.b-c_d+e%f:password ://x:@ 4";
        CHECK_FALSE(redactor::in_text(text).empty());
        text.clear();
        while (text.size() < 200'000)
            text += "://:";
        CHECK_FALSE(redactor::in_text(text).empty());
    }
}

TEST_SUITE("job log") {
    TEST_CASE(
        "job log: a failed attempt is a warning with the job's fields and never its payload") {
        memory_log memory{log_level::info};
        workerd::job_log observer{memory.log};
        libqueue::job job;
        job.id = 7;
        job.kind = "email.send";
        job.queue = "mail";
        job.attempt = 2;
        job.payload = R"({"to":"john@example.com"})";
        libqueue::event event{libqueue::event_type::job_finished};
        event.job = &job;
        event.outcome = libqueue::outcome::type::retry;
        event.message = "450 try later";
        event.duration = std::chrono::microseconds{1'500};

        observer.on_event(event);

        const auto line = memory.last();
        CHECK(line.at("level").as_string() == "warn");
        CHECK(line.at("event").as_string() == "job_finished");
        CHECK(line.at("job_id").as_int64() == 7);
        CHECK(line.at("kind").as_string() == "email.send");
        CHECK(line.at("queue").as_string() == "mail");
        CHECK(line.at("attempt").as_int64() == 2);
        CHECK(line.at("dur_ms").as_double() == doctest::Approx(1.5));
        CHECK(line.at("err").at("code").as_string() == "retry");
        CHECK(line.at("err").at("msg").as_string() == "450 try later");
        CHECK(memory.text().find("john") == std::string::npos);
    }

    TEST_CASE("job log: successful jobs are logged only when asked for") {
        memory_log memory{log_level::info};
        workerd::job_log observer{memory.log};
        libqueue::job job;
        libqueue::event event{libqueue::event_type::job_finished};
        event.job = &job;

        observer.on_event(event);
        CHECK(memory.lines().empty());
        CHECK_FALSE(observer.wants_every_job());

        observer.set_every_job(true);
        observer.on_event(event);
        CHECK(memory.lines().size() == 1);
        CHECK(observer.wants_every_job());
    }

    TEST_CASE("job log: every event has a level, a name and a message") {
        memory_log memory;
        workerd::job_log observer{memory.log};
        for (int type = 0; type <= static_cast<int>(libqueue::event_type::internal_error); ++type)
            observer.on_event(libqueue::event{static_cast<libqueue::event_type>(type)});
        CHECK(memory.lines().size() ==
              static_cast<std::size_t>(libqueue::event_type::internal_error) + 1);
        CHECK(memory.text().find("unknown event") == std::string::npos);
    }

    TEST_CASE("job log: a flood of one event is held back and counted") {
        workerd::repeat_limit limit{3};
        const std::chrono::steady_clock::time_point start{std::chrono::seconds{1'000}};
        int allowed = 0;
        for (int i = 0; i < 10; ++i)
            allowed += limit.take(start).allowed ? 1 : 0;

        const auto later = limit.take(start + std::chrono::seconds{1});

        CHECK(allowed == 3);
        CHECK(later.allowed);
        CHECK(later.held_back == 7);
    }
}
