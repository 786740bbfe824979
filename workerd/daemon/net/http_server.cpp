#include "net/http_server.hpp"

#include "net/http_connection.hpp"
#include "net/listener.hpp"

#include <boost/asio/steady_timer.hpp>

#include <utility>

namespace workerd {

namespace http = boost::beast::http;
using boost::asio::ip::tcp;

namespace {

// Beyond the limit, so many newcomers at most are told that there is no room.
constexpr std::size_t crowd_max = 64;

}  // namespace

http_response json_response(unsigned status, std::string body) {
    http_response response{static_cast<http::status>(status), 11};
    response.set(http::field::content_type, "application/json");
    response.set(http::field::cache_control, "no-store");
    response.set("X-Content-Type-Options", "nosniff");
    response.body() = std::move(body);
    response.prepare_payload();
    return response;
}

namespace {

boost::asio::awaitable<http_answer> answer_plainly(plain_http_handler handler,
                                                   http_exchange exchange) {
    auto head = co_await handler(std::move(exchange.request));
    co_return http_answer{std::move(head)};
}

}  // namespace

http_handler with_peer(plain_http_handler handler) {
    return [handler = std::move(handler)](http_exchange exchange) {
        return answer_plainly(handler, std::move(exchange));
    };
}

http_server::http_server(tasks& tasks, const std::string& address, const http_limits& limits,
                         http_handler handler)
    : http_server{tasks, listen_on(tasks.loop(), address), limits, std::move(handler)} {}

http_server::http_server(tasks& tasks, tcp::acceptor acceptor, const http_limits& limits,
                         http_handler handler)
    : tasks_{tasks},
      limits_{limits},
      handler_{std::move(handler)},
      acceptor_{std::move(acceptor)},
      open_{std::make_shared<connection_registry>(limits.connections)} {}

http_server::~http_server() = default;

void http_server::start() {
    tasks_.spawn("http_server", accept_loop());
}

void http_server::stop() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    open_->stop();
}

bool http_server::is_empty() const {
    return open_->open.empty();
}

std::string http_server::address() const {
    return bound_address(acceptor_);
}

boost::asio::awaitable<void> http_server::accept_loop() {
    while (acceptor_.is_open()) {
        auto [error, socket] = co_await acceptor_.async_accept(use_tuple);
        if (error == boost::asio::error::operation_aborted)
            co_return;
        if (error) {
            // Out of descriptors, most likely: looping at once would burn a core until one is free.
            boost::asio::steady_timer pause{tasks_.loop(), std::chrono::milliseconds{100}};
            auto [pause_error] = co_await pause.async_wait(use_tuple);
            if (pause_error)
                co_return;
            continue;
        }
        const bool has_room = open_->make_room();
        // Beyond all limits the connection is closed by going out of scope.
        if (open_->open.size() < limits_.connections + crowd_max)
            tasks_.spawn("http_connection", serve_connection(std::move(socket), tls_, open_,
                                                             limits_, handler_, !has_room));
    }
}

}  // namespace workerd
