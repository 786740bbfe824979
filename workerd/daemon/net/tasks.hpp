#pragma once

#include "logging/logger.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <string>

namespace workerd {

/// Completion token of all I/O here: a tuple that starts with the error code, never an exception.
inline constexpr auto use_tuple = boost::asio::as_tuple(boost::asio::use_awaitable);

/// Starts coroutines on one loop and logs what they throw. The one place of workerd that spawns.
/// Used from the loop's thread; must outlive the loop's run.
class tasks {
   public:
    tasks(boost::asio::io_context& loop, logger& log) : loop_{loop}, log_{log} {}
    tasks(const tasks&) = delete;
    tasks& operator=(const tasks&) = delete;

    void spawn(std::string name, boost::asio::awaitable<void> body);
    [[nodiscard]] boost::asio::io_context& loop() noexcept { return loop_; }

   private:
    boost::asio::io_context& loop_;
    logger& log_;
};

}  // namespace workerd
