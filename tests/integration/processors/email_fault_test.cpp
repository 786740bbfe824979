#include "email_bench.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <doctest/doctest.h>

#include <functional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>

namespace {

using type = libqueue::outcome::type;
using namespace libqueue::processors::email;
using namespace std::chrono_literals;
using security = test::smtp_server_options::security;

/// Accepts connections and never says a word.
class silent_server {
   public:
    explicit silent_server(std::function<void()> on_accept = {})
        : acceptor_{io_, {boost::asio::ip::address_v4::loopback(), 0}}, thread_{[this, on_accept] {
              boost::asio::ip::tcp::socket socket{io_};
              boost::system::error_code failed;
              acceptor_.accept(socket, failed);
              if (!failed && on_accept) {
                  on_accept();
              }
              std::array<char, 1> byte{};
              while (!failed) {
                  socket.read_some(boost::asio::buffer(byte), failed);
              }
          }} {}
    [[nodiscard]] int port() const { return acceptor_.local_endpoint().port(); }

   private:
    boost::asio::io_context io_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::jthread thread_;
};

test::smtp_server_options dropping() {
    test::smtp_server_options options;
    test::smtp_answer drop{test::smtp_answer::stage::data, ""};
    drop.drop = true;
    drop.times = 1;
    options.script = {drop};
    return options;
}

}  // namespace

TEST_SUITE("processors: email faults") {
    TEST_CASE("link lost after the final dot: retried with the same Message-ID by default") {
        const test::smtp_server server{dropping()};
        test::email_bench bench{server};
        const auto lost = bench.send();
        CHECK(lost.kind() == type::retry);
        CHECK(lost.message().find("may have been accepted") != std::string::npos);
        bench.job.attempt = 2;
        CHECK(bench.send().kind() == type::completed);
        const auto id_at = lost.message().find('<');
        const auto id = lost.message().substr(id_at, lost.message().find('>') - id_at + 1);
        CHECK(server.messages().at(0).data.find("Message-ID: " + id) != std::string::npos);
    }

    TEST_CASE("link lost after the final dot: parked when asked") {
        const test::smtp_server server{dropping()};
        test::email_bench bench{server};
        bench.options.on_unknown = unknown_policy::park;
        const auto lost = bench.send();
        CHECK(lost.kind() == type::discard);
        CHECK(lost.message().starts_with("parked: "));
    }

    TEST_CASE("link lost before the message went: a plain retry") {
        test::smtp_server_options options;
        test::smtp_answer drop{test::smtp_answer::stage::rcpt, ""};
        drop.drop = true;
        options.script = {drop};
        const test::smtp_server server{options};
        test::email_bench bench{server};
        bench.options.on_unknown = unknown_policy::park;
        const auto lost = bench.send();
        CHECK(lost.kind() == type::retry);
        CHECK(lost.message().find("may have been") == std::string::npos);
    }

    TEST_CASE("a server that is away, silent or not what it claims is a retry") {
        test::email_bench away{test::free_tcp_port()};
        CHECK(away.send().kind() == type::retry);

        silent_server silent;
        test::email_bench bench{silent.port()};
        bench.options.timeout = 200ms;
        CHECK(bench.send().kind() == type::retry);
    }

    TEST_CASE("a run that is asked to stop ends before the body, as what it was asked for") {
        std::stop_source source;
        silent_server silent{[&source] {
            source.request_stop();
        }};
        test::email_bench bench{silent.port()};
        libqueue::processors::run_view run{bench.job};
        run.stop = source.get_token();
        run.reason = [] {
            return libqueue::stop_reason::cancelled;
        };
        CHECK(bench.send(run).kind() == type::cancelled);
        CHECK(bench.send(run).kind() == type::cancelled);
    }

    TEST_CASE("a certificate nobody vouches for: nothing is sent, not even the login") {
        const test::tls_certificate certificate;
        const test::tls_certificate other;
        for (const auto mode : {security::starttls, security::implicit_tls}) {
            test::smtp_server_options options;
            options.tls = mode;
            options.certificate = &certificate;
            const test::smtp_server server{options};
            test::email_bench bench{server};
            bench.options.tls = mode == security::starttls ? tls_mode::starttls : tls_mode::tls;
            CHECK(bench.send().kind() == type::retry);
            bench.options.ca_file = other.cert();
            const auto outcome = bench.send();
            CHECK(outcome.kind() == type::retry);
            CHECK(outcome.message().find("certificate") != std::string::npos);
            CHECK(server.messages().empty());
        }
    }

    TEST_CASE("STARTTLS is never skipped when the server does not offer it") {
        const test::smtp_server server;
        test::email_bench bench{server};
        bench.options.tls = tls_mode::starttls;
        CHECK(bench.send().kind() == type::retry);
        CHECK(server.messages().empty());
    }

    TEST_CASE("a refused login is final and shows no password") {
        const test::tls_certificate certificate;
        test::smtp_server_options options;
        options.tls = security::starttls;
        options.certificate = &certificate;
        options.user = "workerd";
        options.password = "right";
        const test::smtp_server server{options};
        test::email_bench bench{server};
        bench.options.tls = tls_mode::starttls;
        bench.options.ca_file = certificate.cert();
        bench.options.username = "workerd";
        bench.options.password = libqueue::processors::secret{"canary"};
        const auto outcome = bench.send();
        CHECK(outcome.kind() == type::discard);
        CHECK(outcome.message().find("the login was refused: 535") != std::string::npos);
        CHECK(outcome.message().find("canary") == std::string::npos);
        CHECK(server.messages().empty());
    }

    TEST_CASE("a payload that does not fit is discarded with every fault") {
        test::email_bench bench{1};
        bench.job.payload = R"({"to": "x"})";
        const auto outcome = bench.send();
        CHECK(outcome.kind() == type::discard);
        CHECK(outcome.message() ==
              "payload.to: expected a mail address; "
              "payload.subject: expected a string, got nothing");
    }

    TEST_CASE("options: every fault at once") {
        options given{"bad host/"};
        given.port = 0;
        given.timeout = 0ms;
        given.from = "nobody";
        given.username = "u";
        CHECK_THROWS_WITH_AS(sender{given},
                             "email: host: expected a host name or address; port: expected 1 to "
                             "65535; timeout: expected more than zero; from: expected a mail "
                             "address; expected username and password, or neither",
                             std::invalid_argument);
    }
}
