-- Alerts, newest first. $1 boolean only those that go on  $2 text rule  $3 text severity
-- $4 bigint before this id  $5 int limit. NULL does not restrict, but $1 and $5 are required.
-- Rows: the columns of queue.alerts. Index: alert_pkey, alert_open_key. Locks: none.
SELECT a.id, a.rule, a.subject, a.severity, a.state, a.summary, a.value, a.threshold, a.raised_at,
       a.seen_at, a.resolved_at, a.acknowledged_at, a.acknowledged_by, a.note, a.notified_at,
       a.notices, a.pending
FROM queue.alerts a
WHERE (NOT $1::boolean OR a.resolved_at IS NULL)
  AND ($2::text IS NULL OR a.rule = $2::text)
  AND ($3::text IS NULL OR a.severity = $3::text)
  AND ($4::bigint IS NULL OR a.id < $4::bigint)
ORDER BY a.id DESC
LIMIT $5::int
