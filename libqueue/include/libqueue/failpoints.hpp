#pragma once

#include <libqueue/error.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace libqueue {

// Failpoints: named places at the boundaries of enqueue, claim, run, finish, rescue and the like,
// where a test of the real program makes it die, stop or lose its connection at that very instant.
// They are always compiled in, so that what is tested is what is shipped, and cost one predictable
// branch per transaction or run while none is armed. For tests only: a program that arms them must
// say so loudly.

/// Their names, in alphabetical order.
[[nodiscard]] std::span<const std::string_view> failpoint_names() noexcept;

/// Arms failpoints for the rest of this process's life. `text` holds rules separated by `;`, each
/// `name=action`, then `@n` (at its n-th pass, once; the default is @1) or `%n` (at every n-th):
///
///   kill       SIGKILL to this process        stop    SIGSTOP to it
///   exit       _exit(86)                      delay:n nothing for n milliseconds, all of a loop
///   cut        the connection is reset        error   the transaction fails with SQLSTATE 40001
///
/// `cut` needs a place that has a connection and `error` one before a commit. What was done is said
/// on standard error, a JSON line each. Returns the rules; an error arms nothing and names what was
/// expected. Call it once, before any worker or client of this process is made.
result<std::vector<std::string>> arm_failpoints(std::string_view text);

}  // namespace libqueue
