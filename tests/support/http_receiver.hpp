#pragma once

#include "tls_certificate.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

class http_request {
   public:
    http_request() = default;
    std::string method;
    std::string target;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;  ///< in the order they came
    std::size_t connection{0};  ///< number of the connection it came on, from 1

    /// Case-insensitive; empty when absent.
    [[nodiscard]] std::string header(std::string_view name) const;
};

class http_reply {
   public:
    http_reply() = default;
    explicit http_reply(int status_, std::string body_ = {})
        : status{status_}, body{std::move(body_)} {}
    int status{200};
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    std::chrono::milliseconds delay{0};  ///< before the reply; cut short when the receiver ends
    bool drop{false};                    ///< close the connection instead of replying
};

/// A real HTTP/1.1 server on a free port of 127.0.0.1 with threads of its own; keep-alive.
/// Thread-safe. The script runs on a server thread: what it captures must outlive the receiver.
class http_receiver {
   public:
    using script = std::function<http_reply(const http_request&)>;

    /// Replies 200 until told otherwise. With a certificate it speaks TLS only.
    explicit http_receiver(const tls_certificate* certificate = nullptr);
    ~http_receiver();
    http_receiver(const http_receiver&) = delete;
    http_receiver& operator=(const http_receiver&) = delete;

    void reply_with(script reply);
    /// One after the other; the last one stays.
    void reply_in_turn(std::vector<http_reply> replies);

    [[nodiscard]] unsigned short port() const;
    /// "http://127.0.0.1:<port>" + path, or https.
    [[nodiscard]] std::string url(std::string_view path = "/") const;

    [[nodiscard]] std::vector<http_request> requests() const;
    /// True once `count` requests have arrived, false at the deadline.
    [[nodiscard]] bool wait_for_requests(std::size_t count,
                                         std::chrono::milliseconds deadline = std::chrono::seconds{
                                             10});

   private:
    class server;
    std::unique_ptr<server> server_;
};

}  // namespace test
