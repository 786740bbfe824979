#pragma once

#include <libqueue/error.hpp>

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace libqueue::pg {

/// The one list of failpoints; failpoint.cpp has their names in the same order. *_before_commit:
/// the statements are queued, the server has not been told to commit. *_after_commit: its answer
/// was read, nothing has been done about it.
enum class failpoint : std::uint8_t {
    answer_awaited,  ///< of any transaction of a worker: all is sent, nothing of the answer read
    claim_after_commit,  ///< of a claim that took jobs
    claim_before_commit,
    dead_letter_after_commit,
    dead_letter_before_commit,
    enqueue_after_commit,
    enqueue_before_commit,
    finish_after_commit,
    finish_before_commit,
    heartbeat_after_commit,
    heartbeat_before_commit,
    leave_before_commit,
    register_after_commit,
    register_before_commit,
    rescue_after_commit,
    rescue_before_commit,
    rescue_locked,        ///< the dead worker's leases are locked, nothing is written
    return_after_commit,  ///< unstarted jobs went back in line
    return_before_commit,
    run_after,   ///< the handler has returned, nobody knows
    run_before,  ///< claimed, the handler has not begun
};

[[nodiscard]] std::span<const std::string_view> failpoint_names() noexcept;
[[nodiscard]] libqueue::result<std::vector<std::string>> arm_failpoints(std::string_view text);

/// What the place itself must do; everything else has been done.
enum class injected : std::uint8_t { nothing, cut, error };

namespace detail {
inline std::atomic<bool> failpoints_armed{false};
[[nodiscard]] injected reach(failpoint at) noexcept;
}  // namespace detail

/// Global, as no other state of the library is: a failpoint concerns the process, and handing a
/// table down to every connection and run would cost what the branch does not.
[[nodiscard]] inline bool failpoints_armed() noexcept {
    return detail::failpoints_armed.load(std::memory_order_relaxed);
}

[[nodiscard]] inline injected pass(failpoint at) noexcept {
    return failpoints_armed() ? detail::reach(at) : injected::nothing;
}

/// For places without a connection.
inline void pass_process(failpoint at) noexcept {
    static_cast<void>(pass(at));
}

}  // namespace libqueue::pg
