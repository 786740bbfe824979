-- Deletes jobs from an archive for good. $1 text archive  $2 bigint[] ids.
-- One row: how many bigint.
-- Index: archived_job_pkey. Locks: the rows.
SELECT queue.remove_archived($1::text, $2::bigint[])
