-- Cancels waiting jobs of a queue, a batch at a time. Jobs being claimed at this moment are left
-- out: they run.
-- $1 text queue  $2 bigint only jobs up to this id  $3 integer limit
-- Rows: id of each. Index: ready_pkey. Locks: the rows in line, SKIP LOCKED.
WITH gone AS (
    DELETE FROM queue.ready
    WHERE ctid = ANY (ARRAY(
        SELECT r.ctid
        FROM queue.ready r
        WHERE r.line_id = ANY (ARRAY(
                  SELECT unnest(ARRAY[l.id, -l.id])
                  FROM queue.line l
                  JOIN queue.queue q ON q.id = l.queue_id
                  WHERE q.name = $1::text))
          AND r.id <= $2::bigint
        LIMIT $3::integer
        FOR UPDATE SKIP LOCKED))
    RETURNING id, attempt, reconcile)
INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, outcome, attempt, reconcile,
                           error)
SELECT g.id, nextval('queue.lease_id_seq'), now(), now(), 'cancelled', g.attempt, g.reconcile,
       'queue purged'
FROM gone g
RETURNING job_id AS id
