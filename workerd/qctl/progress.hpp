#pragma once

#include "settings.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace qctl {

/// One line of progress, without the terminal's controls: `replaying [####....] 1200/5000 24%
/// 512/s ETA 7s`. Pure. `total` 0: unknown.
[[nodiscard]] std::string progress_text(const std::string& doing, std::int64_t done,
                                        std::int64_t total, std::chrono::duration<double> spent);

/// Draws on stderr, and only at a terminal; at most ten times a second.
class progress_bar {
   public:
    progress_bar(const settings& options, std::string doing);
    /// Takes the line away again.
    ~progress_bar();
    progress_bar(const progress_bar&) = delete;
    progress_bar& operator=(const progress_bar&) = delete;

    void update(std::int64_t done, std::int64_t total);

   private:
    std::string doing_;
    bool visible_;
    bool drawn_{false};
    std::chrono::steady_clock::time_point started_;
    std::chrono::steady_clock::time_point next_;
};

}  // namespace qctl
