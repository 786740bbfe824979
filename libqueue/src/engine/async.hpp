#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>

namespace libqueue::engine {

using clock = std::chrono::steady_clock;

/// The one completion token of the engine: errors come as values.
constexpr auto use_ec = boost::asio::as_tuple(boost::asio::use_awaitable);

/// Wakes one waiting coroutine of the same io_context. A signal given while nobody waits is kept.
class signal {
   public:
    explicit signal(boost::asio::io_context& io) : timer_{io} {}

    void notify() {
        set_ = true;
        timer_.cancel();
    }
    /// True when notified, false when `until` passed first.
    boost::asio::awaitable<bool> wait_until(clock::time_point until) {
        if (!set_) {
            timer_.expires_at(until);
            co_await timer_.async_wait(use_ec);
        }
        const bool was_set = set_;
        set_ = false;
        co_return was_set;
    }

   private:
    boost::asio::steady_timer timer_;
    bool set_{false};
};

}  // namespace libqueue::engine
