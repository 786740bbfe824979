-- What became of a schedule's slots, latest first. $1 text name  $2 uuid tenant_id or NULL
-- $3 int limit. No rows also for a schedule that is none.
-- Index: schedule_name_key, schedule_run_pkey. Locks: none.
SELECT r.slot, r.outcome, r.at AS fired_at,
       (extract(epoch FROM r.lateness) * 1000)::bigint AS lateness_ms, r.job_id, r.until, r.error
FROM queue.schedule_runs r
WHERE r.name = $1::text AND r.tenant_id IS NOT DISTINCT FROM queue.own_tenant($2::uuid)
ORDER BY r.slot DESC
LIMIT $3::int
