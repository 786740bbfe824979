#pragma once

namespace workerd {

/// Everything main() does: reads the command line and the configuration, then checks, prints or
/// runs. Messages for people go to stderr, what was asked for to stdout. Returns the exit code.
[[nodiscard]] int launch(int argc, const char* const* argv);

}  // namespace workerd
