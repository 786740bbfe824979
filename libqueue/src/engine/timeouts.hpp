#pragma once

#include "engine/async.hpp"

namespace libqueue::engine {

class runtime;

/// Tells handlers whose time is over to stop; gives those up that do not listen, so that their job
/// is not held by a handler that will never return (its slot stays taken until it does).
boost::asio::awaitable<void> watch_timeouts(runtime& shared);

}  // namespace libqueue::engine
