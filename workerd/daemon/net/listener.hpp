#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <string>

namespace workerd {

/// A listening socket on "host:port" ("127.0.0.1:8080", "[::1]:0", "localhost:80"). Throws
/// std::runtime_error that names the address when it cannot be had.
[[nodiscard]] boost::asio::ip::tcp::acceptor listen_on(boost::asio::io_context& loop,
                                                       const std::string& address);

/// A listening socket on 127.0.0.1 and that port, or on a free one when it is taken.
[[nodiscard]] boost::asio::ip::tcp::acceptor listen_on_loopback(boost::asio::io_context& loop,
                                                                unsigned short preferred_port);

/// "127.0.0.1:8080" of a bound acceptor: the port is the real one, also when 0 was asked for.
[[nodiscard]] std::string bound_address(const boost::asio::ip::tcp::acceptor& acceptor);

}  // namespace workerd
