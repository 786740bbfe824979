-- Alerts that channels are still to be told of, oldest first. $1 int limit.
-- Rows: id, rule, subject, severity, summary, value, threshold, raised_at, channel.
-- Index: alert_open_key. Locks: none.
SELECT a.id, a.rule, a.subject, a.severity, a.summary, a.value, a.threshold, a.raised_at, c.channel
FROM queue.alert a
CROSS JOIN LATERAL unnest(a.pending) c (channel)
WHERE a.resolved_at IS NULL AND cardinality(a.pending) > 0
ORDER BY a.id, c.channel
LIMIT $1::int
