-- $1 text name. Rows: the queue's id, created when it did not exist.
-- Index: queue_name_key. Locks: none when it exists, else the new row.
SELECT queue.create_queue($1::text) AS id
