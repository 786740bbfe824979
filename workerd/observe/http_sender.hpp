#pragma once

#include "net/tasks.hpp"
#include "processors/support/http_request.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <stop_token>

namespace workerd::observe {

/// Sends one request after another for a thread that may wait. Connections are kept between
/// them. One thread.
class http_sender {
   public:
    explicit http_sender(logger& log) : tasks_{loop_, log} {}

    /// Returns when it was answered or failed, `stop` was requested or the time is up.
    [[nodiscard]] libqueue::processors::http_response send(
        const libqueue::processors::http_request& request, const std::stop_token& stop,
        std::chrono::milliseconds at_most);

   private:
    boost::asio::io_context loop_{1};
    tasks tasks_;
};

}  // namespace workerd::observe
