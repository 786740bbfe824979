#include "http_sink.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <thread>
#include <unordered_map>

namespace test {

namespace {

void demand(bool ok, const char* what) {
    if (!ok) {
        throw std::runtime_error{std::string{"http_sink: "} + what};
    }
}

/// How many bytes the first request in `text` has; 0 while it is not whole.
std::size_t request_bytes(std::string_view text) {
    const auto end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) {
        return 0;
    }
    constexpr std::string_view name{"Content-Length: "};
    const auto at = text.substr(0, end).find(name);
    std::size_t body = 0;
    if (at != std::string_view::npos) {
        const auto digits = text.substr(at + name.size());
        std::from_chars(digits.data(), digits.data() + digits.size(), body);
    }
    const auto whole = end + 4 + body;
    return text.size() < whole ? 0 : whole;
}

}  // namespace

class http_sink::server {
   public:
    server() {
        demand(listener_ >= 0 && poll_ >= 0 && stop_ >= 0, "no descriptors");
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        demand(::bind(listener_, generic, size) == 0 && ::listen(listener_, 1024) == 0 &&
                   ::getsockname(listener_, generic, &size) == 0,
               "cannot listen");
        port = ntohs(address.sin_port);
        watch(listener_);
        watch(stop_);
        thread_ = std::thread{[this] {
            run();
        }};
    }
    ~server() {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(stop_, &one, sizeof one);
        thread_.join();
        for (const auto& [descriptor, text] : clients_) {
            ::close(descriptor);
        }
        ::close(listener_);
        ::close(poll_);
        ::close(stop_);
    }
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    std::atomic<long> answered{0};
    unsigned short port{0};

   private:
    void watch(int descriptor) const {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = descriptor;
        demand(::epoll_ctl(poll_, EPOLL_CTL_ADD, descriptor, &event) == 0, "cannot watch");
    }

    void run() {
        std::array<epoll_event, 256> events{};
        for (;;) {
            const int count =
                ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), -1);
            for (int i = 0; i < count; ++i) {
                const int from = events.at(static_cast<std::size_t>(i)).data.fd;
                if (from == stop_) {
                    return;
                }
                from == listener_ ? accept() : serve(from);
            }
        }
    }

    void accept() {
        const int client = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client >= 0) {
            const int yes = 1;
            ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
            clients_[client];
            watch(client);
        }
    }

    void serve(int client) {
        auto& text = clients_[client];
        std::array<char, 16'384> part{};
        const auto got = ::read(client, part.data(), part.size());
        if (got <= 0) {
            if (got == 0 || errno != EAGAIN) {
                ::close(client);
                clients_.erase(client);
            }
            return;
        }
        text.append(part.data(), static_cast<std::size_t>(got));
        for (auto size = request_bytes(text); size > 0; size = request_bytes(text)) {
            const bool dead = text.starts_with("POST /dead");
            text.erase(0, size);
            constexpr std::string_view reply{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
            if (!dead && ::write(client, reply.data(), reply.size()) > 0) {
                ++answered;
            }
        }
    }

    int listener_{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    int poll_{::epoll_create1(EPOLL_CLOEXEC)};
    int stop_{::eventfd(0, EFD_CLOEXEC)};
    std::unordered_map<int, std::string> clients_;
    std::thread thread_;
};

http_sink::http_sink() : server_{std::make_unique<server>()} {}
http_sink::~http_sink() = default;

std::string http_sink::url(std::string_view path) const {
    return "http://127.0.0.1:" + std::to_string(server_->port) + std::string{path};
}

long http_sink::answered() const noexcept {
    return server_->answered;
}

}  // namespace test
