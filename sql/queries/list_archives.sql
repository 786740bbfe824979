-- All archives by name: their kinds, retention in ms (NULL: for ever), how many jobs (counted up to
-- ten million) and since when. No parameters.
-- Index: archived_job_id_idx, archived_job_archived_at_idx. Locks: none.
SELECT n.name, n.kinds, (extract(epoch FROM n.retention) * 1000)::bigint AS retention_ms,
       (SELECT count(*) FROM (SELECT FROM queue.archived_job a WHERE a.archive = n.name
                              LIMIT 10000000) c) AS jobs,
       (SELECT min(a.archived_at) FROM queue.archived_job a
        WHERE a.archive = n.name) AS first_archived_at,
       (SELECT max(a.archived_at) FROM queue.archived_job a
        WHERE a.archive = n.name) AS last_archived_at,
       n.created_at
FROM queue.archives n
ORDER BY n.name
