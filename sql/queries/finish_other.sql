-- Records runs that did not complete, those whose lease still stands: back in line when they have
-- a delay, final otherwise. A job asked to cancel does not go back in line but is cancelled, unless
-- its effect is open: that is found out first.
-- Also used to give back what a dead worker owed, with its id as $1.
-- $1 bigint worker  $2 bigint[] the distinct leases  by job: $3 bigint[] lease  $4 bigint[] job
-- $5 smallint[] attempt  $6 bigint[] run time in µs  $7 text[] outcome  $8 text[] error
-- $9 bigint[] delay in µs (negative: final)  $10 smallint[] attempts used from now on
-- $11 boolean[] next run reconciles
-- Rows: id of each lease that stands.
-- Index: lease_pkey, attempt_pkey, ready_pkey, cancel_request_pkey. Locks: the leases.
WITH held AS MATERIALIZED (
    SELECT s.id
    FROM queue.lease s
    -- + 0: by id. By worker it would step over all its leases an old snapshot keeps.
    WHERE s.id = ANY ($2::bigint[]) AND s.worker_id + 0 = $1::bigint
    ORDER BY s.id
    -- Against a rescue, which deletes the lease; not against each other.
    FOR KEY SHARE),
told AS MATERIALIZED (
    SELECT u.*,
           c.job_id IS NOT NULL AND u.delay_us >= 0 AS cancelled,
           c.reason AS cancel_reason,
           CASE WHEN u.delay_us >= 0 AND c.job_id IS NULL
                THEN clock_timestamp() + u.delay_us * interval '1 microsecond' END AS next_run_at
    FROM unnest($3::bigint[], $4::bigint[], $5::smallint[], $6::bigint[], $7::text[], $8::text[],
                $9::bigint[], $10::smallint[], $11::boolean[])
         AS u (lease_id, job_id, attempt, ran_us, outcome, error, delay_us, used, reconcile)
    JOIN held h ON h.id = u.lease_id
    LEFT JOIN queue.cancel_request c ON c.job_id = u.job_id AND NOT u.reconcile),
appended AS (
    INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, next_run_at, worker_id,
                               outcome, attempt, reconcile, error)
    SELECT t.job_id, t.lease_id, now() - t.ran_us * interval '1 microsecond', now(), t.next_run_at,
           $1::bigint,
           CASE WHEN t.cancelled THEN 'cancelled'::queue.attempt_outcome
                ELSE t.outcome::queue.attempt_outcome END,
           t.attempt,
           nullif(t.reconcile, false),
           CASE WHEN t.cancelled THEN coalesce(t.cancel_reason, t.error) ELSE t.error END
    FROM told t),
returned AS (
    INSERT INTO queue.ready (id, run_at, line_id, attempt, reconcile)
    -- A lost job is a suspect and stands in the twin of its line.
    SELECT t.job_id, t.next_run_at,
           CASE t.outcome WHEN 'lost' THEN -j.line_id ELSE j.line_id END,
           t.used, nullif(t.reconcile, false)
    FROM told t
    -- OFFSET 0: see claim.
    CROSS JOIN LATERAL (SELECT x.line_id FROM queue.job x WHERE x.id = t.job_id OFFSET 0) j
    WHERE t.next_run_at IS NOT NULL)
SELECT h.id FROM held h
