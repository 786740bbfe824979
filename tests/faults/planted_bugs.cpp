#include "planted_bugs.hpp"

namespace faults {

namespace {

void add_fencing_bugs(std::vector<planted_bug>& bugs) {
    // The finish asks for the job alone: where its lease is gone it is recorded all the same.
    bugs.push_back(
        {"finish_by_id_only",
         breach::unfenced,
         {{"finish_completed",
           "SELECT s.id\n    FROM queue.lease s\n"
           "    -- + 0: by id. By worker it would step over all its leases an old "
           "snapshot keeps.\n"
           "    WHERE s.id = ANY ($2::bigint[]) AND s.worker_id + 0 = $1::bigint\n"
           "    ORDER BY s.id\n"
           "    -- Against a rescue, which deletes the lease; not against each other.\n"
           "    FOR KEY SHARE",
           "SELECT unnest($2::bigint[]) AS id"},
          {"finish_completed", "SELECT u.job_id, u.lease_id,",
           "SELECT u.job_id, CASE WHEN EXISTS (SELECT FROM queue.lease s WHERE s.id = u.lease_id) "
           "THEN u.lease_id ELSE nextval('queue.lease_id_seq') END,"}}});
    // What comes after the rescue overwrites what the rescue wrote.
    bugs.push_back({"zombie_accepted",
                    breach::unfenced,
                    {{"finish_completed",
                      "SELECT s.id\n    FROM queue.lease s\n"
                      "    -- + 0: by id. By worker it would step over all its leases an old "
                      "snapshot keeps.\n"
                      "    WHERE s.id = ANY ($2::bigint[]) AND s.worker_id + 0 = $1::bigint\n"
                      "    ORDER BY s.id\n"
                      "    -- Against a rescue, which deletes the lease; not against each other.\n"
                      "    FOR KEY SHARE",
                      "SELECT unnest($2::bigint[]) AS id"},
                     {"finish_completed", "JOIN held h ON h.id = u.lease_id",
                      "JOIN held h ON h.id = u.lease_id ON CONFLICT (job_id, lease_id) DO UPDATE "
                      "SET outcome = 'completed', next_run_at = NULL"}}});
    // A late heartbeat is taken for death, by the server's clock.
    bugs.push_back({"rescue_by_clock",
                    breach::illegal,
                    {{"list_liveness", "       w.ended,\n",
                      "       CASE WHEN w.beat_at < clock_timestamp() - interval '40 ms' "
                      "THEN 'late' END AS ended,\n"},
                     {"heartbeat", "false AS session_gone, w.ended,",
                      "false AS session_gone, 'late'::text AS ended,"}}});
    // A process takes over the identity of the one before it.
    bugs.push_back({"reused_identity",
                    breach::illegal,
                    {{"register_worker", "INSERT INTO queue.worker (beat_at,",
                      "WITH same AS (UPDATE queue.worker w SET beats = w.beats + 1, pid = $3::int "
                      "WHERE w.name = $1::text RETURNING w.id), fresh AS (\n"
                      "INSERT INTO queue.worker (beat_at,"},
                     {"register_worker", "VALUES (clock_timestamp(),", "SELECT clock_timestamp(),"},
                     {"register_worker", "$6::text[], $7::int, $8::int)\nRETURNING id",
                      "$6::text[], $7::int, $8::int WHERE NOT EXISTS (SELECT FROM same)\n"
                      "RETURNING id) SELECT id FROM same UNION ALL SELECT id FROM fresh"}}});
}

void add_place_bugs(std::vector<planted_bug>& bugs) {
    // Who claims a job leaves it in line.
    bugs.push_back(
        {"claim_leaves_in_line",
         breach::illegal,
         {{"claim", "DELETE FROM queue.ready\n",
           "SELECT id, line_id, run_at, attempt, reconcile FROM queue.ready\n"},
          {"claim", "    RETURNING id, line_id, run_at, attempt, reconcile),", "    ),"}}});
    // Some ends are forgotten, with their lease.
    bugs.push_back({"finish_forgets",
                    breach::lost,
                    {{"finish_completed", "JOIN held h ON h.id = u.lease_id",
                      "JOIN held h ON h.id = u.lease_id AND u.job_id % 20 <> 7"}}});
    // Unstarted jobs go off the lease of a worker that leaves, and nowhere else.
    bugs.push_back({"drain_drops_unstarted",
                    breach::lost,
                    {{"return_unstarted", "nullif(g.reconcile, false) FROM given g)",
                      "nullif(g.reconcile, false) FROM given g WHERE false)"}}});
    // A retry starts to count again.
    bugs.push_back({"retry_forgets_attempts",
                    breach::illegal,
                    {{"finish_other", "           t.used, nullif(t.reconcile, false)\n",
                      "           0::smallint, nullif(t.reconcile, false)\n"}}});
    // A retry does not wait.
    bugs.push_back({"retry_does_not_wait",
                    breach::illegal,
                    {{"finish_other", "SELECT t.job_id, t.next_run_at,\n           CASE",
                      "SELECT t.job_id, clock_timestamp(),\n           CASE"}}});
    // The dead are buried and stand in line all the same.
    bugs.push_back({"buried_alive",
                    breach::doubled,
                    {{"finish_other", "WHERE t.next_run_at IS NOT NULL)", ")"},
                     {"finish_other", "SELECT t.job_id, t.next_run_at,\n           CASE",
                      "SELECT t.job_id, coalesce(t.next_run_at, clock_timestamp()),\n"
                      "           CASE"}}});
}

void add_rescue_bugs(std::vector<planted_bug>& bugs) {
    // Everything a dead worker held is charged with its death.
    bugs.push_back({"neighbours_charged",
                    breach::lost,
                    {{"list_owed", "coalesce(e.suspect, false) AS suspect,", "true AS suspect,"},
                     {"list_owed", "       e.crashes,\n", "       e.crashes + 1 AS crashes,\n"}}});
    // A claim whose answer was lost is nobody's for ever.
    bugs.push_back({"forgotten_for_ever",
                    breach::stuck,
                    {{"forgotten_leases", "s.id <> ALL ($2::bigint[])",
                      "s.id <> ALL ($2::bigint[]) AND false"}}});
    // The rescue frees the leases of the dead without looking at all they owe.
    bugs.push_back({"rescue_forgets",
                    breach::lost,
                    {{"list_owed", "WHERE s.id = ANY ($1::bigint[])",
                      "WHERE s.id = ANY ($1::bigint[]) AND t.job_id % 3 <> 0"}}});
    // Dead workers stay on the books.
    bugs.push_back({"rescue_never_comes",
                    breach::stuck,
                    {{"lock_leases", "WHERE s.worker_id = $1::bigint",
                      "WHERE s.worker_id = $1::bigint AND false"}}});
}

}  // namespace

std::span<const planted_bug> planted_bugs() {
    static const std::vector<planted_bug> bugs = [] {
        std::vector<planted_bug> all;
        add_fencing_bugs(all);
        add_place_bugs(all);
        add_rescue_bugs(all);
        return all;
    }();
    return bugs;
}

}  // namespace faults
