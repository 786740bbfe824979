#pragma once

#include "engine/async.hpp"

#include <libqueue/worker.hpp>

#include <cstddef>
#include <optional>

namespace libqueue::engine {

class runtime;
struct limited_group;
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
    /// Lines suspects are claimed from with one statement: those of a queue that are under no limit
    /// (`group` is null), or those under the same limits.
    struct place {
        queue_state* queue;
        limited_group* group;
    };
    /// Where to claim one suspect now; nothing unless nothing runs here and some may stand in line.
    [[nodiscard]] std::optional<place> next_place() const;
    /// A claim of `next_place()` has left; until its answer there is no next.
    void claim_sent() noexcept { claiming_ = true; }
    void claim_answered(bool got_one);
    /// None was to be had there because of a limit: not again soon.
    void claim_blocked();
    /// A limit held some back a while ago: look again.
    [[nodiscard]] bool look_due(clock::time_point now) const noexcept {
        return blocked_ && now >= not_before_;
    }
    /// Some were found a short while ago: whoever was to run them may have met a limit that held
    /// them back and have left, so look again soon.
    [[nodiscard]] bool found_lately(clock::time_point now) const noexcept {
        return found_at_ != clock::time_point::min() && now - found_at_ < std::chrono::minutes{2};
    }
    void claim_failed() noexcept { claiming_ = false; }
    /// A handler has returned: perhaps the process is empty now.
    void run_ended();
    /// Every now and then: gives up waiting for jobs that run long.
    void check_patience();

   private:
    [[nodiscard]] bool nothing_runs() const;
    void stop_looking();
    void start_over() noexcept { at_ = group_at_ = 0; }

    runtime& shared_;
    bool looking_{false};
    bool claiming_{false};
    bool one_runs_{false};
    // Where to look next: which queue, and of it which group; 0 are the lines under no limit.
    std::size_t at_{0};
    std::size_t group_at_{0};
    bool blocked_{false};
    clock::time_point patience_ends_{};
    clock::time_point found_at_{clock::time_point::min()};
    clock::time_point not_before_{clock::time_point::min()};
};

}  // namespace libqueue::engine
