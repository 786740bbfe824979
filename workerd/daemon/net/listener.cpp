#include "net/listener.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace workerd {

using boost::asio::ip::tcp;

namespace {

constexpr int backlog = 1024;

[[noreturn]] void refuse(const std::string& address, const std::string& why) {
    throw std::runtime_error{fmt::format(
        "expected to listen on {}, got: {}; hint: choose another address, or port 0 for a free one",
        address, why)};
}

}  // namespace

tcp::acceptor listen_on(boost::asio::io_context& loop, const std::string& address) {
    const auto colon = address.rfind(':');
    if (colon == std::string::npos)
        refuse(address, "no port");
    auto host = address.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']'))
        host = host.substr(1, host.size() - 2);

    boost::system::error_code error;
    tcp::resolver resolver{loop};
    const auto found =
        resolver.resolve(host, address.substr(colon + 1),
                         tcp::resolver::passive | tcp::resolver::numeric_service, error);
    if (error || found.empty())
        refuse(address, error.message());
    const auto endpoint = found.begin()->endpoint();
    tcp::acceptor acceptor{loop};
    acceptor.open(endpoint.protocol(), error);
    if (!error)
        acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
    if (!error)
        acceptor.bind(endpoint, error);
    if (!error)
        acceptor.listen(backlog, error);
    if (error)
        refuse(address, error.message());
    return acceptor;
}

tcp::acceptor listen_on_loopback(boost::asio::io_context& loop, unsigned short preferred_port) {
    try {
        return listen_on(loop, fmt::format("127.0.0.1:{}", preferred_port));
    } catch (const std::runtime_error&) {
        return listen_on(loop, "127.0.0.1:0");
    }
}

std::string bound_address(const tcp::acceptor& acceptor) {
    boost::system::error_code ignored;
    const auto endpoint = acceptor.local_endpoint(ignored);
    const auto host = endpoint.address().to_string();
    const bool is_v6 = endpoint.address().is_v6();
    return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", host, is_v6 ? "]" : "", endpoint.port());
}

}  // namespace workerd
