#pragma once

#include <libqueue/client.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace workerd::api {

/// Threads for what blocks, each with a database connection while it works. Handlers wait for the
/// database here and never on the process's loop.
class call_pool {
   public:
    /// `waiting_max`: calls in line beyond the threads; more are not taken.
    call_pool(libqueue::client_options options, int threads, int waiting_max);
    call_pool(const call_pool&) = delete;
    call_pool& operator=(const call_pool&) = delete;
    /// Waits for the calls that run; the connections close.
    ~call_pool();

    using work = std::function<void(libqueue::client&)>;

    /// Runs `what` on a thread of the pool and comes back to the caller's loop. False, and nothing
    /// is run, when too many wait already. What it throws is thrown here.
    [[nodiscard]] boost::asio::awaitable<bool> run(work what);

    /// Runs `what` at once with another client, for a call that needs a second one. Any thread.
    void lend(const work& what);

    /// Cuts short: calls that have not begun never will.
    void stop();

   private:
    [[nodiscard]] std::unique_ptr<libqueue::client> take();
    void put_back(std::unique_ptr<libqueue::client> used);

    libqueue::client_options options_;
    int most_;
    // Shared with the calls: those cut short at the end outlive the pool.
    std::shared_ptr<std::atomic<int>> inside_ = std::make_shared<std::atomic<int>>(0);
    std::mutex mutex_;
    std::vector<std::unique_ptr<libqueue::client>> idle_;
    // Last, so that its threads end while what they use still lives.
    boost::asio::thread_pool threads_;
};

}  // namespace workerd::api
