#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <functional>

namespace libqueue::engine {

/// The only place that spawns coroutines. Tasks are named functions that take values; an exception
/// that leaves one is reported and ends only that task.
class task_group {
   public:
    using failure_handler = std::function<void(const char* name, std::exception_ptr)>;

    task_group(boost::asio::io_context& io, failure_handler on_failure)
        : io_{io}, on_failure_{std::move(on_failure)} {}
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;

    /// `name` must be a literal.
    void spawn(const char* name, boost::asio::awaitable<void> task);
    [[nodiscard]] int alive() const noexcept { return alive_; }

   private:
    boost::asio::io_context& io_;
    failure_handler on_failure_;
    int alive_{0};
};

}  // namespace libqueue::engine
