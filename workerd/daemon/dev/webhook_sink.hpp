#pragma once

#include "net/http_server.hpp"

#include <filesystem>

namespace workerd {

/// The receiver of webhooks in dev mode: keeps each request as a .json file {method, target,
/// headers, body} and answers 200. `/status/503` answers 503 instead, to watch retries.
class webhook_sink {
   public:
    /// Binds at once, to `preferred_port` when it is free.
    webhook_sink(tasks& tasks, logger& log, std::filesystem::path folder,
                 unsigned short preferred_port);
    webhook_sink(const webhook_sink&) = delete;
    webhook_sink& operator=(const webhook_sink&) = delete;

    void start() { server_.start(); }
    void stop() { server_.stop(); }
    /// "http://127.0.0.1:40123".
    [[nodiscard]] std::string url() const { return "http://" + server_.address(); }
    [[nodiscard]] unsigned short port() const { return server_.port(); }

   private:
    boost::asio::awaitable<http_response> take(http_request request);

    logger& log_;
    std::filesystem::path folder_;
    http_server server_;
};

}  // namespace workerd
