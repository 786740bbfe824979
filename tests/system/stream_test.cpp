#include "api_rig.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;
using libqueue::role;

namespace {

// One viewer of /stream; reads while its loop runs.
class viewer {
   public:
    viewer(asio::io_context& io, const test::api_rig& rig, const std::string& token,
           const std::string& last_id = {})
        : socket_{io} {
        const auto& address = rig.address();
        const auto colon = address.rfind(':');
        socket_.connect({asio::ip::make_address(address.substr(0, colon)),
                         static_cast<unsigned short>(std::stoi(address.substr(colon + 1)))});
        std::string request{"GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                            token + "\r\n"};
        if (!last_id.empty())
            request += "Last-Event-ID: " + last_id + "\r\n";
        asio::write(socket_, asio::buffer(request + "\r\n"));
        read();
    }
    viewer(const viewer&) = delete;
    viewer& operator=(const viewer&) = delete;

    [[nodiscard]] int count(const std::string& what) const {
        int found = 0;
        for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
            ++found;
        return found;
    }
    // The id of the n-th event, from 1.
    [[nodiscard]] std::string id(int n) const {
        std::size_t at = 0;
        for (int i = 0; i < n; ++i)
            at = text.find("\nid: ", at) + 5;
        return text.substr(at, text.find('\n', at) - at);
    }

    std::string text;
    bool ended = false;

   private:
    void read() {
        socket_.async_read_some(asio::buffer(bytes_),
                                [this](const boost::system::error_code& error, std::size_t got) {
                                    // The viewer has gone.
                                    if (error == asio::error::operation_aborted)
                                        return;
                                    text.append(bytes_.data(), got);
                                    ended = static_cast<bool>(error);
                                    if (!error)
                                        read();
                                });
    }

    tcp::socket socket_;
    std::array<char, 16384> bytes_{};
};

template <typename Condition>
bool run_until(asio::io_context& io, Condition holds, std::chrono::milliseconds at_most) {
    const auto end = std::chrono::steady_clock::now() + at_most;
    while (!holds() && std::chrono::steady_clock::now() < end) {
        io.restart();
        io.run_for(20ms);
    }
    return holds();
}

long transactions(const test::api_rig& rig) {
    return std::stol(
        rig.db().query("SELECT pg_stat_get_db_xact_commit(oid) "
                       "FROM pg_database WHERE datname = current_database()"));
}

}  // namespace

TEST_SUITE("stream") {
    TEST_CASE("stream: sends the overview again and again, and goes on where a viewer left off") {
        test::api_rig rig;
        const auto token = rig.token(role::viewer);
        asio::io_context io;
        auto first = std::make_unique<viewer>(io, rig, token);

        REQUIRE(run_until(
            io, [&] { return first->count("event: overview\n") >= 3; }, 15s));
        const auto seen = first->id(1);
        const auto second = first->id(2);
        viewer again{io, rig, token, seen};
        viewer fresh{io, rig, token, "1-1"};

        REQUIRE(run_until(
            io, [&] { return again.count("\nid: ") >= 2; }, 5s));
        CHECK(again.id(1) == second);
        REQUIRE(run_until(
            io, [&] { return fresh.count("event: overview\n") >= 1; }, 5s));
        CHECK(first->text.starts_with("HTTP/1.1 200"));
        CHECK(first->text.find("Content-Type: text/event-stream") != std::string::npos);
        CHECK(fresh.id(1) != second);
    }

    TEST_CASE("stream: what leaves a list is forgotten, and told anew when it is back") {
        test::api_rig rig;
        const auto token = rig.token(role::admin);
        asio::io_context io;
        viewer watching{io, rig, token};
        const auto sees = [&](const std::string& event, int n) {
            return run_until(
                io, [&] { return watching.count("event: " + event + '\n') >= n; }, 15s);
        };
        REQUIRE(sees("overview", 1));
        REQUIRE(rig.ask(test::api_request{
                            "POST", "/operations", token,
                            R"({"action":"cancel","filter":"queue:none","undo_seconds":86400})"})
                    .status == 202);
        REQUIRE(sees("operation", 1));
        const auto told = watching.count("event: overview\n");

        rig.db().execute("CREATE TABLE public.away AS SELECT * FROM queue.operation");
        rig.db().execute("DELETE FROM queue.operation");
        REQUIRE(sees("overview", told + 2));
        rig.db().execute(
            "INSERT INTO queue.operation OVERRIDING SYSTEM VALUE "
            "SELECT * FROM public.away");

        CHECK(sees("operation", 2));
    }

    TEST_CASE("stream: ends when its token is revoked") {
        test::api_rig rig;
        const auto token = rig.token(role::viewer);
        asio::io_context io;
        viewer watching{io, rig, token};
        REQUIRE(run_until(
            io, [&] { return watching.count("event: overview\n") >= 1; }, 10s));

        rig.db().execute("UPDATE queue.api_token SET revoked_at = now()");

        CHECK(run_until(
            io, [&] { return watching.ended; }, 20s));
    }

    TEST_CASE("stream: one caller cannot take all connections, nor can all callers together") {
        test::api_rig rig{
            "http: {listen: \"127.0.0.1:0\", connections: 32, rate_limits: {token: 1000/s, "
            "address: "
            "1000/s}}\n"};
        const auto token = rig.token(role::viewer);
        const auto other = rig.token(role::viewer);
        asio::io_context io;
        std::vector<std::unique_ptr<viewer>> viewers;
        // The status of one more, which stays open when it is let in.
        const auto one_more = [&](const std::string& with) {
            viewers.push_back(std::make_unique<viewer>(io, rig, with));
            const auto& text = viewers.back()->text;
            static_cast<void>(run_until(
                io, [&] { return text.size() >= 12; }, 10s));
            return text.size() < 12 ? std::string{"none"} : text.substr(9, 3);
        };

        for (int i = 0; i < 20; ++i)
            CHECK(one_more(token) == "200");
        CHECK(one_more(token) == "429");
        CHECK(viewers.back()->text.find("\"rate_limited\"") != std::string::npos);
        for (int i = 0; i < 8; ++i)
            CHECK(one_more(other) == "200");
        CHECK(one_more(other) == "503");
        CHECK(rig.get("/queues", token).status == 200);
        viewers.erase(viewers.begin(), viewers.begin() + 10);
        // Seen as it happens; writing to who has gone would tell after two events, four seconds.
        int let_in = 0;
        CHECK(run_until(
            io,
            [&] {
                let_in += one_more(token) == "200" ? 1 : 0;
                return let_in == 10;
            },
            test::scaled(1500ms)));
    }

    TEST_CASE("stream: two hundred viewers cost the database what one costs") {
        test::api_rig rig;
        std::vector<std::string> tokens;
        for (int i = 0; i < 10; ++i)
            tokens.push_back(rig.token(role::viewer));
        const auto spent = [&](asio::io_context& io,
                               const std::vector<std::unique_ptr<viewer>>& of) {
            const auto all_have = [&](int n) {
                return [&of, n] {
                    for (const auto& each : of)
                        if (each->count("event: overview\n") < n)
                            return false;
                    return true;
                };
            };
            REQUIRE(run_until(io, all_have(1), 30s));
            const auto before = transactions(rig);
            const auto begun = std::chrono::steady_clock::now();
            static_cast<void>(run_until(
                io, [] { return false; }, 8s));
            const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
            return static_cast<double>(transactions(rig) - before) / took.count();
        };
        asio::io_context io;
        std::vector<std::unique_ptr<viewer>> viewers;
        viewers.push_back(std::make_unique<viewer>(io, rig, tokens[0]));
        const auto one = spent(io, viewers);
        for (std::size_t i = 1; i < 200; ++i)
            viewers.push_back(std::make_unique<viewer>(io, rig, tokens[i % tokens.size()]));
        const auto many = spent(io, viewers);

        MESSAGE("transactions per second: one viewer " << one << ", 200 viewers " << many);
        CHECK(many < one * 1.5 + 2);
    }
}
