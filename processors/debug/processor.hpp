#pragma once

#include <libqueue/worker.hpp>

#include <vector>

// Kinds that do what their payload says: for trying things out, for the fault tests and for the
// benchmark. All are coroutine handlers.
//
//   debug.noop   completes at once, reads nothing
//   debug.echo   completes with its payload as output
//   debug.sleep  {"ms": 250}; completes after that time, earlier as cancelled or given back
//   debug.fail   {"class": "retry"|"discard"|"unknown", "times": 2}; fails like that on attempts
//                1 to `times`, then completes; without `times` always. `unknown` is then settled
//                by the kind's reconcile handler, which completes with {"reconciled":true}
//   debug.crash  {"signal": 9}; the worker's process dies of that signal (default SIGKILL), or
//                {"how": "exit"|"stack"|"memory"|"descriptors"|"loop"}: leaves with _exit(0),
//                overflows the stack, allocates until nothing is left of 1 GiB more, opens files
//                until none is left and keeps them, loops for ever without giving the thread back
//   debug.hang   {"ms": 60000}; blocks the worker's loop thread for that long, as no handler may:
//                for trying out the watchdog and /health/live
//
// A payload that does not fit is discarded with what was expected and what came.

namespace libqueue::processors::debug {

/// The registrations of all six kinds, with default options.
[[nodiscard]] std::vector<libqueue::registration> make_registrations();

}  // namespace libqueue::processors::debug
