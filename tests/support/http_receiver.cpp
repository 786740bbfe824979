#include "http_receiver.hpp"

#include "wait_until.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <thread>

namespace test {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

std::string http_request::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (boost::beast::iequals(key, name)) {
            return value;
        }
    }
    return {};
}

// Blocking sockets and a thread per connection: a test opens few, and a delayed reply must not
// hold up the others. The end shuts the sockets down, which wakes whoever reads.
class http_receiver::server {
   public:
    explicit server(const tls_certificate* certificate)
        : acceptor_{io_, tcp::endpoint{asio::ip::address_v4::loopback(), 0}} {
        if (certificate != nullptr) {
            tls_.emplace(asio::ssl::context::tls_server);
            tls_->use_certificate_chain_file(certificate->cert().string());
            tls_->use_private_key_file(certificate->key().string(), asio::ssl::context::pem);
        }
        port_ = acceptor_.local_endpoint().port();
        accepting_ = std::thread{[this] {
            accept();
        }};
    }

    ~server() {
        {
            const std::lock_guard lock{mutex_};
            stopping_ = true;
            ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
            for (auto& one : connections_) {
                ::shutdown(one.socket.native_handle(), SHUT_RDWR);
            }
        }
        changed_.notify_all();
        accepting_.join();
        for (auto& one : connections_) {
            one.thread.join();
        }
    }

    void reply_with(script reply) {
        const std::lock_guard lock{mutex_};
        script_ = std::move(reply);
    }

    std::vector<http_request> requests() {
        const std::lock_guard lock{mutex_};
        return requests_;
    }

    bool wait_for_requests(std::size_t count, std::chrono::milliseconds deadline) {
        std::unique_lock lock{mutex_};
        return changed_.wait_until(lock, std::chrono::system_clock::now() + scaled(deadline),
                                   [&] { return requests_.size() >= count; });
    }

    [[nodiscard]] unsigned short port() const { return port_; }
    [[nodiscard]] bool is_tls() const { return tls_.has_value(); }

   private:
    struct connection {
        explicit connection(tcp::socket socket_) : socket{std::move(socket_)} {}
        tcp::socket socket;
        std::thread thread;
    };

    void accept() {
        for (std::size_t number = 1;; ++number) {
            boost::system::error_code error;
            tcp::socket socket{io_};
            acceptor_.accept(socket, error);
            const std::lock_guard lock{mutex_};
            if (stopping_ || error) {
                return;
            }
            auto& added = connections_.emplace_back(std::move(socket));
            added.thread = std::thread{[this, &added, number] {
                converse(added, number);
            }};
        }
    }

    void converse(connection& with, std::size_t number) {
        boost::system::error_code error;
        if (tls_) {
            asio::ssl::stream<tcp::socket&> stream{with.socket, *tls_};
            stream.handshake(asio::ssl::stream_base::server, error);
            if (!error) {
                serve(stream, number);
            }
        } else {
            serve(with.socket, number);
        }
        // Shut down, not closed: the destructor may be using the descriptor.
        with.socket.shutdown(tcp::socket::shutdown_both, error);
    }

    template <typename Stream>
    void serve(Stream& stream, std::size_t number) {
        boost::beast::flat_buffer buffer;
        bool keep = true;
        while (keep) {
            http::request_parser<http::string_body> parser;
            parser.body_limit(64U << 20U);
            boost::system::error_code error;
            http::read(stream, buffer, parser, error);
            if (error) {
                return;
            }
            const auto reply = answer(record(parser.get(), number));
            if (!reply) {
                return;
            }
            http::response<http::string_body> response;
            response.result(static_cast<unsigned>(reply->status));
            response.version(parser.get().version());
            for (const auto& [name, value] : reply->headers) {
                response.set(name, value);
            }
            response.body() = reply->body;
            response.keep_alive(parser.get().keep_alive());
            response.prepare_payload();
            http::write(stream, response, error);
            keep = !error && response.keep_alive();
        }
    }

    http_request record(const http::request<http::string_body>& request, std::size_t number) {
        http_request kept;
        kept.method = std::string{request.method_string()};
        kept.target = std::string{request.target()};
        kept.body = request.body();
        kept.connection = number;
        for (const auto& field : request) {
            kept.headers.emplace_back(field.name_string(), field.value());
        }
        {
            const std::lock_guard lock{mutex_};
            requests_.push_back(kept);
        }
        changed_.notify_all();
        return kept;
    }

    // Nothing: close without a reply.
    std::optional<http_reply> answer(const http_request& request) {
        script reply;
        {
            const std::lock_guard lock{mutex_};
            reply = script_;
        }
        auto made = reply ? reply(request) : http_reply{};
        if (made.delay.count() > 0) {
            std::unique_lock lock{mutex_};
            changed_.wait_until(lock, std::chrono::system_clock::now() + made.delay,
                                [&] { return stopping_; });
        }
        if (made.drop) {
            return std::nullopt;
        }
        return made;
    }

    asio::io_context io_;
    tcp::acceptor acceptor_;
    std::optional<asio::ssl::context> tls_;
    unsigned short port_{0};
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_{false};
    script script_;
    std::vector<http_request> requests_;
    std::list<connection> connections_;
    std::thread accepting_;
};

http_receiver::http_receiver(const tls_certificate* certificate)
    : server_{std::make_unique<server>(certificate)} {}

http_receiver::~http_receiver() = default;

void http_receiver::reply_with(script reply) {
    server_->reply_with(std::move(reply));
}

void http_receiver::reply_in_turn(std::vector<http_reply> replies) {
    // shared_ptr: copies of the script, made for each request, count together.
    auto next = std::make_shared<std::atomic<std::size_t>>(0);
    server_->reply_with([replies = std::move(replies), next](const http_request&) {
        return replies.at(std::min((*next)++, replies.size() - 1));
    });
}

unsigned short http_receiver::port() const {
    return server_->port();
}

std::string http_receiver::url(std::string_view path) const {
    return (server_->is_tls() ? "https://127.0.0.1:" : "http://127.0.0.1:") +
           std::to_string(server_->port()) + std::string{path};
}

std::vector<http_request> http_receiver::requests() const {
    return server_->requests();
}

bool http_receiver::wait_for_requests(std::size_t count, std::chrono::milliseconds deadline) {
    return server_->wait_for_requests(count, deadline);
}

}  // namespace test
