-- Brings the alerts to what the rules found just now. $1 jsonb array (queue.update_alerts)
-- $2 double precision seconds until an end is told  $3 text[] channels that are told, NULL: none.
-- Rows: raised, resolved. Index: alert_open_key, alert_untold_end_idx. Locks: the rows of what goes
-- on and of what ends.
SELECT u.raised, u.resolved
FROM queue.update_alerts($1::jsonb, NULL, make_interval(secs => $2::double precision),
                         $3::text[]) u
