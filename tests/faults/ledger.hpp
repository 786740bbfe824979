#pragma once

#include <libqueue/worker.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace faults {

/// One line of the effect ledger: what really ran, written by the handler itself into a file that
/// no database knows of. One append per line, so lines of many processes never mix and what was
/// written stays when the process is killed.
class run_line {
   public:
    std::int64_t job{0};
    std::int64_t lease{0};
    int attempt{0};
    std::int64_t pid{0};
    std::int64_t at_us{0};  ///< since 1970
    bool begin{false};
    bool done{false};  ///< of an end: the effect happened
};

/// The kinds `ledger.work` (on the loop) and `ledger.block` (on the thread pool), payload {"ms": n,
/// "fails": k}: write a line, wait n ms, fail their first k attempts, write another. The file is
/// named by the environment variable LIBQUEUE_LEDGER.
[[nodiscard]] std::vector<libqueue::registration> make_ledger_kinds();

/// Whole lines only.
[[nodiscard]] std::vector<run_line> read_ledger(const std::filesystem::path& file);

}  // namespace faults
