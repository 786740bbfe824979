-- Fires a schedule again, from its next slot on. Raises LQ005.
-- $1 text name  $2 uuid tenant_id or NULL.
-- Index: schedule_name_key. Locks: the schedule.
SELECT queue.resume_schedule($1::text, $2::uuid)
