-- Cancels waiting jobs of a queue, a batch at a time. Jobs being claimed at this moment are left
-- out: they run.
-- $1 text queue  $2 bigint only jobs up to this id  $3 integer limit
-- Rows: id of each. Index: ready_pkey. Locks: the rows in line, SKIP LOCKED.
SELECT p.id FROM queue.purge($1::text, $2::bigint, $3::integer) AS p (id)
