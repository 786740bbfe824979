-- Keeps minutes of a process or of the queues; those that are there already stay as they are.
-- $1 jsonb array of samples (queue.put_samples).
-- Rows: put. Index: sample_pkey. Locks: none but the new rows.
SELECT queue.put_samples($1::jsonb) AS put
