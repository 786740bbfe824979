#pragma once

#include "net/http_types.hpp"
#include "net/tasks.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <string>

namespace workerd {

class connection_registry;

/// An HTTP/1.1 server with bounded heads, bodies, times and connections; with or without TLS. When
/// all connections are taken the one that has been longest without a whole request goes, so that
/// slow clients, of head or body, crowd out each other and nobody else; when all are at work, a
/// newcomer is told 503 before its body is read, unless it asks for /health. One loop, one thread.
/// The object must outlive the loop's run.
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
    ~http_server();

    /// TLS for connections from now on; those that are open keep what they have.
    void use_tls(std::shared_ptr<boost::asio::ssl::context> keys) { tls_ = std::move(keys); }
    void start();
    /// Nobody is let in any more, connections without a request close, those with one after its
    /// answer.
    void stop();
    /// No connection is open.
    [[nodiscard]] bool is_empty() const;
    /// "127.0.0.1:8080", with the real port.
    [[nodiscard]] std::string address() const;
    [[nodiscard]] unsigned short port() const { return acceptor_.local_endpoint().port(); }

   private:
    boost::asio::awaitable<void> accept_loop();

    tasks& tasks_;
    http_limits limits_;
    http_handler handler_;
    boost::asio::ip::tcp::acceptor acceptor_;
    // Shared with the connections that use it while a reload replaces it.
    std::shared_ptr<boost::asio::ssl::context> tls_;
    // Shared by this object and the coroutines of open connections.
    std::shared_ptr<connection_registry> open_;
};

}  // namespace workerd
