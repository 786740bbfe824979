-- How far the job had come. $1 bigint job. One row: data as text, NULL for none.
-- Index: checkpoint_pkey. Locks: none.
SELECT queue.last_checkpoint($1::bigint)::text AS data
