#pragma once

#include <libqueue/worker.hpp>

#include <vector>

namespace workerd {

/// Everything main() does: reads the command line and the configuration, then checks, prints or
/// runs. Messages for people go to stderr, what was asked for to stdout. Returns the exit code.
/// `more`: kinds to handle beside those of the configuration; the fault tests' program has some.
[[nodiscard]] int launch(int argc, const char* const* argv,
                         std::vector<libqueue::registration> more = {});

}  // namespace workerd
