-- A channel was told of an alert, or could not be. $1 bigint alert  $2 text channel  $3 boolean
-- $4 boolean that it is over. Rows: one, empty. Index: alert_pkey. Locks: the alert's row.
SELECT queue.note_alert_told($1::bigint, $2::text, $3::boolean, $4::boolean)
