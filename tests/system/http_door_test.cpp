#include "api_rig.hpp"
#include "support/tls_certificate.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <vector>

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

namespace {

tcp::endpoint endpoint_of(const test::api_rig& rig) {
    const auto& address = rig.address();
    const auto colon = address.rfind(':');
    return {asio::ip::make_address(address.substr(0, colon)),
            static_cast<unsigned short>(std::stoi(address.substr(colon + 1)))};
}

int answers_in(const std::string& text) {
    int count = 0;
    const std::string begin{"HTTP/1.1 "};
    for (auto at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1))
        count += std::isdigit(static_cast<unsigned char>(text[at + begin.size()])) != 0 ? 1 : 0;
    return count;
}

long resident_kb(int pid) {
    std::ifstream file{"/proc/" + std::to_string(pid) + "/statm"};
    long size = 0;
    long resident = 0;
    file >> size >> resident;
    return resident * 4;
}

std::string chunk(const std::string& body) {
    return body + "\r\n0\r\n\r\n";
}

// A second request that nobody may ever answer.
const std::string smuggled{"GET /api/v1/whoami HTTP/1.1\r\nHost: x\r\n\r\n"};

std::string post(const std::string& fields, const std::string& body) {
    return "POST /api/v1/queues HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n" + body;
}

std::vector<std::string> smuggling() {
    const std::string cl5{"Content-Length: 5\r\n"};
    const std::string te{"Transfer-Encoding: chunked\r\n"};
    return {
        post(cl5 + te, "0\r\n\r\n"),
        post(te + cl5, "0\r\n\r\n"),
        post(cl5 + cl5, "abcde"),
        post(cl5 + "Content-Length: 0\r\n", "abcde"),
        post("Content-Length: 0\r\nContent-Length: 5\r\n", "abcde"),
        post("Content-Length: 5, 5\r\n", "abcde"),
        post("Content-Length: 5,0\r\n", "abcde"),
        post("Content-Length: +5\r\n", "abcde"),
        post("Content-Length: -5\r\n", "abcde"),
        post("Content-Length: 0x5\r\n", "abcde"),
        post("Content-Length: 5a\r\n", "abcde"),
        post("Content-Length: '5'\r\n", "abcde"),
        post("Content-Length: 18446744073709551621\r\n", "abcde"),
        post("Content-Length : 5\r\n", "abcde"),
        post("Content-Length\t: 5\r\n", "abcde"),
        post(" Content-Length: 5\r\n", "abcde"),
        post("X: y\r\n Content-Length: 5\r\n", "abcde"),
        post("X: y\nContent-Length: 5\r\n", "abcde"),
        post("X: y\rContent-Length: 5\r\n", "abcde"),
        post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
        post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
        post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
        post("Transfer-Encoding: identity\r\n", "0\r\n\r\n"),
        post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
        post("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", "0\r\n\r\n"),
        post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"),
        post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"),
        post("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n"),
        post(te, "5\nabcde\n0\n\n"),
        post(te, "-5\r\nabcde\r\n0\r\n\r\n"),
        post(te, "0x5\r\nabcde\r\n0\r\n\r\n"),
        post(te, "fffffffffffffffff\r\nabcde\r\n0\r\n\r\n"),
        post(te, "g\r\nabcde\r\n0\r\n\r\n"),
        post(te, "5\r\nabcdeXX0\r\n\r\n"),
        post(te, "5 \r\nabcde\r\n0\r\n\r\n"),
        post(te, "5\r\nabcde\r\n0\r\nAuthorization: Bearer x\r\n\r\n"),
        "POST /api/v1/queues HTTP/1.0\r\n" + te + "\r\n0\r\n\r\n",
        "GET http://x/api/v1/queues HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET //x HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET /a HTTP/1.1\r\n\r\n",
        "GET /a HTTP/1.1 \r\nHost: x\r\n\r\n",
        "GET /a\tHTTP/1.1\r\nHost: x\r\n\r\n",
        "\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    };
}

// One sends half a head, the next a whole one and no body.
class slow_client {
   public:
    slow_client(asio::io_context& io, const tcp::endpoint& to, int number) : socket_{io} {
        boost::system::error_code ignored;
        socket_.connect(to, ignored);
        const auto sent = number % 2 == 0 ? std::string{"GET /api/v1/queues HTTP/1.1\r\nHo"}
                                          : post("Content-Length: 1\r\n", "");
        asio::write(socket_, asio::buffer(sent), ignored);
    }

   private:
    tcp::socket socket_;
};

// Another transaction is about to make the tenant "acme": whoever wants to waits for it.
class tenants_held {
   public:
    explicit tenants_held(const test::api_rig& rig) : rig_{rig}, other_{rig.db().dsn()} {
        other_.execute(
            "BEGIN; INSERT INTO queue.tenant (id, name) VALUES (gen_random_uuid(), 'acme')");
    }
    [[nodiscard]] int waiting() const {
        return std::stoi(
            rig_.db().query("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = "
                            "'transactionid' AND pid IN (SELECT pid FROM pg_stat_activity WHERE "
                            "datname = current_database())"));
    }
    void let_go() const { other_.execute("ROLLBACK"); }

   private:
    const test::api_rig& rig_;
    mutable test::connection other_;
};

test::api_reply make_acme(const test::api_rig& rig, const std::string& token) {
    return rig.ask(test::api_request{"POST", "/tenants", token, R"({"name":"acme"})"});
}

bool lets_in(const tcp::endpoint& server) {
    asio::io_context io;
    tcp::socket socket{io};
    boost::system::error_code error;
    socket.connect(server, error);
    return !error;
}

}  // namespace

TEST_SUITE("http door") {
    TEST_CASE(
        "http door: what can be read in two ways ends the connection, and nothing behind it "
        "is answered") {
        test::api_rig rig;
        int number = 0;
        for (const auto& attack : smuggling()) {
            const auto answer = rig.raw(attack + smuggled);
            CAPTURE(number);
            CAPTURE(attack);
            CAPTURE(answer);
            CHECK(answers_in(answer) == 1);
            const auto reply = test::parse_reply(answer);
            CHECK(reply.status >= 400);
            CHECK(reply.status < 600);
            CHECK(reply.header("connection") == "close");
            CHECK(reply.header("content-type") == "application/problem+json");
            ++number;
        }
        CHECK(number >= 40);
        const auto fine =
            rig.raw(post("Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n",
                         "2\r\n" + chunk("{}")) +
                    "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        CHECK(answers_in(fine) == 2);
        CHECK(fine.find("HTTP/1.1 401") == 0);
    }

    TEST_CASE("http door: bodies, headers and paths have limits, and waiting for a body is said") {
        test::api_rig rig;
        const auto token = rig.token(libqueue::role::admin);
        const std::string close{"Connection: close\r\n"};
        const auto status = [&](const std::string& bytes) {
            return test::parse_reply(rig.raw(bytes)).status;
        };

        CHECK(status(post("Content-Length: 1048577\r\n", "x")) == 413);
        CHECK(status(post("Transfer-Encoding: chunked\r\n",
                          "200000\r\n" + std::string(0x200000, 'x'))) == 413);
        CHECK(status("GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n") == 414);
        CHECK(status("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n") ==
              431);
        const auto asked = rig.raw(post(
            close + "Authorization: Bearer " + token +
                "\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: "
                "12\r\n",
            R"({"name":"a"})"));
        CHECK(asked.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201"));
    }

    TEST_CASE("http door: a thousand slow clients keep nobody else waiting") {
        rlimit files{};
        getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = std::min<rlim_t>(files.rlim_max, 4096);
        setrlimit(RLIMIT_NOFILE, &files);
        test::api_rig rig;
        const auto before = resident_kb(rig.workerd().pid());
        asio::io_context io;
        std::vector<std::unique_ptr<slow_client>> crowd;
        for (int i = 0; i < 1'000; ++i)
            crowd.push_back(std::make_unique<slow_client>(io, endpoint_of(rig), i));

        std::vector<double> took_ms;
        for (int i = 0; i < 200; ++i) {
            // The crowd comes again and again, as an attacker's would.
            crowd[static_cast<std::size_t>(i) * 5 % crowd.size()] =
                std::make_unique<slow_client>(io, endpoint_of(rig), i);
            const auto start = std::chrono::steady_clock::now();
            const auto reply = test::parse_reply(
                rig.raw("GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
            const std::chrono::duration<double, std::milli> took =
                std::chrono::steady_clock::now() - start;
            REQUIRE(reply.status == 200);
            took_ms.push_back(took.count());
        }
        std::ranges::sort(took_ms);
        const auto grown = resident_kb(rig.workerd().pid()) - before;

        MESSAGE("health p50 " << took_ms[100] << " ms, p99 " << took_ms[198] << " ms, grown "
                              << grown << " kB");
        CHECK(took_ms[198] < 200);
        CHECK(grown < 64 * 1024);
    }

    TEST_CASE("http door: a whole head without its body does not keep a place") {
        test::api_rig rig{
            "http: {listen: \"127.0.0.1:0\", connections: 8, rate_limits: {address: 1000/s}}\n"};
        asio::io_context io;
        std::vector<std::unique_ptr<slow_client>> crowd;
        for (int i = 0; i < 200; ++i)
            crowd.push_back(std::make_unique<slow_client>(io, endpoint_of(rig), 1));

        const auto health =
            rig.raw("GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        CHECK(test::parse_reply(health).status == 200);
        CHECK(rig.get("/queues", rig.token(libqueue::role::viewer)).status == 200);
    }

    TEST_CASE("http door: when all are at work a newcomer is told so before its body is read") {
        test::api_rig rig{
            "http: {listen: \"127.0.0.1:0\", connections: 8, threads: 8, rate_limits: {token: "
            "1000/s, address: 1000/s}}\n"};
        const tenants_held held{rig};
        const auto token = rig.token(libqueue::role::admin);
        std::vector<std::future<test::api_reply>> busy;
        for (int i = 0; i < 8; ++i)
            busy.push_back(std::async(std::launch::async, [&] { return make_acme(rig, token); }));
        REQUIRE(test::wait_until([&] { return held.waiting() == 8; }, 8s));

        const auto late = test::parse_reply(rig.raw(post("Content-Length: 5\r\n", "")));
        const auto health = test::parse_reply(
            rig.raw("GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));

        CHECK(late.status == 503);
        CHECK(late.header("retry-after") == "1");
        CHECK(health.status == 200);
        held.let_go();
        int made = 0;
        for (auto& each : busy)
            made += each.get().status == 201 ? 1 : 0;
        CHECK(made == 1);
    }

    TEST_CASE("http door: a request under way is answered before the process leaves") {
        test::api_rig rig;
        const tenants_held held{rig};
        const auto token = rig.token(libqueue::role::admin);
        auto asked = std::async(std::launch::async, [&] { return make_acme(rig, token); });
        REQUIRE(test::wait_until([&] { return held.waiting() == 1; }, 10s));

        rig.workerd().signal(SIGTERM);
        REQUIRE(rig.workerd().wait_for_text("worker_stopped"));
        REQUIRE(test::wait_until([&] { return !lets_in(endpoint_of(rig)); }, 5s));
        held.let_go();

        const auto reply = asked.get();
        CHECK(reply.status == 201);
        CHECK(reply.header("connection") == "close");
        const auto left = rig.workerd().wait(10s);
        REQUIRE(left);
        CHECK(left->code == 0);
    }

    TEST_CASE("http door: a header that does not come in five seconds is not waited for") {
        test::api_rig rig;
        const auto start = std::chrono::steady_clock::now();

        const auto answer = rig.raw("GET /api/v1/queues HTTP/1.1\r\nHo");

        const auto took = std::chrono::steady_clock::now() - start;
        CHECK(answer.empty());
        CHECK(took > 4s);
        CHECK(took < 9s);
    }

    TEST_CASE(
        "http door: speaks TLS 1.2 and newer when it has a certificate, and nothing in clear") {
        const test::tls_certificate certificate;
        test::api_rig rig{"http: {listen: \"127.0.0.1:0\", tls: {certificate_file: \"" +
                          certificate.cert().string() + "\", key_file: \"" +
                          certificate.key().string() + "\"}}\n"};
        const auto curl = [&](const std::string& more) {
            return test::run_command(test::process_options{
                "sh",
                {"-c",
                 "curl -s -o /dev/null -w '%{http_code}' --cacert '" + certificate.cert().string() +
                     "' --resolve localhost:" + rig.address().substr(rig.address().rfind(':') + 1) +
                     ":127.0.0.1 " + more + " https://localhost:" +
                     rig.address().substr(rig.address().rfind(':') + 1) + "/health/live"}});
        };

        CHECK(curl("--tlsv1.3").output == "200");
        CHECK(curl("--tls-max 1.2").output == "200");
        CHECK(curl("--tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0").output == "000");
        CHECK(rig.raw(smuggled).find("HTTP/1.1") == std::string::npos);
        rig.workerd().signal(SIGHUP);
        CHECK(rig.workerd().wait_for_text("tls_reloaded"));
        CHECK(curl("").output == "200");
    }

    TEST_CASE("http door: an address others reach needs TLS or a word that something else has it") {
        const test::temp_dir folder;
        const auto check = [&](const std::string& http) {
            const auto config = folder.write(
                "w.yaml",
                "database: {dsn: \"postgresql://nowhere/app\"}\nqueues: {default: {}}\n"
                "processors: {debug: true}\nhttp: {" +
                    http + "}\n");
            return test::run_command(test::process_options{
                test::binary("workerd"), {"--check-config", "--config", config.string()}});
        };

        CHECK(check("listen: \"0.0.0.0:8080\"").code == 2);
        CHECK(check("listen: \"0.0.0.0:8080\"").errors.find("http.insecure") != std::string::npos);
        CHECK(check("listen: \"0.0.0.0:8080\", insecure: true").code == 0);
        CHECK(check("listen: \"127.0.0.1:8080\"").code == 0);
        CHECK(check("cors_origins: [\"*\"]").code == 2);
    }
}
