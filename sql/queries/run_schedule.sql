-- Enqueues one job of a schedule now. Rows: its id. Raises LQ005, LQ006.
-- $1 text name  $2 uuid tenant_id or NULL.
-- Index: schedule_name_key. Locks: the schedule.
SELECT queue.run_schedule_now($1::text, $2::uuid)
