#include "engine/task_group.hpp"
#include "processors/support/transfer_loop.hpp"
#include "webhook_bench.hpp"

#include <doctest/doctest.h>

#include <exception>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

namespace {

using type = libqueue::outcome::type;
using namespace std::chrono_literals;

test::http_reply late() {
    test::http_reply reply;
    reply.delay = 10min;
    return reply;
}

}  // namespace

TEST_SUITE("processors: webhook faults") {
    TEST_CASE("a certificate that nobody vouches for is refused before anything is sent") {
        const test::tls_certificate certificate;
        const test::tls_certificate other;
        test::http_receiver receiver{&certificate};
        test::webhook_bench bench;
        bench.deliver_to(receiver.url());
        CHECK(bench.deliver().kind() == type::retry);
        bench.options.ca_file = other.cert();
        const auto outcome = bench.deliver();
        CHECK(outcome.kind() == type::retry);
        CHECK(outcome.message().find("certificate") != std::string::npos);
        CHECK(receiver.requests().empty());
    }

    TEST_CASE(
        "a slow endpoint ends at the timeout, the payload's or the run's, whichever is first") {
        test::http_receiver receiver;
        receiver.reply_in_turn({late()});
        test::webhook_bench bench;

        bench.options.timeout = 150ms;
        bench.deliver_to(receiver.url());
        CHECK(bench.deliver().message().find("no answer within") != std::string::npos);

        bench.options.timeout = 10min;
        bench.deliver_to(receiver.url(), R"(, "timeout_ms": 150)");
        CHECK(bench.deliver().kind() == type::retry);

        bench.deliver_to(receiver.url());
        auto run = bench.run();
        run.deadline = std::chrono::steady_clock::now() + 150ms;
        CHECK(bench.deliver(std::move(run)).kind() == type::retry);
        CHECK(receiver.requests().size() == 3);
    }

    TEST_CASE("a run that is asked to stop gives up at once and says why") {
        struct expectation {
            libqueue::stop_reason reason;
            type outcome;
        };
        const expectation table[] = {{libqueue::stop_reason::cancelled, type::cancelled},
                                     {libqueue::stop_reason::shutdown, type::snooze},
                                     {libqueue::stop_reason::timeout, type::retry},
                                     {libqueue::stop_reason::lease_lost, type::retry}};
        for (const auto& row : table) {
            std::stop_source source;
            test::http_receiver receiver;
            receiver.reply_with([&source](const test::http_request&) {
                source.request_stop();  // from another thread, as the request is under way
                return late();
            });
            test::webhook_bench bench;
            bench.options.timeout = 10min;
            bench.deliver_to(receiver.url());
            auto run = bench.run();
            run.stop = source.get_token();
            run.reason = [&row] {
                return row.reason;
            };
            CHECK(bench.deliver(std::move(run)).kind() == row.outcome);
        }
    }

    TEST_CASE("a run that was stopped before it began sends nothing") {
        std::stop_source source;
        source.request_stop();
        test::http_receiver receiver;
        receiver.reply_in_turn({late()});
        test::webhook_bench bench;
        bench.deliver_to(receiver.url());
        auto run = bench.run();
        run.stop = source.get_token();
        CHECK(bench.deliver(std::move(run)).kind() == type::retry);
        CHECK(receiver.requests().empty());
    }

    TEST_CASE("a lost reply and a closed port are retries") {
        test::http_receiver receiver;
        test::http_reply dropped;
        dropped.drop = true;
        receiver.reply_in_turn({dropped});
        test::webhook_bench bench;
        bench.deliver_to(receiver.url());
        CHECK(bench.deliver().kind() == type::retry);
        bench.deliver_to("http://127.0.0.1:" + std::to_string(test::free_tcp_port()) + "/");
        CHECK(bench.deliver().kind() == type::retry);
        bench.deliver_to("https://no-such-host.invalid/");
        CHECK(bench.deliver().kind() == type::retry);
    }

    TEST_CASE("a huge body is cut off and does not spoil the delivery") {
        test::http_receiver receiver;
        receiver.reply_in_turn({test::http_reply{200, std::string(20U << 20U, 'x')}});
        test::webhook_bench bench;
        bench.deliver_to(receiver.url());
        CHECK(bench.deliver().kind() == type::completed);

        libqueue::processors::http_request request{receiver.url(), "{}"};
        request.allow_http = true;
        request.addresses = libqueue::processors::address_policy::any;
        auto loop =
            libqueue::processors::transfer_loop_of(bench.io.get_executor(), request.addresses);
        const auto response =
            test::run(bench.io, libqueue::processors::perform(
                                    loop, request, {}, std::chrono::steady_clock::now() + 10s));
        CHECK(response.status == 200);
        CHECK(response.body.size() == request.body_limit);
    }

    TEST_CASE("no address of this host or network is reached, however it is written") {
        test::http_receiver receiver;
        test::webhook_bench bench;
        bench.options.allow_private = false;
        const auto port = ":" + std::to_string(receiver.port()) + "/";
        for (const std::string host : {"127.0.0.1",
                                       "localhost",
                                       "LOCALHOST",
                                       "127.1",
                                       "0x7f000001",
                                       "2130706433",
                                       "0177.0.0.1",
                                       "0",
                                       "0.0.0.0",
                                       "[::1]",
                                       "[::]",
                                       "[::ffff:127.0.0.1]",
                                       "[::ffff:7f00:1]",
                                       "[0:0:0:0:0:ffff:127.0.0.1]",
                                       "127.0.0.1.",
                                       "localhost.",
                                       "127.255.255.254",
                                       "10.0.0.1",
                                       "192.168.1.1",
                                       "172.16.0.1",
                                       "169.254.169.254",
                                       "100.64.0.1",
                                       "[fe80::1]",
                                       "[fd00::1]",
                                       "[64:ff9b::7f00:1]",
                                       "[2002:7f00:1::]"}) {
            CAPTURE(host);
            bench.deliver_to("http://" + host + port);
            const auto outcome = bench.deliver();
            // Some spellings are no host name at all for the resolver; none may connect.
            const bool refused = outcome.kind() == type::discard ||
                                 outcome.message().find("resolve") != std::string::npos;
            CHECK_MESSAGE(refused, outcome.message());
        }
        CHECK(receiver.requests().empty());
    }

    TEST_CASE("a connection opened for private addresses is not lent to a guarded delivery") {
        test::http_receiver receiver;
        test::webhook_bench bench;
        bench.deliver_to(receiver.url());
        CHECK(bench.deliver().kind() == type::completed);
        bench.options.allow_private = false;
        CHECK(bench.deliver().kind() == type::discard);
        CHECK(receiver.requests().size() == 1);
    }

    TEST_CASE("proxies named in the environment are ignored") {
        test::http_receiver receiver;
        test::http_receiver proxy;
        ::setenv("http_proxy", proxy.url().c_str(), 1);
        ::setenv("ALL_PROXY", proxy.url().c_str(), 1);
        test::webhook_bench bench;
        bench.deliver_to(receiver.url());
        CHECK(bench.deliver().kind() == type::completed);
        ::unsetenv("http_proxy");
        ::unsetenv("ALL_PROXY");
        CHECK(proxy.requests().empty());
    }

    TEST_CASE("many deliveries run at once on one loop") {
        test::http_receiver receiver;
        test::webhook_bench bench;
        bench.deliver_to(receiver.url());
        const auto with =
            std::make_shared<const libqueue::processors::webhook::settings>(bench.options);
        constexpr std::size_t many = 50;
        libqueue::engine::task_group tasks{bench.io, [](const char*, std::exception_ptr) {
                                           }};
        std::vector<std::optional<libqueue::outcome>> outcomes(many);
        for (auto& outcome : outcomes) {
            tasks.spawn("delivery",
                        test::webhook_bench::keep(
                            libqueue::processors::webhook::deliver(with, bench.run()), outcome));
        }
        bench.io.run_for(30s);
        for (const auto& outcome : outcomes) {
            CHECK((outcome && outcome->kind() == type::completed));
        }
        CHECK(receiver.requests().size() == many);
    }

    TEST_CASE("the loop may go while deliveries are under way, and a new one serves") {
        test::http_receiver receiver;
        receiver.reply_in_turn({late()});
        {
            test::webhook_bench bench;
            bench.options.timeout = 10min;
            bench.deliver_to(receiver.url());
            const auto with =
                std::make_shared<const libqueue::processors::webhook::settings>(bench.options);
            std::vector<std::optional<libqueue::outcome>> outcomes(3);
            libqueue::engine::task_group tasks{bench.io, [](const char*, std::exception_ptr) {
                                               }};
            for (auto& outcome : outcomes) {
                tasks.spawn(
                    "delivery",
                    test::webhook_bench::keep(
                        libqueue::processors::webhook::deliver(with, bench.run()), outcome));
            }
            while (receiver.requests().size() < 3) {
                bench.io.run_one_for(1s);
            }
        }
        receiver.reply_in_turn({test::http_reply{200}});
        test::webhook_bench next;
        next.deliver_to(receiver.url());
        CHECK(next.deliver().kind() == type::completed);
    }

    TEST_CASE("a payload that does not fit is discarded with every fault") {
        test::webhook_bench bench;
        bench.job.payload = R"({"url": 5, "timeout_ms": 0})";
        const auto outcome = bench.deliver();
        CHECK(outcome.kind() == type::discard);
        CHECK(outcome.message() ==
              "payload.url: expected a string, got a number; "
              "payload.event: expected a string, got nothing; "
              "payload.timeout_ms: expected an integer from 1 to 600000, got one outside");
    }

    TEST_CASE("settings: refuses options that cannot work") {
        using libqueue::processors::webhook::settings;
        const test::webhook_bench good;
        auto options = good.options;
        options.secrets.clear();
        CHECK_THROWS_AS(settings{options}, std::invalid_argument);
        options.secrets.emplace_back("canary");
        CHECK_THROWS_WITH_AS(settings{options},
                             "webhook secret: expected whsec_, whsk_ or whpk_ followed by base64 "
                             "(generate one: echo whsec_$(openssl rand -base64 32))",
                             std::invalid_argument);
        options = good.options;
        options.timeout = 0ms;
        CHECK_THROWS_AS(settings{options}, std::invalid_argument);
    }
}
