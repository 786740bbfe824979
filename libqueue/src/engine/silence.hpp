#pragma once

#include "engine/async.hpp"
#include "pg/pipeline.hpp"

#include <vector>

namespace libqueue::engine {

class runtime;

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
