-- One schedule. $1 text name  $2 uuid tenant_id or NULL. At most one row, as list_schedules.
-- Index: schedule_name_key, schedule_run_pkey. Locks: none.
SELECT s.id, s.name, s.tenant_id, s.cron, s.timezone, s.kind, s.queue, s.priority, s.max_attempts,
       s.misfire, (extract(epoch FROM s.misfire_grace) * 1000)::bigint AS misfire_grace_ms,
       s.overlap, s.paused, s.next_at, s.last_slot,
       (extract(epoch FROM s.lateness) * 1000)::bigint AS lateness_ms, s.last_outcome,
       s.last_job_id, s.runs, s.error, s.payload, s.meta, s.created_at, s.updated_at
FROM queue.schedules s
WHERE s.name = $1::text AND s.tenant_id IS NOT DISTINCT FROM queue.own_tenant($2::uuid)
