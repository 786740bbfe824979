#include "support/process.hpp"
#include "webhook_bench.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace {

using type = libqueue::outcome::type;
using namespace std::chrono_literals;

/// The message's signature as a receiver in another language computes it.
std::string reference_signature(const std::string& secret, const test::http_request& message) {
    test::process_options python{
        "python3",
        {"-c",
         "import base64,hashlib,hmac,sys\n"
         "key=base64.b64decode(sys.argv[1][len('whsec_'):])\n"
         "print('v1,'+base64.b64encode(hmac.new(key,sys.stdin.buffer.read(),hashlib.sha256)"
         ".digest()).decode(),end='')",
         secret}};
    python.stdin_text = message.header("webhook-id") + "." + message.header("webhook-timestamp") +
                        "." + message.body;
    return test::run_command(python).output;
}

}  // namespace

TEST_SUITE("processors: webhook delivery") {
    TEST_CASE("sends a Standard Webhooks message over TLS that an independent receiver verifies") {
        const test::tls_certificate certificate;
        test::http_receiver receiver{&certificate};
        test::webhook_bench bench;
        bench.options.ca_file = certificate.cert();
        bench.options.allow_http = false;
        bench.deliver_to(receiver.url("/hook?x=1"), R"(, "headers": {"X-Tenant": "7"})");
        auto run = bench.run();
        run.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

        const auto outcome = bench.deliver(std::move(run));

        CHECK(outcome.kind() == type::completed);
        CHECK(outcome.output().starts_with(R"({"status":200,"duration_ms":)"));
        const auto all = receiver.requests();
        REQUIRE(all.size() == 1);
        const auto& message = all.front();
        CHECK(message.method == "POST");
        CHECK(message.target == "/hook?x=1");
        CHECK(message.body ==
              R"({"type":"order.paid","timestamp":"2023-11-14T22:13:20.000Z","data":{"n": 1.50}})");
        CHECK(message.header("content-type") == "application/json");
        CHECK(message.header("x-tenant") == "7");
        CHECK(message.header("user-agent").starts_with("libqueue/"));
        CHECK(message.header("traceparent").starts_with("00-0af7"));
        CHECK(message.header("expect").empty());
        CHECK(message.header("webhook-id").find('.') == std::string::npos);
        CHECK(message.header("webhook-signature") == reference_signature(bench.secret, message));
    }

    TEST_CASE("keeps id and body over attempts, and signs with both keys during a rotation") {
        test::http_receiver receiver;
        test::webhook_bench bench;
        bench.options.secrets.emplace_back(
            "whsec_" + libqueue::processors::base64_encode(std::string(24, 't')));
        bench.deliver_to(receiver.url());
        CHECK(bench.deliver().kind() == type::completed);
        bench.job.attempt = 2;
        CHECK(bench.deliver().kind() == type::completed);

        const auto all = receiver.requests();
        REQUIRE(all.size() == 2);
        CHECK(all[0].header("webhook-id") == all[1].header("webhook-id"));
        CHECK(all[0].body == all[1].body);
        CHECK(all[0].connection == all[1].connection);
        const auto signatures = all[0].header("webhook-signature");
        const auto space = signatures.find(' ');
        REQUIRE(space != std::string::npos);
        CHECK(signatures.substr(0, space) == reference_signature(bench.secret, all[0]));
        CHECK(signatures.substr(space + 1) ==
              reference_signature(std::string{bench.options.secrets[1].reveal()}, all[0]));
    }

    TEST_CASE("every status has its outcome") {
        struct expectation {
            int status;
            type outcome;
        };
        const expectation table[] = {
            {200, type::completed}, {201, type::completed}, {202, type::completed},
            {204, type::completed}, {301, type::retry},     {302, type::retry},
            {307, type::retry},     {308, type::retry},     {304, type::retry},
            {400, type::discard},   {401, type::discard},   {403, type::discard},
            {404, type::discard},   {405, type::discard},   {408, type::retry},
            {409, type::discard},   {410, type::discard},   {413, type::discard},
            {422, type::discard},   {425, type::retry},     {429, type::retry},
            {500, type::retry},     {501, type::retry},     {502, type::retry},
            {503, type::retry},     {504, type::retry},     {599, type::retry},
        };
        test::http_receiver receiver;
        test::webhook_bench bench;
        bench.deliver_to(receiver.url());
        for (const auto& row : table) {
            CAPTURE(row.status);
            receiver.reply_in_turn({test::http_reply{row.status}});
            const auto outcome = bench.deliver();
            CHECK(outcome.kind() == row.outcome);
            CHECK_FALSE(outcome.after().has_value());
            const bool says_status =
                outcome.kind() == type::completed ||
                outcome.message().find(std::to_string(row.status)) != std::string::npos;
            CHECK(says_status);
        }
    }

    TEST_CASE("Retry-After of 429 and 503 sets the wait; elsewhere it is ignored") {
        test::http_receiver receiver;
        test::webhook_bench bench;
        bench.deliver_to(receiver.url());
        for (const int status : {429, 502, 503, 504}) {
            test::http_reply reply{status};
            reply.headers.emplace_back("Retry-After", "17");
            receiver.reply_in_turn({reply});
            const auto outcome = bench.deliver();
            CHECK(outcome.kind() == type::retry);
            CHECK(outcome.after() == std::chrono::milliseconds{17'000});
        }
        for (const int status : {500, 301}) {
            test::http_reply reply{status};
            reply.headers.emplace_back("Retry-After", "17");
            receiver.reply_in_turn({reply});
            CHECK_FALSE(bench.deliver().after().has_value());
        }
    }

    TEST_CASE("410 says that the endpoint asks for no more") {
        test::http_receiver receiver;
        test::webhook_bench bench;
        bench.deliver_to(receiver.url());
        receiver.reply_in_turn({test::http_reply{410}});
        CHECK(bench.deliver().message().find("no more deliveries") != std::string::npos);
    }

    TEST_CASE("a redirect is not followed") {
        test::http_receiver target;
        test::http_receiver receiver;
        test::http_reply redirect{302};
        redirect.headers.emplace_back("Location", target.url("/elsewhere"));
        receiver.reply_in_turn({redirect});
        test::webhook_bench bench;
        bench.deliver_to(receiver.url());
        CHECK(bench.deliver().kind() == type::retry);
        CHECK(target.requests().empty());
    }

    TEST_CASE("outcomes show neither the request's nor the reply's body") {
        test::http_receiver receiver;
        test::webhook_bench bench;
        bench.deliver_to(receiver.url(), R"(, "data": "canary")");
        for (const int status : {200, 302, 400, 410, 503}) {
            receiver.reply_in_turn({test::http_reply{status, "canary"}});
            const auto outcome = bench.deliver();
            CHECK(outcome.message().find("canary") == std::string::npos);
            CHECK(outcome.output().find("canary") == std::string::npos);
        }
    }
}
