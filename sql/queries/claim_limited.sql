-- Takes due jobs that are under limits out of line and into one new lease, as many as may start
-- now; puts others back in line at the slots reserved for them.
-- $1 bigint worker  $2 int turn connection  $3 int queue  $4 text limit of the kinds (NULL: none)
-- $5 text limit of the queue (NULL: none)  $6 int[] lines  $7 int[] most by line
-- $8 int most in all  $9 timestamptz now (NULL: the database clock)
-- Rows: as claim, then what the worker must know of the job's limits (JSON), then blocked and
-- wait_us, both NULL. The last row is no job: all NULL but blocked (jobs wait that may
-- not start yet) and wait_us (look again after; NULL: nothing is in line).
-- Index: ready_reserved_idx, ready_pkey, job_pkey, limit_bucket_pkey, limit_slot_pkey,
-- limit_tally_pkey, limit_breaker_pkey.
-- Locks: the limits' rows and the jobs looked at, SKIP LOCKED.
SELECT c.lease, c.id, c.line_id, c.run_at, c.attempt, c.reconcile, c.created_at, c.max_attempts,
       c.tenant_id, c.payload, c.meta, c.limits, c.blocked, c.wait_us
FROM queue.claim_limited($1::bigint, $2::int, $3::int, $4::text, $5::text, $6::int[], $7::int[],
                         $8::int, $9::timestamptz) c
