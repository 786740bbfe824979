-- Removes a schedule and its history. Rows: whether there was one.
-- $1 text name  $2 uuid tenant_id or NULL.
-- Index: schedule_name_key. Locks: the schedule.
SELECT queue.unschedule($1::text, $2::uuid)
