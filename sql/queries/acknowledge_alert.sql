-- Somebody takes care of an alert. $1 bigint alert  $2 text by whom  $3 text note (NULL: none).
-- Rows: the alert, as in list_alerts. Index: alert_pkey. Locks: the alert's row.
SELECT a.id, a.rule, a.subject, a.severity, a.state, a.summary, a.value, a.threshold, a.raised_at,
       a.seen_at, a.resolved_at, a.acknowledged_at, a.acknowledged_by, a.note, a.notified_at,
       a.notices, a.pending
FROM queue.acknowledge_alert($1::bigint, $2::text, $3::text) a
