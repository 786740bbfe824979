#include "processors/webhook/event_delivery.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;
using type = libqueue::outcome::type;
namespace webhook = libqueue::processors::webhook;
using libqueue::processors::http_end;
using libqueue::processors::http_response;
using libqueue::processors::run_view;

namespace {

const std::chrono::system_clock::time_point noon{1'700'000'000s};

http_response answer(int status, const char* retry_after = nullptr) {
    http_response made;
    made.end = http_end::answered;
    made.status = status;
    if (retry_after != nullptr) {
        made.headers.emplace_back("retry-after", retry_after);
    }
    return made;
}

class attempt {
   public:
    explicit attempt(int number) {
        to.waits = {5s, 5min};
        job.attempt = number;
        job.max_attempts = 3;
        job.created_at = std::chrono::floor<std::chrono::microseconds>(noon);
    }
    [[nodiscard]] webhook::attempt_end end(const http_response& response,
                                           std::chrono::milliseconds age = 1s,
                                           double random01 = 0.5) const {
        const run_view run{job};
        return webhook::end_of(to, response, run, noon + age, random01);
    }
    webhook::endpoint to;
    libqueue::job job;
};

}  // namespace

TEST_SUITE("processors: webhook events") {
    TEST_CASE("every answer has its end") {
        for (const int status : {200, 201, 204, 299}) {
            const auto end = attempt{1}.end(answer(status));
            CHECK(end.said.kind() == type::completed);
            CHECK(end.word == "delivered");
            CHECK(end.give_up.empty());
        }
        for (const int status : {300, 302, 307, 400, 401, 404, 408, 409, 422, 425, 500, 503, 599}) {
            const auto end = attempt{1}.end(answer(status));
            CHECK(end.said.kind() == type::retry);
            CHECK(end.said.after() == 5s);
            CHECK(end.next == 5s);
            CHECK(end.word == "failed");
            CHECK(end.give_up.empty());
        }
        const auto gone = attempt{1}.end(answer(410));
        CHECK(gone.said.kind() == type::discard);
        CHECK(gone.word == "gone");
        CHECK_FALSE(gone.give_up.empty());
        CHECK_FALSE(gone.unless_delivered);
    }

    TEST_CASE("what never got an answer is tried again, but for a target that is forbidden") {
        for (const auto how : {http_end::failed, http_end::timed_out}) {
            http_response response;
            response.end = how;
            CHECK(attempt{2}.end(response).said.after() == 5min);
        }
        for (const auto how : {http_end::address_refused, http_end::bad_url}) {
            http_response response;
            response.end = how;
            const auto end = attempt{1}.end(response);
            CHECK(end.said.kind() == type::discard);
            CHECK(end.word == "refused");
        }
        http_response stopped;
        stopped.end = http_end::stopped;
        CHECK(attempt{1}.end(stopped).word.empty());
    }

    TEST_CASE("waits are spread by a tenth, and Retry-After makes them longer, never shorter") {
        CHECK(attempt{1}.end(answer(500), 1s, 0.0).said.after() == 4500ms);
        CHECK(attempt{1}.end(answer(500), 1s, 1.0).said.after() == 5500ms);
        for (const int status : {502, 503, 504}) {
            CHECK(attempt{1}.end(answer(status, "60")).said.after() == 60s);
            CHECK(attempt{1}.end(answer(status, "1")).said.after() == 5s);
        }
        CHECK(attempt{1}.end(answer(500, "60")).said.after() == 5s);
    }

    TEST_CASE("429 is waited out for a day and counts as a failure from then on") {
        const auto young = attempt{1}.end(answer(429, "60"));
        CHECK(young.said.kind() == type::snooze);
        CHECK(young.said.after() == 60s);
        CHECK(young.word == "throttled");
        CHECK(attempt{1}.end(answer(429)).said.after() == 5s);
        const auto old = attempt{1}.end(answer(429, "60"), 25h);
        CHECK(old.said.kind() == type::retry);
        CHECK(old.said.after() == 60s);
    }

    TEST_CASE("the last attempt, or one after all waits, gives the endpoint up") {
        const auto last = attempt{3}.end(answer(500));
        CHECK(last.said.kind() == type::retry);
        CHECK_FALSE(last.next.has_value());
        CHECK(last.unless_delivered);
        CHECK(last.give_up ==
              "attempt 3 failed and nothing was delivered since the first: the endpoint answered "
              "500");
        const auto outlived = attempt{1}.end(answer(500), 61min);
        CHECK(outlived.said.kind() == type::retry);
        CHECK(outlived.next.has_value());
        CHECK_FALSE(outlived.give_up.empty());
        CHECK(attempt{1}.end(answer(500), 59min).give_up.empty());
        attempt impatient{1};
        impatient.job.max_attempts = 1;
        CHECK(impatient.end(answer(500)).give_up.empty());
        CHECK_FALSE(impatient.end(answer(500)).next.has_value());
        attempt shortened{3};
        shortened.job.max_attempts = 10;
        CHECK(shortened.end(answer(500)).said.kind() == type::discard);
    }

    TEST_CASE("excerpt_of: keeps what helps and drops what could be a secret or a person") {
        using webhook::excerpt_of;
        CHECK(excerpt_of(R"({"error":"no such order"})") == R"({"error":"no such order"})");
        CHECK(excerpt_of("for john@example.com") == "for j***@example.com");
        CHECK(excerpt_of("Bearer sk_live_4eC39HqLyjWDarjtT1zdp7dc!") == "Bearer [...]!");
        CHECK(excerpt_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") == "[...]");
        CHECK(excerpt_of("internationalisation") == "internationalisation");
        CHECK(excerpt_of(std::string{"a\r\nb\0c\x7f", 7}) == "a  b c ");
        CHECK(excerpt_of("ü\xff\xc0\xaf\xed\xa0\x80") == "ü??????");
        CHECK(excerpt_of(std::string(5'000, ' ')).size() == 1'024);
        CHECK(excerpt_of("aü", 2) == "a");
        CHECK(excerpt_of("") == "");
    }
}
