-- Forgets a topic nobody heard. $1 text topic, NULL: all. Rows: how many rows went.
-- Index: unrouted_topic_pkey. Locks: those rows.
SELECT queue.forget_unrouted($1::text)
