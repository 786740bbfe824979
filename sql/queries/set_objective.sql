-- The oldest a waiting job of a queue may get before the queue counts as late.
-- $1 text queue  $2 double precision seconds; NULL: any. One row of nothing. Raises LQ001, LQ002.
-- Index: queue_name_key. Locks: the queue's row.
SELECT queue.set_objective($1::text, make_interval(secs => $2::double precision))
