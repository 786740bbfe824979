#include "processors/support/payload.hpp"
#include "support/process.hpp"
#include "webhook_bench.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <vector>

// This program has a resolver and a connect() of its own, which libcurl finds before those of libc:
// names are answered as a hostile server would, and every address that is connected to is written
// down. A public address is led to a receiver of ours; a private one would be let through, so that
// it could be seen twice.

namespace {

using type = libqueue::outcome::type;

/// example.com's, by the guard's lights as good as any: nothing leaves for it.
constexpr const char* public_address = "93.184.215.14";

class network {
   public:
    std::mutex mutex;
    std::vector<std::string> connected;  ///< addresses, in the order they were tried
    std::atomic<unsigned short> stand_in{0};
    std::atomic<std::size_t> flips{0};
};
network& net() {
    static network the_one;
    return the_one;
}

std::string text_of(const sockaddr& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.sa_family == AF_INET) {
        sockaddr_in in{};
        std::memcpy(&in, &address, sizeof in);
        ::inet_ntop(AF_INET, &in.sin_addr, text.data(), text.size());
    } else {
        sockaddr_in6 in{};
        std::memcpy(&in, &address, sizeof in);
        ::inet_ntop(AF_INET6, &in.sin6_addr, text.data(), text.size());
    }
    return text.data();
}

/// What a name of ours is answered with; empty: there is no such name.
std::vector<std::string> answers_for(std::string name) {
    for (auto& c : name) {
        c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    if (name.ends_with('.')) {
        name.pop_back();
    }
    static const std::map<std::string, std::vector<std::string>> table{
        {"example.com", {public_address}},
        {"loopback.test", {"127.0.0.1"}},
        {"ten.test", {"10.0.0.1"}},
        {"metadata.test", {"169.254.169.254"}},
        {"six.test", {"::1"}},
        {"mapped.test", {"::ffff:127.0.0.1"}},
        {"local.test", {"fd00::1"}},
        {"private.test", {"192.168.0.1", "172.16.0.1"}},
        {"nat64.test", {"64:ff9b::7f00:1"}},
        {"six-to-four.test", {"2002:7f00:1::1"}},
        {"any.test", {"0.0.0.0", "::"}},
        {"both-inside.test", {"127.0.0.1", "::1"}},
        {"link.test", {"fe80::1"}},
    };
    // What a server that wants to be let in first and to lead inside afterwards may say, one answer
    // after the other.
    static const std::vector<std::vector<std::string>> turns{
        {public_address},
        {"127.0.0.1"},
        {public_address},
        {"::1"},
        {"10.0.0.1"},
        {public_address},
        {"169.254.169.254", "127.0.0.1"},
        {public_address},
        {"::ffff:127.0.0.1"},
        {"127.0.0.1", public_address},
    };
    if (name == "flip.test") {
        return turns.at(net().flips++ % turns.size());
    }
    const auto found = table.find(name);
    return found == table.end() ? std::vector<std::string>{} : found->second;
}

template <typename Function>
Function* next_of(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** found) {
    static auto* const real = next_of<decltype(::getaddrinfo)>("getaddrinfo");
    addrinfo numeric{};
    if (hints != nullptr) {
        numeric = *hints;
    }
    numeric.ai_flags |= AI_NUMERICHOST;
    const std::string host{name == nullptr ? "" : name};
    if (real(name, service, &numeric, found) == 0) {
        return 0;
    }
    if (host.find("localhost") != std::string::npos ||
        host.find("LOCALHOST") != std::string::npos) {
        return real(name, service, hints, found);
    }
    addrinfo* first = nullptr;
    addrinfo* last = nullptr;
    for (const auto& answer : answers_for(host)) {
        addrinfo* one = nullptr;
        if (real(answer.c_str(), service, &numeric, &one) != 0) {
            continue;
        }
        (first == nullptr ? first : last->ai_next) = one;
        for (last = one; last->ai_next != nullptr;) {
            last = last->ai_next;
        }
    }
    *found = first;
    return first == nullptr ? EAI_NONAME : 0;
}

extern "C" int connect(int socket, const sockaddr* address, socklen_t size) {
    static auto* const real = next_of<decltype(::connect)>("connect");
    if (address->sa_family != AF_INET && address->sa_family != AF_INET6) {
        return real(socket, address, size);
    }
    const auto text = text_of(*address);
    {
        const std::lock_guard lock{net().mutex};
        net().connected.push_back(text);
    }
    if (text != public_address) {
        return real(socket, address, size);
    }
    sockaddr_in instead{};
    instead.sin_family = AF_INET;
    instead.sin_port = htons(net().stand_in);
    instead.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr generic{};
    std::memcpy(&generic, &instead, sizeof generic);
    return real(socket, &generic, sizeof instead);
}

namespace {

/// Counts who comes to a port on 127.0.0.1 and ::1.
class sentinel {
   public:
    sentinel() {
        namespace asio = boost::asio;
        using asio::ip::tcp;
        const tcp::endpoint four{asio::ip::address_v4::loopback(), 0};
        v4_.open(four.protocol());
        v4_.bind(four);
        v4_.listen();
        port = v4_.local_endpoint().port();
        const tcp::endpoint six{asio::ip::address_v6::loopback(), port};
        boost::system::error_code none;
        v6_.open(six.protocol(), none);
        v6_.bind(six, none);
        v6_.listen(asio::socket_base::max_listen_connections, none);
        v4_.non_blocking(true);
        v6_.non_blocking(true, none);
    }
    /// Those since the last call.
    int visitors() {
        int seen = 0;
        for (auto* acceptor : {&v4_, &v6_}) {
            boost::system::error_code none;
            for (boost::asio::ip::tcp::socket visitor{io_}; !acceptor->accept(visitor, none);
                 visitor = boost::asio::ip::tcp::socket{io_}) {
                ++seen;
            }
        }
        return seen;
    }

    unsigned short port{0};

   private:
    boost::asio::io_context io_;
    boost::asio::ip::tcp::acceptor v4_{io_};
    boost::asio::ip::tcp::acceptor v6_{io_};
};

std::vector<std::string> corpus(unsigned short port) {
    std::ifstream file{test::source_dir() / "tests/integration/processors/forbidden_targets.txt"};
    std::vector<std::string> targets;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line.starts_with('#')) {
            continue;
        }
        for (auto at = line.find("{port}"); at != std::string::npos; at = line.find("{port}")) {
            line.replace(at, 6, std::to_string(port));
        }
        targets.push_back(line);
    }
    return targets;
}

std::size_t connections() {
    const std::lock_guard lock{net().mutex};
    return net().connected.size();
}

}  // namespace

TEST_SUITE("processors: webhook targets") {
    TEST_CASE("this program's network is the one that deliveries use") {
        test::http_receiver stand_in;
        net().stand_in = stand_in.port();
        test::webhook_bench bench;
        bench.options.allow_private = false;
        bench.deliver_to("http://example.com/");
        CHECK(bench.deliver().kind() == type::completed);
        bench.options.allow_private = true;
        bench.deliver_to("http://loopback.test:" + std::to_string(stand_in.port()) + "/");
        CHECK(bench.deliver().kind() == type::completed);
        const std::lock_guard lock{net().mutex};
        CHECK(net().connected == std::vector<std::string>{public_address, "127.0.0.1"});
        CHECK(stand_in.requests().size() == 2);
    }

    TEST_CASE("no spelling of a forbidden target makes a connection") {
        sentinel inside;
        test::http_receiver stand_in;
        net().stand_in = stand_in.port();
        const auto targets = corpus(inside.port);
        REQUIRE(targets.size() >= 300);
        const auto before = connections();
        test::webhook_bench bench;
        bench.options.allow_private = false;
        for (const auto& target : targets) {
            CAPTURE(target);
            bench.job.payload =
                R"({"event": "e", "url": )" + libqueue::processors::json_string(target) + "}";
            const auto outcome = bench.deliver();
            // Some are no names for the resolver; nobody knows them tomorrow either, but that is
            // the resolver's word and not ours.
            const bool unresolved = outcome.kind() == type::retry &&
                                    outcome.message().find("resolve") != std::string::npos;
            CHECK_MESSAGE((outcome.kind() == type::discard || unresolved), outcome.message());
            CHECK(connections() == before);
        }
        CHECK(inside.visitors() == 0);
        CHECK(stand_in.requests().empty());
    }

    TEST_CASE("a name whose address changes with every question never leads inside") {
        sentinel inside;
        test::http_receiver stand_in;
        net().stand_in = stand_in.port();
        const auto first = connections();
        const auto flips = net().flips.load();
        std::size_t delivered = 0;
        std::size_t refused = 0;
        constexpr std::size_t many = 1'000;
        for (std::size_t i = 0; i < many; ++i) {
            // A loop of its own: libcurl keeps answers for a minute, and connections longer.
            test::webhook_bench bench;
            bench.options.allow_private = false;
            bench.deliver_to("http://flip.test:" + std::to_string(inside.port) + "/");
            const auto outcome = bench.deliver();
            delivered += outcome.kind() == type::completed ? 1 : 0;
            refused += outcome.kind() == type::discard ? 1 : 0;
        }
        CHECK(net().flips - flips >= many);
        CHECK(delivered == many / 2);
        CHECK(refused == many / 2);
        CHECK(inside.visitors() == 0);
        CHECK(stand_in.requests().size() == delivered);
        const std::lock_guard lock{net().mutex};
        for (std::size_t i = first; i < net().connected.size(); ++i) {
            CHECK(net().connected[i] == public_address);
        }
    }
}
