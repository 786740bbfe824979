-- $1 text name. Rows: the queue's id, created when it did not exist.
SELECT queue.create_queue($1::text) AS id
