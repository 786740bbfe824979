#pragma once

#include <libqueue/client.hpp>
#include <libqueue/operations.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

// What processes measure, keep and say about the whole: for metrics, charts and alerts. The library
// measures nothing by itself; workerd does, and another host of workers may do likewise.

namespace libqueue {

/// Uses the client's connection: one thread at a time, and the client must outlive it. A database
/// that is away throws `failure`.
class observation {
   public:
    explicit observation(client& connection) noexcept : client_{connection} {}

    /// What one process does for all: takes the duty, or keeps it, for `hold_for`; whether `holder`
    /// has it now. Another gets it when the time is over, or at once when the holder lets it go
    /// with a time of 0. The holder that finds it gone has lost it: what it does must bear two for
    /// a moment.
    [[nodiscard]] bool hold_duty(std::string_view duty, std::string_view holder,
                                 std::chrono::milliseconds hold_for);

    /// What can be measured of the database now: columns name, labels (JSON object of texts),
    /// value. Counts what stands in line, so it takes longer the more there is.
    [[nodiscard]] report gauges();
    /// Runs that failed in the last so many minutes, as far as samples tell: columns queue, failed.
    [[nodiscard]] report failures(std::chrono::minutes within);
    /// How well the server, the workers, the providers behind circuits are: columns name, status
    /// (up, degraded, down), detail.
    [[nodiscard]] report health();
    /// Queues, not paused, that a live worker serves which handles this kind.
    [[nodiscard]] std::vector<std::string> queues_handling(std::string_view kind);
    /// Levels that handlers told of (job_context.hpp), as a JSON array of {name, labels, value}:
    /// for a day they are among the gauges, whichever process they came from.
    void put_levels(const std::string& json);
    /// How far the database's clock is ahead of this host's; known to half the round trip.
    [[nodiscard]] std::chrono::milliseconds clock_offset();

   private:
    client& client_;
};

}  // namespace libqueue
