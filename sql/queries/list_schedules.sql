-- Schedules in the order they were made. $1 text name, exact or prefix ending in *  $2 text kind,
-- likewise  $3 uuid tenant_id  $4 bigint after this id  $5 int limit. NULL does not restrict, but
-- $5 is required.
-- Index: schedule_pkey, schedule_run_pkey. Locks: none.
SELECT s.id, s.name, s.tenant_id, s.cron, s.timezone, s.kind, s.queue, s.priority, s.max_attempts,
       s.misfire, (extract(epoch FROM s.misfire_grace) * 1000)::bigint AS misfire_grace_ms,
       s.overlap, s.paused, s.next_at, s.last_slot,
       (extract(epoch FROM s.lateness) * 1000)::bigint AS lateness_ms, s.last_outcome,
       s.last_job_id, s.runs, s.error, s.payload, s.meta, s.created_at, s.updated_at
FROM queue.schedules s
WHERE ($1::text IS NULL OR s.name = $1::text
       OR (right($1::text, 1) = '*' AND starts_with(s.name, left($1::text, -1))))
  AND ($2::text IS NULL OR s.kind = $2::text
       OR (right($2::text, 1) = '*' AND starts_with(s.kind, left($2::text, -1))))
  AND ($3::uuid IS NULL OR s.tenant_id = $3::uuid)
  AND ($4::bigint IS NULL OR s.id > $4::bigint)
ORDER BY s.id
LIMIT $5::int
