-- Creates a queue; nothing happens when it exists.
-- $1 text name. One row: its id. Index: queue_name_key. Locks: one creator at a time.
SELECT queue.create_queue($1::text)
