#pragma once

#include "engine/async.hpp"

#include <libqueue/worker.hpp>

#include <cstddef>

namespace libqueue::engine {

class runtime;
struct queue_state;

/// When this worker runs suspects: jobs whose last run lost its worker. They stand in lines of
/// their own and run one at a time while nothing else runs in the process, so that, should it die
/// again, there is no doubt whose doing it was. Loop thread only.
class suspects {
   public:
    explicit suspects(runtime& shared) : shared_{shared} {}

    /// Some stand in line, as a rescuer says or a look found.
    void found();
    /// Ordinary jobs may be claimed: false while the process empties itself for suspects and runs
    /// them, and always in a worker that runs nothing else.
    [[nodiscard]] bool admits_others() const;
    /// Where to claim one suspect now; null unless nothing runs here and some may stand in line.
    [[nodiscard]] queue_state* next_queue() const;
    /// A claim of `next_queue()` has left; until its answer there is no next.
    void claim_sent() noexcept { claiming_ = true; }
    void claim_answered(bool got_one);
    void claim_failed() noexcept { claiming_ = false; }
    /// A handler has returned: perhaps the process is empty now.
    void run_ended();
    /// Every now and then: gives up waiting for jobs that run long.
    void check_patience();

   private:
    [[nodiscard]] bool nothing_runs() const;
    void stop_looking();

    runtime& shared_;
    bool looking_{false};
    bool claiming_{false};
    bool one_runs_{false};
    std::size_t at_{0};  // of the queues, where to look next
    clock::time_point patience_ends_{};
    clock::time_point not_before_{clock::time_point::min()};
};

}  // namespace libqueue::engine
