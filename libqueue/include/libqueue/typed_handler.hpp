#pragma once

#include <libqueue/outcome.hpp>
#include <libqueue/typed.hpp>
#include <libqueue/worker.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

// Handlers of typed jobs.
//
//     outcome deliver(send_email mail, job_context& context);                 // may block
//     boost::asio::awaitable<outcome> deliver(send_email mail, job_context& context);
//
//     worker w{options, {handle<send_email>(deliver)}};
//
// The payload is decoded before the handler is called; one that does not decode is discarded (it
// would fail the same way every time) with the path of the fault as the reason.

namespace libqueue {

template <typename Handler, typename T>
concept typed_blocking_handler = std::is_invocable_r_v<outcome, const Handler&, T, job_context&>;

template <typename Handler, typename T>
concept typed_coroutine_handler = std::is_invocable_r_v < boost::asio::awaitable<outcome>,
const Handler&, T, job_context& > ;

namespace detail {

// A named coroutine with values as parameters: on gcc 12 a capturing lambda would not do.
template <job_type T, typename Handler>
boost::asio::awaitable<outcome> run_typed(Handler handler, job_context& context) {
    result<T> decoded = decode<T>(context.payload());
    if (decoded.has_error()) {
        co_return discard(decoded.error().message);
    }
    boost::asio::awaitable<outcome> running = handler(std::move(*decoded), context);
    co_return co_await std::move(running);
}

}  // namespace detail

/// A registration of T's kind. Set further members of the result for options or a reconcile
/// handler.
template <job_type T, typename Handler>
requires typed_blocking_handler<Handler, T> || typed_coroutine_handler<Handler, T>
[[nodiscard]] registration handle(Handler handler, kind_options options = {}) {
    registration made{T::kind.str()};
    made.options = std::move(options);
    if constexpr (typed_coroutine_handler<Handler, T>) {
        made.handle = [handler](job_context& context) {
            return detail::run_typed<T, Handler>(handler, context);
        };
    } else {
        made.handle_blocking = [handler](job_context& context) -> outcome {
            result<T> decoded = decode<T>(context.payload());
            if (decoded.has_error()) {
                return discard(decoded.error().message);
            }
            return handler(std::move(*decoded), context);
        };
    }
    return made;
}

}  // namespace libqueue
