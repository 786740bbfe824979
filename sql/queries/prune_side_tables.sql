-- Removes what has outlived its use, at most so many rows of each: keys past their time to live,
-- progress and cancel requests of jobs that ended. $1 int most.
-- Index: idempotency_expires_at_idx, attempt_pkey.
-- Locks: the rows removed; keys SKIP LOCKED.
WITH keys AS (
    DELETE FROM queue.idempotency i
    WHERE i.ctid = ANY (ARRAY(
        SELECT x.ctid FROM queue.idempotency x
        WHERE x.expires_at <= now() ORDER BY x.expires_at LIMIT $1::int FOR UPDATE SKIP LOCKED))
    RETURNING 1),
ended AS (
    SELECT p.job_id FROM queue.progress p
    WHERE EXISTS (SELECT FROM queue.attempt a
                  WHERE a.job_id = p.job_id AND a.next_run_at IS NULL)
    LIMIT $1::int),
progress AS (DELETE FROM queue.progress p USING ended e WHERE p.job_id = e.job_id RETURNING 1),
asked AS (
    SELECT c.job_id FROM queue.cancel_request c
    WHERE EXISTS (SELECT FROM queue.attempt a
                  WHERE a.job_id = c.job_id AND a.next_run_at IS NULL)
    LIMIT $1::int),
requests AS (DELETE FROM queue.cancel_request c USING asked k WHERE c.job_id = k.job_id RETURNING 1)
SELECT (SELECT count(*) FROM keys) + (SELECT count(*) FROM progress)
       + (SELECT count(*) FROM requests) AS removed
