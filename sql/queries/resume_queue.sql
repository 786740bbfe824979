-- Lets workers claim from a queue again.
-- $1 text queue. One row of nothing. Index: queue_name_key. Locks: the queue's row.
SELECT queue.resume($1::text)
