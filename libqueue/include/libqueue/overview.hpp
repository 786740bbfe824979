#pragma once

#include <libqueue/client.hpp>
#include <libqueue/operations.hpp>

#include <chrono>
#include <optional>
#include <string_view>

namespace libqueue {

/// What the one on call looks at first. Cheap enough for every two seconds: nothing is counted that
/// could be long. Uses the client's connection: one thread at a time, and the client must outlive
/// it. A database that is away throws `failure`.
class overview {
   public:
    explicit overview(client& connection) noexcept : client_{connection} {}

    /// Every queue, worst first: queue, ready, scheduled, retrying, running (as of the workers'
    /// last heartbeat), dead, count_exact (false: long lines are estimated from a sample, over 500
    /// dead letters are not counted), oldest_waiting_seconds, objective_seconds, late,
    /// finished_per_minute, failed_percent, paused, workers, concurrency ...
    [[nodiscard]] report queues();
    /// One row: sizes, connections, oldest transaction and snapshot, schema version, workers.
    [[nodiscard]] report database();
    /// What each table takes, the largest first.
    [[nodiscard]] report tables();
    /// The oldest a waiting job of the queue may get before it counts as late; nothing: any.
    [[nodiscard]] result<void> set_objective(std::string_view queue,
                                             std::optional<std::chrono::milliseconds> objective);

   private:
    client& client_;
};

}  // namespace libqueue
