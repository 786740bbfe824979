#include "support/http_receiver.hpp"
#include "support/process.hpp"
#include "support/recording_observer.hpp"
#include "support/run.hpp"
#include "support/smtp_server.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

test::command_result curl(std::vector<std::string> args) {
    args.insert(args.begin(), {"-sS", "--max-time", "10"});
    return test::run_command(test::process_options{"curl", std::move(args)});
}

test::command_result send_mail(const test::smtp_server& server, const std::string& to,
                               const std::vector<std::string>& more = {}) {
    test::process_options options{"curl",
                                  {"-sS", "--max-time", "10", "--mail-from", "a@example.test",
                                   "--mail-rcpt", to, "--upload-file", "-"}};
    options.args.insert(options.args.end(), more.begin(), more.end());
    const bool url_given = !more.empty() && more.back().starts_with("smtps:");
    if (!url_given) {
        options.args.push_back("smtp://127.0.0.1:" + std::to_string(server.port()));
    }
    options.stdin_text = "Subject: hello\r\n\r\nbody\r\n";
    return test::run_command(options);
}

boost::asio::awaitable<int> seven() {
    co_return 7;
}

boost::asio::awaitable<void> fails() {
    throw std::runtime_error{"as told"};
    co_return;
}

}  // namespace

TEST_SUITE("support: network") {
    TEST_CASE("http_receiver: records requests and replies as scripted") {
        test::http_receiver receiver;
        receiver.reply_in_turn({test::http_reply{503, "later"}, test::http_reply{201, "made"}});

        const auto first = curl({"-d", "{\"a\":1}", "-H", "X-Word: hi", receiver.url("/hook?x=1"),
                                 receiver.url("/again"), "-w", "[%{http_code}]"});

        CHECK(first.output == "later[503]made[201]");
        REQUIRE(receiver.wait_for_requests(2));
        const auto seen = receiver.requests();
        CHECK(seen[0].method == "POST");
        CHECK(seen[0].target == "/hook?x=1");
        CHECK(seen[0].body == "{\"a\":1}");
        CHECK(seen[0].header("x-word") == "hi");
        CHECK(seen[1].connection == seen[0].connection);
    }

    TEST_CASE("http_receiver: drops a connection, and ends while a reply is delayed") {
        test::http_receiver receiver;
        test::http_reply dropped;
        dropped.drop = true;
        receiver.reply_in_turn({dropped});
        CHECK(curl({receiver.url()}).code == 52);

        test::http_reply late;
        late.delay = std::chrono::minutes{5};
        receiver.reply_in_turn({late});
        test::process waiting{test::process_options{"curl", {"-sS", receiver.url()}}};
        CHECK(receiver.wait_for_requests(2));
    }

    TEST_CASE("http_receiver: speaks TLS with a certificate a client can be told to trust") {
        const test::tls_certificate certificate;
        test::http_receiver receiver{&certificate};

        CHECK(curl({receiver.url()}).code == 60);
        CHECK(curl({"--cacert", certificate.cert().string(), receiver.url()}).code == 0);
    }

    TEST_CASE("smtp_server: keeps what it accepts and refuses as scripted") {
        test::smtp_server_options options;
        test::smtp_answer refuse{test::smtp_answer::stage::rcpt, "550 5.1.1 no such user"};
        refuse.match = "nobody@";
        test::smtp_answer greylist{test::smtp_answer::stage::rcpt, "451 4.7.1 try again"};
        greylist.match = "grey@";
        greylist.times = 1;
        test::smtp_answer drop{test::smtp_answer::stage::data, ""};
        drop.drop = true;
        drop.times = 1;
        options.script = {refuse, greylist, drop};
        test::smtp_server server{options};

        CHECK(send_mail(server, "nobody@example.test").code != 0);
        CHECK(send_mail(server, "grey@example.test").code != 0);
        CHECK(send_mail(server, "grey@example.test").code != 0);
        CHECK(server.messages().empty());
        CHECK(send_mail(server, "grey@example.test").code == 0);

        REQUIRE(server.wait_for_messages(1));
        const auto message = server.messages().front();
        CHECK(message.from == "a@example.test");
        CHECK(message.to == std::vector<std::string>{"grey@example.test"});
        CHECK(message.data.find("Subject: hello\r\n") != std::string::npos);
        CHECK_FALSE(message.tls);
    }

    TEST_CASE("smtp_server: requires STARTTLS and AUTH, or TLS from the start") {
        const test::tls_certificate certificate;
        test::smtp_server_options options;
        options.certificate = &certificate;
        options.tls = test::smtp_server_options::security::starttls;
        options.user = "me";
        options.password = "secret";
        const std::string trusted = certificate.cert().string();
        {
            test::smtp_server server{options};
            CHECK(send_mail(server, "b@example.test").code != 0);
            CHECK(send_mail(server, "b@example.test",
                            {"--ssl-reqd", "--cacert", trusted, "--user", "me:wrong"})
                      .code == 67);
            CHECK(send_mail(server, "b@example.test",
                            {"--ssl-reqd", "--cacert", trusted, "--user", "me:secret"})
                      .code == 0);
            REQUIRE(server.messages().size() == 1);
            CHECK(server.messages()[0].tls);
            CHECK(server.messages()[0].user == "me");
        }

        options.tls = test::smtp_server_options::security::implicit_tls;
        test::smtp_server server{options};
        const auto url = "smtps://127.0.0.1:" + std::to_string(server.port());
        CHECK(send_mail(server, "b@example.test", {"--cacert", trusted, "--user", "me:secret", url})
                  .code == 0);
        REQUIRE(server.messages().size() == 1);
        CHECK(server.messages()[0].tls);
    }

    TEST_CASE("run: returns what a coroutine returns and rethrows what it throws") {
        CHECK(test::run(seven()) == 7);
        CHECK_THROWS_WITH_AS(test::run(fails()), "as told", std::runtime_error);
    }

    TEST_CASE("recording_observer: awaits events by type and content") {
        test::recording_observer observer;
        libqueue::event event{libqueue::event_type::database_lost};
        event.message = "gone";

        observer.on_event(event);

        CHECK(observer.wait_for(libqueue::event_type::database_lost,
                                [](const auto& e) { return e.message == "gone"; }));
        CHECK_FALSE(observer.wait_for(libqueue::event_type::database_lost, 2,
                                      std::chrono::milliseconds{5}));
    }
}
