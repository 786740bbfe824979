-- Stops firing a schedule. Raises LQ005.
-- $1 text name  $2 uuid tenant_id or NULL.
-- Index: schedule_name_key. Locks: the schedule.
SELECT queue.pause_schedule($1::text, $2::uuid)
