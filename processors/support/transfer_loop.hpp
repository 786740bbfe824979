#pragma once

#include "processors/support/http_request.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <stop_token>

namespace libqueue::processors {

class transfer_loop;

/// The HTTP engine of the event loop behind `executor`, created at first use: libcurl's multi
/// handle, driven by the loop's own sockets and timers. It pools connections per host and never
/// blocks the loop; names are resolved on libcurl's threads.
///
/// Lifetime: it is a service of the loop's execution context, so a worker that is stopped and
/// started (with a new loop) gets a new engine, and the old one closes its connections when the old
/// loop is destroyed. Transfers still under way then end without an answer, with their coroutines.
/// Connections are pooled per policy: one opened for a caller that may reach private addresses is
/// never lent to one that may not. Loop thread only.
[[nodiscard]] std::shared_ptr<transfer_loop> transfer_loop_of(
    const boost::asio::any_io_executor& executor, address_policy policy);

/// Performs the request. Returns when it was answered, failed, `stop` was requested (from any
/// thread) or `deadline` passed; the response says which. The request must stay until then: name
/// it, then `auto response = co_await perform(loop, request, stop, deadline);`. Throws only
/// std::bad_alloc.
[[nodiscard]] boost::asio::awaitable<http_response> perform(
    std::shared_ptr<transfer_loop> loop, const http_request& request, std::stop_token stop,
    std::chrono::steady_clock::time_point deadline);

}  // namespace libqueue::processors
