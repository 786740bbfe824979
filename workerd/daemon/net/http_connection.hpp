#pragma once

#include "net/http_types.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <chrono>
#include <list>
#include <memory>

namespace workerd {

/// One open connection, as the registry sees it.
class open_connection {
   public:
    open_connection() = default;
    open_connection(const open_connection&) = delete;
    open_connection& operator=(const open_connection&) = delete;
    virtual ~open_connection() = default;
    /// Closes the socket; its coroutine ends with an error.
    virtual void cut() = 0;

    /// Since when it has been without a whole request, body and all; nothing while it is served.
    std::chrono::steady_clock::time_point waiting_since{};
    bool waits = true;
};

/// The open connections of a server. Loop thread.
class connection_registry {
   public:
    explicit connection_registry(std::size_t most) : most_{most} {}

    /// Cuts the one that has waited longest when all are taken. False: nobody waits, and whoever
    /// comes now gets a short answer at best.
    [[nodiscard]] bool make_room();
    [[nodiscard]] bool is_stopping() const noexcept { return stopping_; }
    /// Those that wait are cut; those at work end after their answer.
    void stop();

    std::list<open_connection*> open;

   private:
    std::size_t most_;
    bool stopping_ = false;
};

/// Serves a connection to its end. `crowded`: there is no room for it; only /health is answered.
[[nodiscard]] boost::asio::awaitable<void> serve_connection(
    boost::asio::ip::tcp::socket socket, std::shared_ptr<boost::asio::ssl::context> tls,
    std::shared_ptr<connection_registry> registry, const http_limits& limits,
    const http_handler& handler, bool crowded);

}  // namespace workerd
