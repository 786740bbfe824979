-- Appends log lines. Those said before (the answer to the first telling was lost) stay as they are;
-- those of jobs that are gone meanwhile are left out.
-- by line: $1 bigint[] job  $2 bigint[] lease  $3 int[] number within the run
-- $4 bigint[] age in µs  $5 text[] level  $6 text[] message
-- Index: job_log_pkey, job_pkey. Locks: none but the new rows.
INSERT INTO queue.job_log (job_id, lease_id, line_no, at, level, message)
SELECT u.job_id, u.lease_id, u.line_no, clock_timestamp() - u.age_us * interval '1 microsecond',
       u.level, u.message
FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::bigint[], $5::text[], $6::text[])
     AS u (job_id, lease_id, line_no, age_us, level, message)
WHERE EXISTS (SELECT FROM queue.job j WHERE j.id = u.job_id)
ON CONFLICT (job_id, lease_id, line_no) DO NOTHING
