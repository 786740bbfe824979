-- Brings the alerts to what the rules found just now. $1 jsonb array (queue.update_alerts).
-- Rows: raised, resolved. Index: alert_open_key. Locks: the rows of what goes on.
SELECT u.raised, u.resolved FROM queue.update_alerts($1::jsonb) u
