#pragma once

#include "support/test_database.hpp"

#include <sql/bury.hpp>

#include <cstdint>
#include <string>

namespace test {

/// Does to single jobs what a worker's turn does, one statement at a time, so that tests of the
/// producer and operator API can put a job into any state without running the engine.
class stand_in_worker {
   public:
    explicit stand_in_worker(const test_database& database) : on_{database.dsn()} {
        id_ = on_.query(
            "INSERT INTO queue.worker (beat_at, started_at, heartbeat_ms, lease_ms, pid, name, "
            "host, version, queues, kinds, slots) VALUES (clock_timestamp(), clock_timestamp(), "
            "2000, 600000, 1, 'stand-in', 'here', '0', '{default,other}', '{a.b}', "
            "'{\"default\": {\"running\": 0, \"concurrency\": 5}}') RETURNING id");
    }

    [[nodiscard]] const std::string& id() const noexcept { return id_; }

    /// Takes the job out of line; returns its lease.
    std::string claim(std::int64_t job) {
        return on_.query(
            "WITH taken AS (DELETE FROM queue.ready WHERE id = $1::bigint RETURNING id, attempt) "
            "INSERT INTO queue.lease (id, worker_id, claimed_at, job_ids, attempts) "
            "SELECT nextval('queue.lease_id_seq'), $2::bigint, now(), ARRAY[id], ARRAY[attempt] "
            "FROM taken RETURNING id",
            {std::to_string(job), id_});
    }

    void complete(std::int64_t job, const std::string& output = "null") {
        finish(job, claim(job), "completed", field{}, field{}, field{output});
    }

    void cancel(std::int64_t job) {
        finish(job, claim(job), "cancelled", field{}, field{}, field{});
    }

    /// Fails one attempt; the job stands in line again, due after `seconds`.
    void fail(std::int64_t job, const std::string& error, int seconds) {
        const std::string lease = claim(job);
        finish(job, lease, "failed", field{error}, field{std::to_string(seconds)}, field{});
        on_.execute(
            "INSERT INTO queue.ready (id, run_at, line_id, attempt) "
            "SELECT j.id, a.next_run_at, j.line_id, a.attempt FROM queue.job j "
            "JOIN queue.attempt a ON a.job_id = j.id AND a.lease_id = $2::bigint "
            "WHERE j.id = $1::bigint",
            {std::to_string(job), lease});
    }

    /// Runs the job to its death.
    void kill(std::int64_t job, const std::string& error, const std::string& outcome = "failed") {
        const std::string lease = claim(job);
        on_.execute("BEGIN");
        finish(job, lease, outcome, field{error}, field{}, field{});
        on_.execute(std::string{libqueue::sql::bury},
                    {"{" + std::to_string(job) + "}", "{" + lease + "}", "{attempts used up}"});
        on_.execute("COMMIT");
    }

    [[nodiscard]] connection& on() noexcept { return on_; }

   private:
    void finish(std::int64_t job, const std::string& lease, const std::string& outcome,
                const field& error, const field& retry_seconds, const field& output) {
        on_.execute(
            "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, next_run_at, "
            "worker_id, outcome, attempt, error, output) SELECT $1::bigint, s.id, now(), now(), "
            "now() + make_interval(secs => $4::double precision), s.worker_id, "
            "$5::queue.attempt_outcome, s.attempts[1] + 1, $3, $6::jsonb FROM queue.lease s "
            "WHERE s.id = $2::bigint",
            {std::to_string(job), lease, error, retry_seconds, outcome, output});
        on_.execute("DELETE FROM queue.lease WHERE id = $1::bigint", {lease});
    }

    connection on_;
    std::string id_;
};

}  // namespace test
