#include "processors/debug/processor.hpp"
#include "processors/email/processor.hpp"
#include "processors/support/crypto.hpp"
#include "processors/webhook/processor.hpp"
#include "support/http_receiver.hpp"
#include "support/recording_observer.hpp"
#include "support/smtp_server.hpp"
#include "support/test_database.hpp"

#include <libqueue/client.hpp>
#include <libqueue/worker.hpp>

#include <doctest/doctest.h>

#include <iterator>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
namespace processors = libqueue::processors;
using libqueue::job_state;

/// A worker with every processor, and the servers they talk to.
class bench {
   public:
    bench() : client_{libqueue::client_options{database.dsn()}} { worker_.start(); }
    /// With `limit` above all kinds.
    explicit bench(const std::string& limit)
        : limit_{limit}, client_{libqueue::client_options{database.dsn()}} {
        worker_.start();
    }

    libqueue::job_id enqueue(const std::string& kind, const std::string& payload,
                             int attempts = 3) {
        libqueue::new_job job{kind, payload};
        return client_.enqueue(job.attempts(attempts)).value().id;
    }
    libqueue::job_info finished(libqueue::job_id id) { return client_.wait(id, 20s).value(); }
    libqueue::job_info run(const std::string& kind, const std::string& payload, int attempts = 3) {
        return finished(enqueue(kind, payload, attempts));
    }

    void restart() {
        worker_.stop(5s);
        worker_.start();
    }

    test::test_database database;
    test::http_receiver receiver;
    test::smtp_server mail;
    test::recording_observer observer;

   private:
    std::vector<libqueue::registration> kinds() const {
        auto all = processors::debug::make_registrations();
        processors::webhook::options webhook;
        webhook.secrets.emplace_back("whsec_" + processors::base64_encode(std::string(32, 's')));
        webhook.allow_http = true;
        webhook.allow_private = true;
        for (auto& kind : processors::webhook::make_registrations(std::move(webhook))) {
            all.push_back(std::move(kind));
        }
        processors::email::options email{"127.0.0.1"};
        email.port = mail.port();
        email.tls = processors::email::tls_mode::none;
        email.from = "shop@example.test";
        for (auto& kind : processors::email::make_registrations(std::move(email))) {
            all.push_back(std::move(kind));
        }
        for (auto& kind : all) {
            kind.options.retry =
                libqueue::retry_policy{libqueue::backoff_strategy::fixed, 10ms, 10ms, false};
        }
        return all;
    }

    libqueue::worker_options options() {
        libqueue::worker_options made;
        made.dsn = database.dsn();
        made.queues.emplace_back("default", 10).limit = limit_;
        made.observer = &observer;
        made.migration_sets = processors::email::migration_sets();
        return made;
    }

    std::string limit_;
    libqueue::client client_;
    libqueue::worker worker_{options(), kinds()};
};

bool mentions(const libqueue::job_info& job, const std::string& text) {
    return job.last_error && job.last_error->find(text) != std::string::npos;
}

}  // namespace

TEST_SUITE("processors: in a worker") {
    TEST_CASE("debug kinds do what their payload says") {
        bench bench;
        CHECK(bench.run("debug.noop", "{}").state == job_state::completed);
        CHECK(bench.run("debug.echo", R"({"a": [1, 2]})").output == R"({"a": [1, 2]})");
        CHECK(bench.run("debug.sleep", R"({"ms": 1})").state == job_state::completed);

        const auto third = bench.run("debug.fail", R"({"class": "retry", "times": 2})");
        CHECK(third.state == job_state::completed);
        CHECK(third.attempt == 3);
        CHECK(bench.run("debug.fail", "{}", 2).state == job_state::dead);
        const auto discarded = bench.run("debug.fail", R"({"class": "discard"})");
        CHECK(discarded.state == job_state::dead);
        CHECK(discarded.attempt == 1);
        const auto settled = bench.run("debug.fail", R"({"class": "unknown"})");
        CHECK(settled.state == job_state::completed);
        CHECK(settled.output == R"({"reconciled": true})");
    }

    TEST_CASE("debug kinds discard a payload that does not fit, saying why") {
        bench bench;
        CHECK(mentions(bench.run("debug.sleep", "{}"),
                       "payload.ms: expected milliseconds, got nothing"));
        CHECK(mentions(bench.run("debug.sleep", R"({"ms": "x"})"), "got a string"));
        CHECK(mentions(bench.run("debug.fail", R"({"class": "odd"})"),
                       "payload.class: expected retry, discard or unknown"));
        CHECK(mentions(bench.run("debug.crash", R"({"signal": "KILL"})"),
                       "payload.signal: expected an integer"));
        CHECK(mentions(bench.run("debug.fail", "[]"), "expected a JSON object"));
    }

    TEST_CASE("a sleeping job is cancelled at once") {
        bench bench;
        const auto id = bench.enqueue("debug.sleep", R"({"ms": 600000})");
        REQUIRE(bench.observer.wait_for(libqueue::event_type::job_started));
        libqueue::client other{libqueue::client_options{bench.database.dsn()}};
        CHECK_FALSE(other.cancel(id).value());
        CHECK(bench.finished(id).state == job_state::cancelled);
    }

    TEST_CASE("a webhook and a mail are delivered, before and after a restart of the worker") {
        bench bench;
        for (int round = 1; round <= 2; ++round) {
            const auto hook = bench.run(
                "webhook.deliver", R"({"url": ")" + bench.receiver.url() + R"(", "event": "e"})");
            CHECK(hook.state == job_state::completed);
            const auto mail =
                bench.run("email.send", R"({"to": "b@example.test", "subject": "s", "text": "t"})");
            CHECK(mail.state == job_state::completed);
            CHECK(bench.receiver.requests().size() == static_cast<std::size_t>(round));
            CHECK(bench.mail.messages().size() == static_cast<std::size_t>(round));
            bench.restart();
        }
    }

    TEST_CASE("a failing endpoint is retried with one id and ends in the dead letters") {
        bench bench;
        bench.receiver.reply_in_turn({test::http_reply{500}});
        const auto job = bench.run("webhook.deliver",
                                   R"({"url": ")" + bench.receiver.url() + R"(", "event": "e"})");
        CHECK(job.state == job_state::dead);
        CHECK(mentions(job, "the endpoint answered 500"));
        const auto requests = bench.receiver.requests();
        REQUIRE(requests.size() == 3);
        CHECK(requests[0].header("webhook-id") == requests[2].header("webhook-id"));
    }

    TEST_CASE("what an endpoint or a mail server answers is told to the limit") {
        bench bench{"outside"};
        bench.database.execute(
            "SELECT queue.limit_set('outside', concurrency => 9, breaker_ratio => 1, "
            "breaker_min_requests => 1000)");
        const auto told = [&] {
            return bench.database.query(
                "SELECT coalesce(sum(requests + requests_before), 0) || ' ' || "
                "coalesce(sum(errors + errors_before), 0) FROM queue.limit_tally");
        };
        const auto payload = R"({"url": ")" + bench.receiver.url() + R"(", "event": "e"})";

        bench.receiver.reply_in_turn({test::http_reply{404}});
        CHECK(bench.run("webhook.deliver", payload, 1).state == job_state::dead);
        CHECK(told() == "1 0");
        bench.receiver.reply_in_turn({test::http_reply{502}});
        CHECK(bench.run("webhook.deliver", payload, 1).state == job_state::dead);
        CHECK(told() == "2 1");
        const auto mail =
            bench.run("email.send", R"({"to": "b@example.test", "subject": "s", "text": "t"})");
        CHECK(mail.state == job_state::completed);
        CHECK(told() == "3 1");
        test::http_reply busy{429};
        busy.headers.emplace_back("retry-after", "60");
        bench.receiver.reply_in_turn({busy});
        CHECK(bench.run("webhook.deliver", payload, 1).state == job_state::dead);
        CHECK(told() == "3 1");
        CHECK(bench.database.query("SELECT closed_until > now() + interval '50 s' FROM "
                                   "queue.limit_status") == "t");
    }

    TEST_CASE("a delivery under way does not hold up the worker's stop") {
        bench bench;
        test::http_reply late;
        late.delay = 10min;
        bench.receiver.reply_in_turn({late});
        (void)bench.enqueue("webhook.deliver",
                            R"({"url": ")" + bench.receiver.url() + R"(", "event": "e"})");
        REQUIRE(bench.receiver.wait_for_requests(1));
        const auto begin = std::chrono::steady_clock::now();
        bench.restart();
        CHECK(std::chrono::steady_clock::now() - begin < 15s);
    }
}
