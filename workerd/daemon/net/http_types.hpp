#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace workerd {

using http_request = boost::beast::http::request<boost::beast::http::string_body>;
using http_response = boost::beast::http::response<boost::beast::http::string_body>;

/// What follows the head of an answer without length, piece by piece, until an empty piece or the
/// client's end. Loop thread.
class http_pieces {
   public:
    http_pieces() = default;
    http_pieces(const http_pieces&) = delete;
    http_pieces& operator=(const http_pieces&) = delete;
    virtual ~http_pieces() = default;
    [[nodiscard]] virtual boost::asio::awaitable<std::string> next() = 0;
    /// The client has gone: whoever waits in next() is let go.
    virtual void leave() = 0;
};

/// A request and where it came from.
class http_exchange {
   public:
    http_exchange(http_request request_, std::string peer_, bool secure_)
        : request{std::move(request_)}, peer{std::move(peer_)}, secure{secure_} {}
    http_request request;
    std::string peer;  ///< the client's address without port
    bool secure;       ///< came over TLS
};
static_assert(!std::is_aggregate_v<http_exchange>);

class http_answer {
   public:
    explicit http_answer(http_response head_) : head{std::move(head_)} {}
    http_response head;
    /// When set, the head's body is not sent but this, and the connection closes at its end.
    std::shared_ptr<http_pieces> pieces;
};

/// Answers one request. Runs on the server's loop; what blocks must be taken elsewhere.
using http_handler = std::function<boost::asio::awaitable<http_answer>(http_exchange)>;

using plain_http_handler = std::function<boost::asio::awaitable<http_response>(http_request)>;

/// Of one that needs to know the request only.
[[nodiscard]] http_handler with_peer(plain_http_handler handler);

/// Says what was wrong with a request that never became one.
using http_refuser = std::function<http_response(int status, const std::string& reason)>;

class http_limits {
   public:
    http_limits() = default;
    std::size_t header_bytes = 16 << 10;
    std::uint64_t body_bytes = 1 << 10;
    std::chrono::milliseconds header_time{5'000};  ///< from a request's first byte
    std::chrono::milliseconds body_time{30'000};   ///< for the rest of it
    std::chrono::milliseconds write_time{30'000};  ///< for writing an answer
    std::chrono::milliseconds piece_time{10'000};  ///< for one piece of a long one
    std::chrono::milliseconds idle_time{60'000};   ///< between two requests
    std::size_t connections = 256;
    http_refuser refuse;  ///< unset: a small JSON text
};

/// A finished response: JSON body, no caching.
[[nodiscard]] http_response json_response(unsigned status, std::string body);

}  // namespace workerd
