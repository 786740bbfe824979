-- Deletes the oldest jobs of an archive, a batch at a time.
-- $1 text archive  $2 timestamptz archived before  $3 int limit.
-- One row: how many bigint; fewer than the limit: there are no more.
-- Index: archived_job_archived_at_idx. Locks: the rows.
SELECT queue.remove_archived($1::text, ARRAY(
    SELECT a.id
    FROM queue.archived_job a
    WHERE a.archive = $1::text AND a.archived_at < $2::timestamptz
    ORDER BY a.archived_at
    LIMIT $3::int))
