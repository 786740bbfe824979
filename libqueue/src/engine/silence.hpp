#pragma once

#include "engine/async.hpp"
#include "pg/pipeline.hpp"

#include <vector>

namespace libqueue::engine {

class runtime;

/// A connection that died while nothing was asked of it would be found by the statement that needs
/// it: so after 4 s without an answer it is asked for a sign of life, a Sync, which costs the
/// server no statement. 5 s of silence then mean that it is dead.
[[nodiscard]] clock::time_point sign_of_life_due(const pg::pipeline& connection);
/// Asks when it is due.
boost::asio::awaitable<void> ask_for_sign_of_life(pg::pipeline& connection);

/// Breaks connections whose server has not answered for too long (a half-open socket, a hung host),
/// so that their owners reconnect. A task of its own, without any statement: the loops it watches
/// are the ones that would hang.
class silence_watch {
   public:
    explicit silence_watch(runtime& shared);
    silence_watch(const silence_watch&) = delete;
    silence_watch& operator=(const silence_watch&) = delete;

    void watch(pg::pipeline& connection, std::chrono::milliseconds limit);
    boost::asio::awaitable<void> run();
    void wake() { wake_.notify(); }

   private:
    struct watched {
        pg::pipeline* connection;
        std::chrono::milliseconds limit;
    };
    runtime& shared_;
    signal wake_;
    std::vector<watched> watched_;
};

}  // namespace libqueue::engine
