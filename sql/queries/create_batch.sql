-- Makes a batch. $1 text name  $2 text on_success  $3 text on_failure  $4 text on_finish (kinds)
-- $5 jsonb payload  $6 text callback_queue  $7 int callback_priority  $8 uuid tenant_id
-- $9 interval retention. All but $5 and $9 may be NULL. Rows: id. Raises LQ001, LQ002, LQ003.
-- Index: queue_name_key. Locks: none but the new row.
SELECT queue.create_batch($1::text, $2::text, $3::text, $4::text, $5::jsonb, $6::text, $7::int,
                          $8::uuid, $9::interval)
