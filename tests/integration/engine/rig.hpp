#pragma once

#include "support/recording_observer.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <libqueue/client.hpp>
#include <libqueue/job_context.hpp>
#include <libqueue/worker.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace engine_test {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

/// A database of its own, an observer, and workers whose times are short.
class rig {
   public:
    rig() = default;
    explicit rig(test::pg_cluster& cluster) : db{cluster} {}

    /// One queue `default` with room for ten; heartbeat 200 ms, lease 2 s, poll 500 ms.
    [[nodiscard]] libqueue::worker_options options(int concurrency = 10);
    [[nodiscard]] std::unique_ptr<libqueue::worker> start(
        std::vector<libqueue::registration> kinds,
        const std::optional<libqueue::worker_options>& wanted = std::nullopt);

    /// queue.enqueue of a kind; `more` are further arguments, as "priority => 3, delay => '1s'".
    libqueue::job_id enqueue(const std::string& kind, const std::string& payload = "{}",
                             const std::string& more = {}) const;
    /// So many at once; their ids in order.
    std::vector<libqueue::job_id> enqueue_many(const std::string& kind, int count,
                                               const std::string& more = {}) const;

    [[nodiscard]] std::string state(libqueue::job_id id) const;
    [[nodiscard]] bool wait_state(libqueue::job_id id, const std::string& wanted,
                                  std::chrono::milliseconds deadline = 10s) const;
    /// Waits until so many jobs have their last word.
    [[nodiscard]] bool wait_finished(int count, std::chrono::milliseconds deadline = 20s) const;
    /// Outcomes of the job's attempts in order, as "failed failed completed".
    [[nodiscard]] std::string outcomes(libqueue::job_id id) const;
    /// Everything that must hold when all is quiet: no job stands in line twice, is in line and in
    /// a lease, or was completed twice; no lease is left; every job of `jobs` finished.
    [[nodiscard]] std::string faults() const;

    test::test_database db;
    test::recording_observer seen;
};

/// Registrations of one handler each.
[[nodiscard]] libqueue::registration coroutine(std::string kind, libqueue::coroutine_handler how);
[[nodiscard]] libqueue::registration blocking(std::string kind, libqueue::blocking_handler how);
/// A kind that always says this, and is retried without delay.
[[nodiscard]] libqueue::registration saying(std::string kind, libqueue::outcome what);
/// Completes at once.
[[nodiscard]] libqueue::registration noop(std::string kind = "noop");
/// Completes after so long, or says cancelled when told to stop.
[[nodiscard]] libqueue::registration sleeper(std::string kind, std::chrono::milliseconds time);

/// Milliseconds since the first call's start point.
[[nodiscard]] inline std::chrono::milliseconds since(std::chrono::steady_clock::time_point then) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 then);
}

}  // namespace engine_test
