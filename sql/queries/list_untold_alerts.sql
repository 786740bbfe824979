-- Alerts that channels are still to be told of: that they fire, or are over. Those that were tried
-- least first, then the oldest. $1 int limit.
-- Rows: id, rule, subject, severity, summary, value, threshold, raised_at, channel, notices,
-- resolved_at.
-- Index: alert_pending_idx. Locks: none.
SELECT a.id, a.rule, a.subject, a.severity, a.summary, a.value, a.threshold, a.raised_at, c.channel,
       a.notices, a.resolved_at
FROM queue.alert a
CROSS JOIN LATERAL unnest(a.pending) c (channel)
WHERE a.pending <> '{}'
ORDER BY coalesce((a.failed ->> c.channel)::integer, 0), a.id, c.channel
LIMIT $1::int
