-- Makes a schedule or changes the one of that name. $1 text name  $2 text cron  $3 text kind
-- $4 jsonb payload  $5 text timezone  $6 text misfire  $7 text overlap  $8 text queue
-- $9 int priority  $10 int max_attempts  $11 uuid tenant_id  $12 jsonb meta  $13 interval grace.
-- $8 to $12 may be NULL. Rows: id. Raises LQ001, LQ002, LQ003, LQ008.
-- Index: schedule_name_key. Locks: the schedule; notifies workers.
SELECT queue.schedule($1::text, $2::text, $3::text, $4::jsonb, $5::text, $6::text, $7::text,
                      queue => $8::text, priority => $9::int, max_attempts => $10::int,
                      tenant_id => $11::uuid, meta => $12::jsonb, misfire_grace => $13::interval)
