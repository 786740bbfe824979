-- Stops claims from a queue.
-- $1 text queue  $2 text reason. One row of nothing. Index: queue_name_key. Locks: the queue's row.
SELECT queue.pause($1::text, $2::text)
