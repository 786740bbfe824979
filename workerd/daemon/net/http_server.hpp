#pragma once

#include "net/tasks.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace workerd {

using http_request = boost::beast::http::request<boost::beast::http::string_body>;
using http_response = boost::beast::http::response<boost::beast::http::string_body>;

/// Answers one request. Runs on the server's loop; what blocks must be taken elsewhere.
using http_handler = std::function<boost::asio::awaitable<http_response>(http_request)>;

class http_limits {
   public:
    http_limits() = default;
    std::uint32_t header_bytes = 8 << 10;
    std::uint64_t body_bytes = 1 << 10;
    /// For reading one whole request, and again for writing its response.
    std::chrono::seconds time{10};
    int connections = 64;
};

/// A small HTTP/1.1 server with bounded headers, bodies, times and connections. One loop, one
/// thread. stop() ends it; the object must outlive the loop's run.
class http_server {
   public:
    /// Binds at once; throws std::runtime_error when the address cannot be had.
    http_server(tasks& tasks, const std::string& address, const http_limits& limits,
                http_handler handler);
    /// On a socket that listens already.
    http_server(tasks& tasks, boost::asio::ip::tcp::acceptor acceptor, const http_limits& limits,
                http_handler handler);
    http_server(const http_server&) = delete;
    http_server& operator=(const http_server&) = delete;

    void start();
    void stop();
    /// "127.0.0.1:8080", with the real port.
    [[nodiscard]] std::string address() const;
    [[nodiscard]] unsigned short port() const { return acceptor_.local_endpoint().port(); }

   private:
    boost::asio::awaitable<void> accept_loop();
    boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);

    tasks& tasks_;
    http_limits limits_;
    http_handler handler_;
    boost::asio::ip::tcp::acceptor acceptor_;
    // Shared by this object and the coroutines of open connections.
    std::shared_ptr<int> active_ = std::make_shared<int>(0);
};

/// A finished response: JSON body, no caching.
[[nodiscard]] http_response json_response(unsigned status, std::string body);

}  // namespace workerd
