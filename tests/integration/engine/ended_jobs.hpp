#pragma once

#include "rig.hpp"

#include <cstdint>
#include <string>

// Jobs that ended long ago, and the walk that takes them away.

namespace engine_test {

/// What finished so long ago, as the worker leaves it.
inline void end_all(const rig& t, const std::string& outcome, const std::string& ago) {
    t.db.execute(
        "WITH gone AS (DELETE FROM queue.ready RETURNING id) "
        "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, worker_id, outcome, "
        "attempt) SELECT id, nextval('queue.lease_id_seq'), now() - $2::interval, "
        "now() - $2::interval, 7, $1::queue.attempt_outcome, 1 FROM gone",
        {outcome, ago});
    t.db.execute(
        "UPDATE queue.job SET created_at = now() - $1::interval - interval '1 minute' "
        "WHERE created_at > now() - interval '1 minute'",
        {ago});
}

inline libqueue::job_id ended(const rig& t, const std::string& outcome, const std::string& ago,
                              const std::string& kind = "kept") {
    const libqueue::job_id id = t.enqueue(kind);
    end_all(t, outcome, ago);
    return id;
}

/// A dead letter of that age.
inline libqueue::job_id dead(const rig& t, const std::string& ago,
                             const std::string& kind = "kept") {
    const libqueue::job_id id = ended(t, "discarded", ago, kind);
    t.db.execute(
        "INSERT INTO queue.dead_letter (job_id, died_at, created_at, queue, kind, "
        "priority, max_attempts, attempt, reason, fingerprint, payload, attempts) "
        "VALUES ($1, now() - $2::interval, now(), 'default', $3, 5, 4, 1, 'x', 'f', "
        "'{}', '[]')",
        {std::to_string(id), ago, kind});
    return id;
}

/// Calls until a round is over; how many jobs went. `later` moves the clock.
inline std::int64_t prune(const rig& t, const std::string& later = "0") {
    test::connection on{t.db.dsn()};
    std::int64_t gone = 0;
    for (;;) {
        const auto row =
            on.rows("SELECT jobs, round_over FROM queue.prune_jobs(now() + $1)", {later}).at(0);
        gone += std::stoll(row.at(0).value());
        if (row.at(1) == "t") {
            return gone;
        }
    }
}

inline bool exists(const rig& t, libqueue::job_id id) {
    return t.db.query("SELECT count(*) FROM queue.job WHERE id = $1", {std::to_string(id)}) == "1";
}

}  // namespace engine_test
