#pragma once

#include "context.hpp"
#include "exit_code.hpp"

#include <libqueue/operations.hpp>

#include <cstdint>
#include <functional>
#include <string>

// Replay, discard and purge have one shape: they go through many things in batches, show how far
// they are, can be stopped between two batches, and say what was done.

namespace qctl {

class sweep {
   public:
    std::string doing;       ///< "replaying"
    std::string done;        ///< "replayed"
    std::string thing;       ///< "dead letter"
    std::string things;      ///< "dead letters"
    std::string column;      ///< name of the count for programs
    std::int64_t wanted{0};  ///< when things were named one by one: fewer done is partly done
    std::function<std::int64_t(const libqueue::progress_callback&)> run;
};

[[nodiscard]] exit_code run_sweep(context& with, const sweep& what);

/// What a dry run prints when the things themselves are not listed.
void print_plan(context& with, const sweep& what, std::int64_t count);

}  // namespace qctl
