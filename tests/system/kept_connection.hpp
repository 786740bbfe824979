#pragma once

#include "api_rig.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace test {

/// A connection that stays open over many requests. One thread.
class kept_connection {
   public:
    explicit kept_connection(std::string address) : address_{std::move(address)} {}

    /// The whole answer, head and body; throws std::runtime_error where there is none.
    [[nodiscard]] std::string ask(const api_request& request) {
        std::string bytes = request.method + " /api/v1" + request.target +
                            " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + request.token +
                            "\r\n";
        for (const auto& [name, value] : request.headers)
            bytes += name + ": " + value + "\r\n";
        if (!request.body.empty())
            bytes += "Content-Type: application/json\r\n";
        bytes += "Content-Length: " + std::to_string(request.body.size()) + "\r\n\r\n";
        try {
            if (!socket_)
                connect();
            boost::asio::write(*socket_, boost::asio::buffer(bytes + request.body));
            return read();
        } catch (const boost::system::system_error& why) {
            socket_.reset();
            throw std::runtime_error{request.method + ' ' + request.target + ": " + why.what()};
        }
    }

   private:
    void connect() {
        const auto colon = address_.rfind(':');
        const auto port = static_cast<unsigned short>(std::stoi(address_.substr(colon + 1)));
        socket_ = std::make_unique<boost::asio::ip::tcp::socket>(io_);
        socket_->connect({boost::asio::ip::make_address(address_.substr(0, colon)), port});
        socket_->set_option(boost::asio::ip::tcp::no_delay{true});
    }

    std::string read() {
        std::string bytes;
        auto into = boost::asio::dynamic_buffer(bytes);
        const auto head = boost::asio::read_until(*socket_, into, "\r\n\r\n");
        const std::string name{"\r\nContent-Length: "};
        const auto at = bytes.find(name);
        if (at != std::string::npos && at < head) {
            const auto whole = head + std::stoul(bytes.substr(at + name.size(), 20));
            if (bytes.size() < whole)
                boost::asio::read(*socket_, into,
                                  boost::asio::transfer_exactly(whole - bytes.size()));
        } else if (!bytes.starts_with("HTTP/1.1 204")) {
            throw std::runtime_error{"an answer without a length: " + bytes.substr(0, head)};
        }
        if (bytes.find("\r\nConnection: close") < head)
            socket_.reset();
        return bytes;
    }

    std::string address_;
    boost::asio::io_context io_;
    std::unique_ptr<boost::asio::ip::tcp::socket> socket_;
};

}  // namespace test
