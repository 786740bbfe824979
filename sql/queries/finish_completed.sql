-- Records completed runs, those whose lease still stands.
-- $1 bigint worker  $2 bigint[] the distinct leases  by job: $3 bigint[] lease  $4 bigint[] job
-- $5 smallint[] attempt  $6 bigint[] run time in µs  $7 text[] output JSON (NULL array: none)
-- Rows: id of each lease that stands; a lease missing from the answer is lost with all its jobs.
-- Index: lease_pkey, attempt_pkey. Locks: the leases, so that a rescue waits or has happened.
WITH held AS MATERIALIZED (
    SELECT s.id
    FROM queue.lease s
    -- + 0: by id. By worker it would step over all its leases an old snapshot keeps.
    WHERE s.id = ANY ($2::bigint[]) AND s.worker_id + 0 = $1::bigint
    ORDER BY s.id
    -- Against a rescue, which deletes the lease; not against each other.
    FOR KEY SHARE),
appended AS (
    INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, worker_id, outcome,
                               attempt, output)
    SELECT u.job_id, u.lease_id, now() - u.ran_us * interval '1 microsecond', now(), $1::bigint,
           'completed', u.attempt, u.output::jsonb
    -- Side by side and not as one table function, which would first write them all down.
    FROM (SELECT unnest($3::bigint[]) AS lease_id, unnest($4::bigint[]) AS job_id,
                 unnest($5::smallint[]) AS attempt, unnest($6::bigint[]) AS ran_us,
                 unnest($7::text[]) AS output) u
    JOIN held h ON h.id = u.lease_id)
SELECT h.id FROM held h
