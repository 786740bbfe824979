#include "net/http_connection.hpp"

#include "net/http_head.hpp"
#include "net/tasks.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace workerd {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace asio = boost::asio;
using asio::ip::tcp;
using tls_stream = beast::ssl_stream<beast::tcp_stream>;

namespace {

constexpr std::size_t read_bytes = 4 << 10;
constexpr std::size_t drain_bytes = 256 << 10;
constexpr std::chrono::seconds drain_time{1};

using parser = http::request_parser<http::string_body>;

std::string peer_of(const tcp::socket& socket) {
    boost::system::error_code error;
    const auto endpoint = socket.remote_endpoint(error);
    return error ? std::string{} : endpoint.address().to_string();
}

bool asks_health(const http_request& request) {
    return request.target().starts_with("/health");
}

// What reading a request came to: a request, words for a refusal, or nothing (the client left).
class reading {
   public:
    reading() = default;
    std::optional<http_request> request;
    int status = 0;
    std::string reason;
};

void refuse_body(reading& into, const boost::system::error_code& error) {
    if (error == http::error::body_limit) {
        into.status = 413;
        into.reason = "the body is too large";
    } else if (error == http::error::partial_message || error == http::error::end_of_stream) {
        into.status = 0;
    } else if (error.category() == make_error_code(http::error::end_of_stream).category()) {
        into.status = 400;
        into.reason = "the request is malformed";
    }
}

template <typename Stream>
class connection final : public open_connection {
   public:
    connection(Stream stream, std::string peer, std::shared_ptr<connection_registry> registry,
               const http_limits& limits, const http_handler& handler, bool crowded)
        : stream_{std::move(stream)},
          peer_{std::move(peer)},
          registry_{std::move(registry)},
          limits_{limits},
          handler_{handler},
          crowded_{crowded},
          buffer_{limits.header_bytes + (16U << 10)} {
        waiting_since = std::chrono::steady_clock::now();
        place_ = registry_->open.insert(registry_->open.end(), this);
    }
    ~connection() override { registry_->open.erase(place_); }

    void cut() override {
        boost::system::error_code ignored;
        lowest().socket().close(ignored);
    }

    asio::awaitable<void> serve() {
        if constexpr (is_tls) {
            lowest().expires_after(limits_.header_time);
            auto [error] =
                co_await stream_.async_handshake(asio::ssl::stream_base::server, use_tuple);
            if (error)
                co_return;
        }
        bool is_first = true;
        while (true) {
            reading read = co_await read_request(is_first);
            is_first = false;
            if (!read.request && read.status == 0)
                break;
            if (!read.request) {
                http_response told = refusal(read.status, read.reason);
                lowest().expires_after(limits_.write_time);
                static_cast<void>(co_await http::async_write(stream_, told, use_tuple));
                co_await drain();
                break;
            }
            const bool goes_on = co_await answer(std::move(*read.request));
            if (!goes_on)
                break;
        }
        co_await close();
    }

   private:
    static constexpr bool is_tls = std::is_same_v<Stream, tls_stream>;

    beast::tcp_stream& lowest() { return beast::get_lowest_layer(stream_); }

    http_response refusal(int status, const std::string& reason) const {
        auto told = limits_.refuse ? limits_.refuse(status, reason)
                                   : json_response(static_cast<unsigned>(status),
                                                   R"({"error":")" + reason + "\"}");
        if (status == 503)
            told.set(http::field::retry_after, "1");
        told.keep_alive(false);
        return told;
    }

    void begin_waiting() {
        waits = true;
        waiting_since = std::chrono::steady_clock::now();
    }

    std::string_view received() const {
        const auto data = buffer_.cdata();
        return {static_cast<const char*>(data.data()), data.size()};
    }

    // Until the head is whole. Its end, or 0 with `into` saying why not.
    asio::awaitable<std::size_t> read_head(bool is_first, reading& into) {
        bool begun = is_first || buffer_.size() > 0;
        lowest().expires_after(begun ? limits_.header_time : limits_.idle_time);
        while (true) {
            const auto end = head_end(received());
            if (end == std::string_view::npos) {
                into.status = 400;
                into.reason = "not an HTTP request";
                co_return 0;
            }
            if (end > limits_.header_bytes ||
                (end == 0 && buffer_.size() >= limits_.header_bytes)) {
                into.status = 431;
                into.reason = "the header is too large";
                co_return 0;
            }
            if (end > 0)
                co_return end;
            auto space = buffer_.prepare(read_bytes);
            auto [error, bytes] = co_await stream_.async_read_some(space, use_tuple);
            // Late, or gone. A timeout has closed the socket already.
            if (error)
                co_return 0;
            buffer_.commit(bytes);
            if (!begun) {
                begun = true;
                lowest().expires_after(limits_.header_time);
            }
        }
    }

    asio::awaitable<reading> read_request(bool is_first) {
        reading read;
        begin_waiting();
        const auto end = co_await read_head(is_first, read);
        if (end == 0)
            co_return read;
        const auto verdict = check_head(received().substr(0, end));
        if (verdict.status != 0) {
            read.status = verdict.status;
            read.reason = verdict.reason;
            co_return read;
        }
        parser incoming;
        incoming.header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
        incoming.body_limit(limits_.body_bytes);
        lowest().expires_after(limits_.body_time);
        // The whole head is in the buffer: this reads nothing.
        auto [head_error, head_bytes] =
            co_await http::async_read_header(stream_, buffer_, incoming, use_tuple);
        if (head_error) {
            refuse_body(read, head_error);
            co_return read;
        }
        if (crowded_ && !asks_health(incoming.get())) {
            read.status = 503;
            read.reason = "too many connections";
            co_return read;
        }
        if (verdict.expects_continue && !incoming.is_done()) {
            static constexpr std::string_view go_on{"HTTP/1.1 100 Continue\r\n\r\n"};
            auto [error, bytes] =
                co_await asio::async_write(stream_, asio::buffer(go_on), use_tuple);
            if (error)
                co_return read;
        }
        auto [error, bytes] = co_await http::async_read(stream_, buffer_, incoming, use_tuple);
        if (error) {
            refuse_body(read, error);
            co_return read;
        }
        http_request request = incoming.release();
        // The parser adds trailers to the fields: a way past whoever looked at the head.
        const auto fields = static_cast<std::size_t>(std::distance(request.begin(), request.end()));
        if (fields > verdict.fields) {
            read.status = 400;
            read.reason = "fields after the body";
            co_return read;
        }
        // Cut while the last bytes came: nobody is there for the answer.
        if (!lowest().socket().is_open())
            co_return read;
        // From here on it is work, and nobody cuts it to make room.
        waits = false;
        read.request = std::move(request);
        co_return read;
    }

    // True when another request may follow.
    asio::awaitable<bool> answer(http_request request) {
        const bool is_head = request.method() == http::verb::head;
        bool keep = request.keep_alive() && !crowded_;
        lowest().expires_never();
        http_exchange exchange{std::move(request), peer_, is_tls};
        http_answer answered = co_await handler_(std::move(exchange));
        keep = keep && !registry_->is_stopping() && !answered.pieces;
        answered.head.keep_alive(keep);
        lowest().expires_after(limits_.write_time);
        http::response_serializer<http::string_body> out{answered.head};
        if (is_head || answered.pieces) {
            auto [error, bytes] = co_await http::async_write_header(stream_, out, use_tuple);
            if (error)
                co_return false;
        } else {
            auto [error, bytes] = co_await http::async_write(stream_, out, use_tuple);
            if (error)
                co_return false;
        }
        if (answered.pieces && !is_head)
            co_await send_pieces(answered.pieces);
        co_return keep;
    }

    // A client that goes says so by its end of the connection; without looking there, what it holds
    // would stay taken until a write fails. Over TLS the end stands in what we do not read here.
    void watch_end(const std::shared_ptr<http_pieces>& pieces) {
        // While the pieces are there, so is this connection.
        std::weak_ptr<http_pieces> watched = pieces;
        tcp::socket& socket = lowest().socket();
        socket.async_wait(
            tcp::socket::wait_read, [watched, &socket](const boost::system::error_code& error) {
                const auto still = watched.lock();
                char byte = 0;
                if (still && !error &&
                    ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
                    still->leave();
            });
    }

    asio::awaitable<void> send_pieces(std::shared_ptr<http_pieces> pieces) {
        watch_end(pieces);
        while (true) {
            lowest().expires_never();
            const std::string piece = co_await pieces->next();
            if (piece.empty() || registry_->is_stopping())
                co_return;
            // A reader that does not keep up is let go; it comes back with Last-Event-ID.
            lowest().expires_after(limits_.piece_time);
            auto [error, bytes] =
                co_await asio::async_write(stream_, asio::buffer(piece), use_tuple);
            if (error)
                co_return;
        }
    }

    // What the client still sends is read and dropped for a moment: closing on unread bytes makes
    // TCP take back the answer it has not read yet.
    asio::awaitable<void> drain() {
        boost::system::error_code ignored;
        if constexpr (!is_tls)
            lowest().socket().shutdown(tcp::socket::shutdown_send, ignored);
        lowest().expires_after(drain_time);
        buffer_.consume(buffer_.size());
        for (std::size_t total = 0; total < drain_bytes;) {
            auto space = buffer_.prepare(read_bytes);
            auto [error, bytes] = co_await stream_.async_read_some(space, use_tuple);
            if (error)
                co_return;
            total += bytes;
        }
    }

    asio::awaitable<void> close() {
        boost::system::error_code ignored;
        if constexpr (is_tls) {
            lowest().expires_after(drain_time);
            static_cast<void>(co_await stream_.async_shutdown(use_tuple));
        }
        lowest().socket().shutdown(tcp::socket::shutdown_send, ignored);
    }

    Stream stream_;
    std::string peer_;
    std::shared_ptr<connection_registry> registry_;
    const http_limits& limits_;
    const http_handler& handler_;
    bool crowded_;
    beast::flat_buffer buffer_;
    std::list<open_connection*>::iterator place_;
};

}  // namespace

bool connection_registry::make_room() {
    if (open.size() < most_)
        return true;
    const auto longest = std::ranges::min_element(open, [](const auto* left, const auto* right) {
        if (left->waits != right->waits)
            return left->waits;
        return left->waiting_since < right->waiting_since;
    });
    if (longest == open.end() || !(*longest)->waits)
        return false;
    // It leaves the list only when its coroutine runs again; it must not be chosen twice.
    (*longest)->waits = false;
    (*longest)->cut();
    return true;
}

void connection_registry::stop() {
    stopping_ = true;
    for (auto* each : open)
        if (each->waits)
            each->cut();
}

asio::awaitable<void> serve_connection(tcp::socket socket, std::shared_ptr<asio::ssl::context> tls,
                                       std::shared_ptr<connection_registry> registry,
                                       const http_limits& limits, const http_handler& handler,
                                       bool crowded) {
    auto peer = peer_of(socket);
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay{true}, ignored);
    beast::tcp_stream plain{std::move(socket)};
    if (tls) {
        tls_stream secured{std::move(plain), *tls};
        connection<tls_stream> served{
            std::move(secured), std::move(peer), std::move(registry), limits, handler, crowded};
        co_await served.serve();
    } else {
        connection<beast::tcp_stream> served{std::move(plain), std::move(peer), std::move(registry),
                                             limits,           handler,         crowded};
        co_await served.serve();
    }
}

}  // namespace workerd
