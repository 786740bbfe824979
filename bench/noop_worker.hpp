#pragma once

#include "bench/harness.hpp"

#include <libqueue/worker.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <vector>

namespace bench {

/// Hears when the worker is in the database, and of everything that must not happen in a
/// measurement.
class fault_watch final : public libqueue::observer {
   public:
    void on_event(const libqueue::event& e) noexcept override;
    [[nodiscard]] bool wants_every_job() const noexcept override { return false; }
    /// Waits for worker_started, then for worker_ready.
    clock::time_point wait_started();
    void wait_ready();
    /// Throws with the first fault, if there was one.
    void check();

   private:
    std::binary_semaphore started_{0};
    std::binary_semaphore ready_{0};
    std::mutex mutex_;
    std::string fault_;
};

/// One libqueue::worker in this process whose only handler completes at once and counts.
class noop_worker {
   public:
    /// `expected`: how many jobs `wait` waits for; 0 when it is not called.
    noop_worker(const std::string& dsn, std::int64_t expected, int concurrency, int connections);

    /// Returns when it is registered in the database, and when that was.
    clock::time_point start();
    /// Until the expected jobs have run; throws after a time in which that must have happened.
    void wait();
    /// Drains.
    void stop();
    void check() { watch_.check(); }

    [[nodiscard]] std::int64_t done() const noexcept { return done_.load(); }
    /// When the job that was the `count`-th to run ended; exact to a thousand. After `wait`.
    [[nodiscard]] clock::time_point time_of(std::int64_t count) const;

   private:
    boost::asio::awaitable<libqueue::outcome> handle(libqueue::job_context& context);

    std::int64_t expected_;
    std::atomic<std::int64_t> done_{0};
    std::vector<clock::time_point> marks_;  // loop thread until the expected jobs have run
    std::binary_semaphore reached_{0};
    fault_watch watch_;
    libqueue::worker worker_;
};

}  // namespace bench
