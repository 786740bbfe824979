-- Up to which job the next step of resealing goes.
-- $1 bigint after this job  $2 integer so many jobs. One row: id bigint, NULL after the last job.
-- Index: job_pkey. Locks: none.
SELECT max(s.id)
FROM (SELECT j.id FROM queue.job j WHERE j.id > $1::bigint ORDER BY j.id LIMIT $2::integer) s
