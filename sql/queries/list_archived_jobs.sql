-- Jobs of an archive by id, a page of so many rows or about so many bytes, whichever ends first,
-- but one row at least. The first two columns tell a row apart also from one of another database.
-- $1 text archive  $2 bigint above this id (NULL: from the first)  $3 timestamptz archived before
-- (NULL: any)  $4 text kind, exact or prefix ending in * (NULL: any)  $5 int rows  $6 bigint bytes
-- Rows: as of queue.archived_jobs. Index: archived_job_id_idx. Locks: none.
SELECT p.id, p.created_at, p.tenant_id, p.queue, p.kind, p.state, p.priority, p.attempt,
       p.max_attempts, p.payload, p.output, p.meta, p.run_at, p.finished_at, p.last_error,
       p.attempts, p.archive, p.archived_at
FROM (
    SELECT a.*,
           sum(a.bytes) OVER (ORDER BY a.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
               AS bytes_before
    FROM (
        SELECT j.*, (pg_column_size(j.payload) + pg_column_size(j.attempts)
                     + coalesce(pg_column_size(j.output), 0))::bigint AS bytes
        FROM queue.archived_jobs j
        WHERE j.archive = $1::text
          AND j.id > coalesce($2::bigint, -9223372036854775808)
          AND ($3::timestamptz IS NULL OR j.archived_at < $3::timestamptz)
          AND ($4::text IS NULL OR j.kind = $4::text
               OR (right($4::text, 1) = '*' AND starts_with(j.kind, left($4::text, -1))))
        ORDER BY j.id
        LIMIT $5::int) a) p
WHERE coalesce(p.bytes_before, 0) < $6::bigint
ORDER BY p.id
