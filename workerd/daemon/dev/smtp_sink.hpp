#pragma once

#include "logging/logger.hpp"
#include "net/tasks.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <filesystem>
#include <string>

namespace workerd {

/// An SMTP server for dev mode: takes every mail, delivers none. Each becomes an .eml file whose
/// first lines (X-Envelope-From, X-Envelope-To) say where it would have gone, and a log line.
/// Loopback only, no TLS, no login. Runs on the daemon's loop; must outlive its run.
class smtp_sink {
   public:
    /// Binds at once, to `preferred_port` when it is free.
    smtp_sink(tasks& tasks, logger& log, std::filesystem::path folder,
              unsigned short preferred_port);
    smtp_sink(const smtp_sink&) = delete;
    smtp_sink& operator=(const smtp_sink&) = delete;

    void start();
    void stop();
    [[nodiscard]] unsigned short port() const;

   private:
    boost::asio::awaitable<void> accept_loop();
    boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);

    tasks& tasks_;
    logger& log_;
    std::filesystem::path folder_;
    boost::asio::ip::tcp::acceptor acceptor_;
};

}  // namespace workerd
