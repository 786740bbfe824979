-- Up to which id the next step of resealing goes.
-- $1 bigint after this one  $2 integer so many jobs, archived ones counted. One row: id bigint,
-- NULL after the last of all.
-- Index: job_pkey, archived_job_pkey. Locks: none.
SELECT max(s.id)
FROM (
    SELECT u.id
    FROM (
        (SELECT j.id FROM queue.job j WHERE j.id > $1::bigint ORDER BY j.id LIMIT $2::integer)
        UNION ALL
        (SELECT a.id
         FROM queue.archive x
         CROSS JOIN LATERAL (
             SELECT y.id
             FROM queue.archived_job y
             WHERE y.archive = x.name AND y.id > $1::bigint
             ORDER BY y.id
             LIMIT $2::integer) a)) u
    ORDER BY u.id
    LIMIT $2::integer) s
