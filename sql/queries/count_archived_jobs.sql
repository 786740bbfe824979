-- How many jobs of an archive match. $1 text archive  $2 timestamptz archived before (NULL: any)
-- $3 text kind, exact or prefix ending in * (NULL: any). One row, none without such an archive:
-- jobs bigint. Index: archived_job_id_idx or archived_job_archived_at_idx. Locks: none.
SELECT (SELECT count(*)
        FROM queue.archived_job a
        WHERE a.archive = n.name
          AND ($2::timestamptz IS NULL OR a.archived_at < $2::timestamptz)
          AND ($3::text IS NULL OR a.kind = $3::text
               OR (right($3::text, 1) = '*' AND starts_with(a.kind, left($3::text, -1))))) AS jobs
FROM queue.archive n
WHERE n.name = $1::text
