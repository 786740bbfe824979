#include "net/http_server.hpp"

#include "net/listener.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace workerd {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::asio::ip::tcp;

namespace {

// Counts a connection for as long as its coroutine lives. Connections that are still open at the
// end are destroyed with the loop, which outlives the server: hence the shared count.
class counted {
   public:
    explicit counted(std::shared_ptr<int> count) : count_{std::move(count)} { ++*count_; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    ~counted() { --*count_; }

   private:
    std::shared_ptr<int> count_;
};

// What a request that cannot be read deserves; nothing when the client just went away.
std::optional<http_response> refusal(const boost::system::error_code& error) {
    if (error == http::error::body_limit)
        return json_response(413, R"({"error":"body too large"})");
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
        return json_response(431, R"({"error":"headers too large"})");
    const bool is_http = error.category() == make_error_code(http::error::end_of_stream).category();
    const bool went_away =
        error == http::error::end_of_stream || error == http::error::partial_message;
    if (!is_http || went_away)
        return std::nullopt;
    return json_response(400, R"({"error":"malformed request"})");
}

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

http_server::http_server(tasks& tasks, const std::string& address, const http_limits& limits,
                         http_handler handler)
    : http_server{tasks, listen_on(tasks.loop(), address), limits, std::move(handler)} {}

http_server::http_server(tasks& tasks, tcp::acceptor acceptor, const http_limits& limits,
                         http_handler handler)
    : tasks_{tasks},
      limits_{limits},
      handler_{std::move(handler)},
      acceptor_{std::move(acceptor)} {}

void http_server::start() {
    tasks_.spawn("http_server", accept_loop());
}

void http_server::stop() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
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
        // Beyond the limit the connection is closed by going out of scope.
        if (*active_ < limits_.connections)
            tasks_.spawn("http_connection", serve(std::move(socket)));
    }
}

boost::asio::awaitable<void> http_server::serve(tcp::socket socket) {
    const counted here{active_};
    beast::tcp_stream stream{std::move(socket)};
    beast::flat_buffer buffer{limits_.header_bytes + (16U << 10)};
    while (true) {
        http::request_parser<http::string_body> parser;
        parser.header_limit(limits_.header_bytes);
        parser.body_limit(limits_.body_bytes);
        stream.expires_after(limits_.time);
        auto [read_error, read_bytes] =
            co_await http::async_read(stream, buffer, parser, use_tuple);
        std::optional<http_response> response;
        bool keep_alive = false;
        if (read_error) {
            response = refusal(read_error);
            if (!response)
                break;
        } else {
            http_request request = parser.release();
            keep_alive = request.keep_alive() && acceptor_.is_open();
            const bool is_head = request.method() == http::verb::head;
            http_response answered = co_await handler_(std::move(request));
            if (is_head)
                answered.body().clear();
            response = std::move(answered);
        }
        response->keep_alive(keep_alive);
        stream.expires_after(limits_.time);
        auto [write_error, written] = co_await http::async_write(stream, *response, use_tuple);
        if (write_error || !keep_alive)
            break;
    }
    boost::system::error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace workerd
