#include "net/http_head.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>

// The strict reader goes first; whatever it takes, the parser must read the same way.

namespace http = boost::beast::http;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto end = workerd::head_end(text);
    if (end == 0 || end == std::string_view::npos)
        return 0;
    const auto verdict = workerd::check_head(text.substr(0, end));
    if (verdict.status != 0)
        return 0;
    http::request_parser<http::string_body> parser;
    parser.header_limit(16 << 10);
    parser.body_limit(1 << 20);
    parser.eager(true);
    boost::system::error_code error;
    const auto used = parser.put(boost::asio::buffer(data, size), error);
    if (!parser.is_header_done())
        return 0;
    const auto& request = parser.get();
    const auto count = [&](http::field name) {
        return request.count(name);
    };
    const bool two_lengths =
        count(http::field::content_length) + count(http::field::transfer_encoding) > 1;
    const auto fields = static_cast<std::size_t>(std::distance(request.begin(), request.end()));
    // More fields than the head had come from trailers, which the server refuses.
    if (two_lengths || (fields < verdict.fields) || (used < end && !error))
        std::abort();
    return 0;
}
