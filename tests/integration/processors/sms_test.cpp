#include "processors/sms/delivery.hpp"
#include "processors/sms/processor.hpp"
#include "processors/sms/segments.hpp"
#include "support/http_receiver.hpp"
#include "support/temp_dir.hpp"
#include "support/test_database.hpp"

#include <libqueue/client.hpp>
#include <libqueue/worker.hpp>

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <mutex>
#include <string>
#include <vector>

namespace {

namespace json = boost::json;
namespace sms = libqueue::processors::sms;
using libqueue::job_state;
using namespace std::chrono_literals;

/// A provider that keeps what it sent and lists it, and a worker that sends through it.
class bench {
   public:
    bench() : options_{"AC0", libqueue::processors::secret{"token"}} {
        options_.url = receiver.url("");
        options_.from = "+4366012345";
        options_.allow_http = true;
        options_.allow_private = true;
        options_.timeout = 1s;
        options_.settle = 10ms;
        receiver.reply_with([this](const test::http_request& request) { return answer(request); });
    }

    sms::options& options() { return options_; }
    void start() {
        auto kinds = sms::make_registrations(options_);
        for (auto& kind : kinds) {
            kind.options.retry =
                libqueue::retry_policy{libqueue::backoff_strategy::fixed, 10ms, 10ms, false};
        }
        libqueue::worker_options made;
        made.dsn = database.dsn();
        made.queues.emplace_back("default", 8);
        made.poll_interval = 100ms;
        made.migration_sets = sms::migration_sets();
        worker_.emplace(std::move(made), std::move(kinds));
        worker_->start();
    }
    libqueue::job_info send(const std::string& payload) {
        libqueue::new_job job{"sms.send", payload};
        const auto id = client_.enqueue(job.attempts(3)).value().id;
        return client_.wait(id, 20s).value();
    }
    libqueue::job_info send_text(const std::string& to = "+436601234567") {
        return send(R"({"to": ")" + to + R"(", "text": "hello"})");
    }
    /// The replies to the next POSTs, after which it does as it is told. A status of 201 with
    /// `drop` sends and loses the reply.
    void script(std::vector<test::http_reply> replies) {
        const std::lock_guard lock{mutex_};
        script_ = std::move(replies);
    }
    std::vector<std::string> sent() {
        const std::lock_guard lock{mutex_};
        return sent_;
    }

    test::test_database database;
    test::http_receiver receiver;

   private:
    test::http_reply answer(const test::http_request& request) {
        const std::lock_guard lock{mutex_};
        if (request.method == "GET") {
            json::array messages;
            for (const auto& body : sent_) {
                messages.push_back(
                    json::object{{"sid", "SM1"}, {"status", "sent"}, {"body", body}});
            }
            return test::http_reply{200, json::serialize(json::object{{"messages", messages}})};
        }
        auto reply = test::http_reply{201, R"({"sid": "SM1", "status": "queued"})"};
        if (!script_.empty()) {
            reply = script_.front();
            script_.erase(script_.begin());
        }
        if (reply.status == 201) {
            const auto at = request.body.find("Body=") + 5;
            auto body = request.body.substr(at);
            for (auto hex = body.find('%'); hex != std::string::npos; hex = body.find('%')) {
                body.replace(hex, 3, 1,
                             static_cast<char>(std::stoi(body.substr(hex + 1, 2), nullptr, 16)));
            }
            sent_.push_back(body);
        }
        return reply;
    }

    sms::options options_;
    std::mutex mutex_;
    std::vector<test::http_reply> script_;
    std::vector<std::string> sent_;
    libqueue::client client_{libqueue::client_options{database.dsn()}};
    std::optional<libqueue::worker> worker_;
};

test::http_reply lost() {
    test::http_reply reply{201};
    reply.drop = true;
    return reply;
}

test::http_reply refusal(int status, int code) {
    return test::http_reply{
        status, R"({"code": )" + std::to_string(code) + R"(, "message": "canary +436601234567"})"};
}

bool mentions(const libqueue::job_info& job, const std::string& text) {
    return job.last_error && job.last_error->find(text) != std::string::npos;
}

}  // namespace

TEST_SUITE("processors: sms") {
    TEST_CASE("segments are counted as they are billed") {
        CHECK(sms::segments_of("") == 1);
        CHECK(sms::segments_of(std::string(160, 'a')) == 1);
        CHECK(sms::segments_of(std::string(161, 'a')) == 2);
        CHECK(sms::segments_of(std::string(306, 'a')) == 2);
        CHECK(sms::segments_of(std::string(307, 'a')) == 3);
        CHECK(sms::segments_of(std::string(158, 'a') + "€") == 1);
        CHECK(sms::segments_of(std::string(159, 'a') + "€") == 2);
        // The euro sign takes two and is not split between segments.
        CHECK(sms::segments_of(std::string(152, 'a') + "€" + std::string(152, 'b')) == 3);
        CHECK(sms::segments_of("ä" + std::string(159, 'a')) == 1);
        CHECK(sms::segments_of("ж" + std::string(69, 'a')) == 1);
        CHECK(sms::segments_of("ж" + std::string(70, 'a')) == 2);
        CHECK(sms::segments_of("😀" + std::string(68, 'a')) == 1);
        CHECK(sms::segments_of("😀" + std::string(69, 'a')) == 2);
        CHECK_FALSE(sms::segments_of("\xff").has_value());
    }

    TEST_CASE("payloads: what does not fit is named, without content") {
        const sms::options given{"AC0", libqueue::processors::secret{"t"}};
        const auto fault = [&given](const std::string& payload) {
            const auto made = sms::sms_payload::parse(payload, given);
            return made ? std::string{"accepted"} : made.error().message;
        };
        CHECK(fault(R"({"to": "+436601234567", "text": "t", "from": "SHOP"})") == "accepted");
        for (const std::string bad :
             {R"("436601234567")", R"("+0660123456")", R"("+43660")", R"("+43 660 1234567")",
              R"("+4366012345678901")", R"("+43660123456a")", R"("+436601234567\n")", "5"}) {
            CAPTURE(bad);
            CHECK(fault(R"({"text": "t", "from": "SHOP", "to": )" + bad + "}") != "accepted");
        }
        CHECK(fault(R"({"to": "+436601234567", "text": "t"})")
                  .starts_with("payload.from: expected a number"));
        CHECK(fault(R"({"to": "+436601234567", "from": "SHOP", "text": ")" +
                    std::string(1'000, 'c') + "\"}") ==
              "payload.text: expected at most 6 segments, got 7");
    }

    TEST_CASE("a message is posted once, logged in, and its number is masked in the output") {
        bench bench;
        bench.start();
        const auto job = bench.send_text();
        REQUIRE_MESSAGE(job.state == job_state::completed, job.last_error.value_or(""));
        CHECK(json::parse(*job.output) ==
              json::parse(R"({"sid": "SM1", "status": "queued", "segments": 1,
                              "to": "+43***67"})"));
        const auto requests = bench.receiver.requests();
        REQUIRE(requests.size() == 1);
        CHECK(requests[0].target == "/2010-04-01/Accounts/AC0/Messages.json");
        CHECK(requests[0].header("authorization") == "Basic QUMwOnRva2Vu");
        CHECK(requests[0].body == "To=%2B436601234567&From=%2B4366012345&Body=hello");
        CHECK(bench.database.query("SELECT state FROM queue.effects") == "committed");
    }

    TEST_CASE("what the provider refuses is final, and who said stop is not written to again") {
        bench bench;
        bench.start();
        bench.script({refusal(400, 21211)});
        const auto wrong = bench.send_text("+436601111111");
        CHECK(wrong.state == job_state::dead);
        CHECK(wrong.attempt == 1);
        CHECK(mentions(wrong, "the provider answered 400 with code 21211"));
        CHECK_FALSE(mentions(wrong, "canary"));
        bench.script({refusal(400, 21610)});
        CHECK(bench.send_text("+436602222222").state == job_state::dead);
        bench.script({refusal(400, 30001)});
        CHECK(bench.send_text("+436603333333").state == job_state::dead);
        CHECK(bench.database.query("SELECT string_agg(masked || ' ' || reason || ' ' || detail, "
                                   "',' ORDER BY detail) FROM contacts.suppressions") ==
              "+43***11 bounce 21211,+43***22 stop 21610");
        CHECK(json::parse(*bench.send_text("+436602222222").output) ==
              json::parse(R"({"skipped": "suppressed"})"));
        CHECK(bench.database.query("SELECT count(*) FROM queue.effects WHERE state = 'begun'") ==
              "0");
        CHECK(bench.sent().empty());
    }

    TEST_CASE("too many requests and a provider that is away are tried again") {
        bench bench;
        bench.start();
        bench.script({refusal(429, 20429), refusal(503, 0)});
        const auto job = bench.send_text();
        REQUIRE_MESSAGE(job.state == job_state::completed, job.last_error.value_or(""));
        CHECK(job.attempt == 3);
        CHECK(bench.sent().size() == 1);
    }

    TEST_CASE("no connection is no doubt") {
        bench bench;
        bench.options().url = "http://127.0.0.1:" + std::to_string(test::free_tcp_port());
        bench.start();
        const auto job = bench.send_text();
        CHECK(job.state == job_state::dead);
        CHECK(job.attempt == 3);
        CHECK(bench.database.query("SELECT count(*) FROM queue.effects WHERE state = 'begun'") ==
              "0");
    }

    TEST_CASE("a lost reply is parked: one message, a dead letter, an open effect") {
        bench bench;
        bench.start();
        // A connection that is kept: libcurl posts again by itself when one ends without an answer.
        CHECK(bench.send_text("+436605555555").state == job_state::completed);
        bench.script({lost()});
        const auto job = bench.send_text();
        CHECK(job.state == job_state::dead);
        CHECK(bench.sent().size() == 2);
        CHECK(bench.database.query("SELECT state FROM queue.effects WHERE job_id = $1",
                                   {std::to_string(job.id)}) == "begun");
        bench.script({refusal(500, 20500)});
        CHECK(bench.send_text("+436604444444").state == job_state::dead);
        CHECK(bench.sent().size() == 2);
    }

    TEST_CASE("under look_up a lost reply is found in the provider's list, a lost request sent") {
        bench bench;
        bench.options().on_unknown = sms::unknown_policy::look_up;
        bench.start();
        bench.script({lost()});
        const auto found = bench.send_text();
        REQUIRE_MESSAGE(found.state == job_state::completed, found.last_error.value_or(""));
        CHECK(json::parse(*found.output).at("status") == "sent");
        CHECK(bench.sent().size() == 1);

        bench.script({refusal(500, 20500)});
        const auto again = bench.send_text("+436604444444");
        REQUIRE_MESSAGE(again.state == job_state::completed, again.last_error.value_or(""));
        const auto sent = bench.sent();
        REQUIRE(sent.size() == 2);
        // The marks tell two equal texts apart.
        CHECK(sent[0].starts_with("hello #"));
        CHECK(sent[0] != sent[1]);
        CHECK(bench.database.query("SELECT count(*) FROM queue.effects WHERE state = 'begun'") ==
              "0");
    }

    TEST_CASE("options are checked all at once") {
        sms::options given{"", libqueue::processors::secret{}};
        given.url = "http://x.test/";
        given.from = "much too long a name";
        CHECK_THROWS_WITH_AS(static_cast<void>(sms::make_registrations(given)),
                             "sms: url: expected https://host without a path; account: expected "
                             "the account's id; token: expected one; from: expected a number, a "
                             "short code, a name or a service",
                             std::invalid_argument);
    }
}
