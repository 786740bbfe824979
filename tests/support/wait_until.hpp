#pragma once

#include <chrono>
#include <functional>

namespace test {

/// A deadline stretched for sanitized builds, which are several times slower.
[[nodiscard]] std::chrono::milliseconds scaled(std::chrono::milliseconds deadline);

/// Polls `ready` until it is true (then true) or the deadline passes (then false). For what cannot
/// signal us, such as another process; prefer recording_observer where there is one. This is the
/// one place in the tests that naps.
[[nodiscard]] bool wait_until(const std::function<bool()>& ready,
                              std::chrono::milliseconds deadline = std::chrono::seconds{10});

}  // namespace test
