#pragma once

#include "wait_until.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace test {

/// Runs a coroutine test body (or any awaitable) on `io` to its end and returns its result;
/// rethrows what it throws, a failed REQUIRE included. Throws std::runtime_error at the deadline.
/// The body must be a named coroutine function, never a capturing lambda (gcc 12).
template <typename T>
T run(boost::asio::io_context& io, boost::asio::awaitable<T> body,
      std::chrono::milliseconds deadline = std::chrono::seconds{20}) {
    bool done = false;
    std::exception_ptr thrown;
    const auto drive = [&] {
        const auto end = std::chrono::steady_clock::now() + scaled(deadline);
        io.restart();
        while (!done && io.run_one_until(end) > 0) {
        }
        if (!done) {
            throw std::runtime_error{"the test body did not end before its deadline"};
        }
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    };
    if constexpr (std::is_void_v<T>) {
        boost::asio::co_spawn(io, std::move(body), [&](std::exception_ptr error) {
            done = true;
            thrown = error;
        });
        drive();
    } else {
        std::optional<T> value;
        boost::asio::co_spawn(io, std::move(body), [&](std::exception_ptr error, T result) {
            done = true;
            thrown = error;
            value.emplace(std::move(result));
        });
        drive();
        return std::move(*value);
    }
}

/// The same on an io_context of its own.
template <typename T>
T run(boost::asio::awaitable<T> body,
      std::chrono::milliseconds deadline = std::chrono::seconds{20}) {
    boost::asio::io_context io;
    return run(io, std::move(body), deadline);
}

}  // namespace test
