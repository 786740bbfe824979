-- Asks a worker to be quiet, to drain, to stop, or to go on.
-- $1 bigint worker  $2 text wish. One row of nothing. Index: worker_pkey. Locks: the worker's row.
SELECT queue.ask_worker($1::bigint, $2::text)
