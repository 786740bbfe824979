-- Gives claimed jobs that never started back to the very place in line they were taken from, and
-- takes them off their leases. Burns nothing and leaves no history. Only what the lease still owes
-- is given, so saying it twice (after a commit without answer) gives it once.
-- $1 bigint worker  by job: $2 bigint[] lease  $3 bigint[] job  $4 int[] line
-- $5 timestamptz[] place  $6 smallint[] attempts used  $7 boolean[] reconcile
-- Rows: id of each lease that stood. Index: lease_pkey, ready_pkey. Locks: the leases.
WITH held AS MATERIALIZED (
    SELECT s.id, s.job_ids, s.attempts
    FROM queue.lease s
    -- + 0: by id. By worker it would step over all its leases an old snapshot keeps.
    WHERE s.id = ANY ($2::bigint[]) AND s.worker_id + 0 = $1::bigint
    ORDER BY s.id
    FOR UPDATE),
given AS MATERIALIZED (
    SELECT u.*
    FROM unnest($2::bigint[], $3::bigint[], $4::int[], $5::timestamptz[], $6::smallint[],
                $7::boolean[]) AS u (lease_id, job_id, line_id, run_at, used, reconcile)
    JOIN held h ON h.id = u.lease_id AND u.job_id = ANY (h.job_ids)),
returned AS (
    INSERT INTO queue.ready (id, run_at, line_id, attempt, reconcile)
    SELECT g.job_id, g.run_at, g.line_id, g.used, nullif(g.reconcile, false) FROM given g),
shrunk AS (
    UPDATE queue.lease s
    SET job_ids = k.job_ids, attempts = k.attempts
    FROM held h
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(t.job_id ORDER BY t.place), '{}') AS job_ids,
               coalesce(array_agg(t.used ORDER BY t.place), '{}') AS attempts
        -- As locked. Read again it would be as it was when the statement began, and what another
        -- backend of ours gave back while we waited for it would be on the lease once more.
        FROM unnest(h.job_ids, h.attempts) WITH ORDINALITY AS t (job_id, used, place)
        WHERE NOT EXISTS (SELECT FROM given g WHERE g.lease_id = h.id AND g.job_id = t.job_id)) k
    WHERE s.id = h.id)
SELECT h.id FROM held h
