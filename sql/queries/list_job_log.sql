-- Log lines of a job, in order. $1 bigint job  $2 int attempt  $3 bigint lease and $4 int line to
-- go on behind  $5 int the last so many. NULL does not restrict, but $1 is required.
-- Rows: attempt, lease, line, at, level, message. Index: job_log_pkey, attempt_pkey, lease_pkey.
-- Locks: none.
SELECT t.attempt, t.lease, t.line, t.at, t.level, t.message
FROM (SELECT g.attempt, g.lease_id AS lease, g.line_no AS line, g.at, g.level, g.message
      FROM queue.job_logs g
      WHERE g.job_id = $1::bigint
        AND ($2::int IS NULL OR g.attempt = $2::int)
        AND ($3::bigint IS NULL OR (g.lease_id, g.line_no) > ($3::bigint, $4::int))
      ORDER BY g.lease_id DESC, g.line_no DESC
      LIMIT $5::int) t
ORDER BY t.lease, t.line
