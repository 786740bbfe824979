#include "email_bench.hpp"
#include "support/temp_dir.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace json = boost::json;
using type = libqueue::outcome::type;
using namespace libqueue::processors::email;
using security = test::smtp_server_options::security;

test::smtp_answer answer(test::smtp_answer::stage stage, const std::string& reply,
                         const std::string& match = {}) {
    test::smtp_answer made{stage, reply};
    made.match = match;
    return made;
}

std::vector<std::string> strings(const json::value& list) {
    return json::value_to<std::vector<std::string>>(list);
}

}  // namespace

TEST_SUITE("processors: email delivery") {
    TEST_CASE("sends a mail as it was meant and says what the server answered") {
        const test::smtp_server server;
        test::email_bench bench{server};
        bench.mail_to(R"(["b@example.test", "C <c@example.test>"])",
                      R"(, "bcc": "d@example.test", "html": "<p>.</p>")");

        const auto outcome = bench.send();

        REQUIRE_MESSAGE(outcome.kind() == type::completed, outcome.message());
        const auto output = json::parse(outcome.output());
        const std::vector<std::string> all{"b@example.test", "c@example.test", "d@example.test"};
        const std::vector<std::string> masked{"b***@example.test", "c***@example.test",
                                              "d***@example.test"};
        CHECK(strings(output.at("accepted")) == masked);
        CHECK(output.at("rejected").as_array().empty());
        CHECK(output.at("reply").as_string() == "250 OK accepted");
        const auto messages = server.messages();
        REQUIRE(messages.size() == 1);
        CHECK(messages[0].from == "shop@example.test");
        CHECK(messages[0].to == all);
        CHECK(messages[0].data.find("\r\nHello\r\n.\r\n..dots\r\n") != std::string::npos);
        CHECK(messages[0].data.find("Message-ID: " + json::value_to<std::string>(output.at(
                                                         "message_id"))) != std::string::npos);
        CHECK(messages[0].data.find("d@example.test") == std::string::npos);
        CHECK_FALSE(messages[0].tls);
    }

    TEST_CASE("sends over STARTTLS and TLS, logged in") {
        const test::tls_certificate certificate;
        for (const auto mode : {security::starttls, security::implicit_tls}) {
            test::smtp_server_options options;
            options.tls = mode;
            options.certificate = &certificate;
            options.user = "workerd";
            options.password = "pass word";
            const test::smtp_server server{options};
            test::email_bench bench{server};
            bench.options.tls = mode == security::starttls ? tls_mode::starttls : tls_mode::tls;
            bench.options.ca_file = certificate.cert();
            bench.options.username = options.user;
            bench.options.password = libqueue::processors::secret{options.password};

            const auto outcome = bench.send();

            REQUIRE_MESSAGE(outcome.kind() == type::completed, outcome.message());
            REQUIRE(server.messages().size() == 1);
            CHECK(server.messages()[0].tls);
            CHECK(server.messages()[0].user == "workerd");
        }
    }

    TEST_CASE("logs in with a token from a file, read anew for every mail") {
        test::smtp_server_options options;
        options.user = "workerd";
        options.bearer = "ya29.token";
        const test::smtp_server server{options};
        test::email_bench bench{server};
        const test::temp_dir files;
        const auto write = [&files](const std::string& token) {
            const auto path = files.write("token", token);
            std::filesystem::permissions(
                path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
            return path;
        };
        bench.options.username = "workerd";
        bench.options.bearer_file = write("expired-canary");
        sender sender{bench.options};
        const libqueue::processors::run_view run{bench.job};

        // Other than a password, a token that is refused will be renewed.
        const auto refused = sender.deliver(run);
        CHECK(refused.kind() == type::retry);
        CHECK(refused.message().find("canary") == std::string::npos);
        static_cast<void>(write("ya29.token\n"));
        const auto taken = sender.deliver(run);
        REQUIRE_MESSAGE(taken.kind() == type::completed, taken.message());
        CHECK(server.messages().at(0).user == "workerd");
        std::filesystem::permissions(bench.options.bearer_file, std::filesystem::perms::all);
        CHECK(sender.deliver(run).kind() == type::retry);
        CHECK(server.messages().size() == 1);
    }

    TEST_CASE("an address beyond ASCII goes where SMTPUTF8 is spoken") {
        const test::smtp_server server;
        test::email_bench bench{server};
        bench.mail_to("\"zoë@example.test\"");
        const auto outcome = bench.send();
        REQUIRE_MESSAGE(outcome.kind() == type::completed, outcome.message());
        CHECK(server.messages().at(0).to == std::vector<std::string>{"zoë@example.test"});
        CHECK(server.messages().at(0).data.find("To: zoë@example.test\r\n") != std::string::npos);

        test::smtp_server_options options;
        options.utf8 = false;
        const test::smtp_server old{options};
        test::email_bench without{old};
        without.mail_to("\"zoë@example.test\"");
        CHECK(without.send().kind() == type::discard);
        CHECK(old.messages().empty());
    }

    TEST_CASE("a refused recipient among others is reported and the mail still goes") {
        test::smtp_server_options options;
        options.script = {
            answer(test::smtp_answer::stage::rcpt, "550 5.1.1 <no@x.test> unknown", "no@"),
            answer(test::smtp_answer::stage::rcpt, "451 4.7.1 later", "grey@")};
        const test::smtp_server server{options};
        test::email_bench bench{server};
        bench.mail_to(R"(["no@x.test", "yes@x.test", "grey@x.test"])");

        const auto outcome = bench.send();

        REQUIRE_MESSAGE(outcome.kind() == type::completed, outcome.message());
        const auto output = json::parse(outcome.output());
        CHECK(strings(output.at("accepted")) == std::vector<std::string>{"y***@x.test"});
        const auto& rejected = output.at("rejected").as_array();
        REQUIRE(rejected.size() == 2);
        CHECK(rejected[0].at("address").as_string() == "n***@x.test");
        CHECK(rejected[0].at("reply").as_string() == "550 5.1.1 <n***@x.test> unknown");
        CHECK(rejected[0].at("status").as_string() == "5.1.1");
        CHECK(rejected[1].at("reply").as_string() == "451 4.7.1 later");
        CHECK(rejected[1].at("status").as_string() == "4.7.1");
        CHECK(server.messages().at(0).to == std::vector<std::string>{"yes@x.test"});
    }

    TEST_CASE("refusals of everything: 4yz retries, 5yz discards, with the enhanced code") {
        using stage = test::smtp_answer::stage;
        struct expectation {
            stage on;
            const char* reply;
            type outcome;
        };
        const expectation table[] = {
            {stage::rcpt, "550 5.1.1 no such user", type::discard},
            {stage::rcpt, "452 4.5.3 too many", type::retry},
            {stage::mail, "553 5.1.8 bad sender", type::discard},
            {stage::mail, "451 4.3.0 not now", type::retry},
            {stage::data, "554 5.7.1 spam", type::discard},
            {stage::data, "452 4.3.1 disk full", type::retry},
        };
        for (const auto& row : table) {
            CAPTURE(row.reply);
            test::smtp_server_options options;
            options.script = {answer(row.on, row.reply)};
            const test::smtp_server server{options};
            test::email_bench bench{server};
            const auto outcome = bench.send();
            CHECK(outcome.kind() == row.outcome);
            CHECK(outcome.message().find(row.reply) != std::string::npos);
            CHECK(server.messages().empty());
        }
    }

    TEST_CASE("one recipient that may be accepted later is enough to retry") {
        test::smtp_server_options options;
        options.script = {answer(test::smtp_answer::stage::rcpt, "550 5.1.1 no", "no@"),
                          answer(test::smtp_answer::stage::rcpt, "451 4.7.1 later", "grey@")};
        const test::smtp_server server{options};
        test::email_bench bench{server};
        bench.mail_to(R"(["grey@x.test", "no@x.test"])");
        CHECK(bench.send().kind() == type::retry);
        bench.mail_to(R"(["no@x.test", "grey@x.test"])");
        CHECK(bench.send().kind() == type::retry);
    }

    TEST_CASE("greylisted once, sent on the next attempt with the same Message-ID") {
        test::smtp_server_options options;
        auto greylist = answer(test::smtp_answer::stage::rcpt, "451 4.7.1 greylisted");
        greylist.times = 1;
        options.script = {greylist};
        const test::smtp_server server{options};
        test::email_bench bench{server};
        sender sender{bench.options};
        CHECK(sender.deliver(libqueue::processors::run_view{bench.job}).kind() == type::retry);
        bench.job.attempt = 2;
        CHECK(sender.deliver(libqueue::processors::run_view{bench.job}).kind() == type::completed);
        CHECK(server.messages().size() == 1);
    }

    TEST_CASE("one sender serves many threads and reuses its connections") {
        const test::smtp_server server;
        const test::email_bench bench{server};
        sender sender{bench.options};
        constexpr int threads = 4;
        constexpr int mails = 5;
        std::atomic<int> completed{0};
        std::vector<std::jthread> senders;
        for (int i = 0; i < threads; ++i) {
            senders.emplace_back([&sender, &bench, &completed, i] {
                for (int j = 0; j < mails; ++j) {
                    auto job = bench.job;
                    job.id = i * mails + j;
                    const auto outcome = sender.deliver(libqueue::processors::run_view{job});
                    completed += outcome.kind() == type::completed ? 1 : 0;
                }
            });
        }
        senders.clear();
        CHECK(completed == threads * mails);
        CHECK(server.messages().size() == threads * mails);
    }
}
