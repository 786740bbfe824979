-- Says how a worker's process died, by one who saw it: rescuers then need not wait for its lease.
-- $1 text host  $2 int pid  $3 text how. Rows: id of each worker of that process.
-- Index: none, the table is small. Locks: the worker rows.
UPDATE queue.worker w
SET ended = left($3::text, 1000)
WHERE w.host = $1::text AND w.pid = $2::int AND w.ended IS NULL
RETURNING w.id
