-- Limits with what is left of them. $1 text name (NULL: all limits).
-- Rows: one per limit and key in use, the columns of queue.limit_status but the bookkeeping.
-- Index: limit_rule_pkey, limit_bucket_pkey, limit_slot_pkey. Locks: none.
SELECT s.name, s.key, s.burst, s.rate, s.concurrency, s.key_from, s.parent, s.tokens,
       s.next_token_at, s.running, s.stopped_at IS NOT NULL AS stopped, s.stopped_at, s.stopped_by,
       s.stop_reason, s.closed_until, s.close_reason, s.circuit, s.circuit_opened_at, s.probe_at,
       s.probe_job, s.breaker_ratio, s.breaker_min_requests,
       round(extract(epoch FROM s.breaker_window) * 1000)::bigint AS breaker_window_ms,
       round(extract(epoch FROM s.breaker_cooldown) * 1000)::bigint AS breaker_cooldown_ms, s.pinned
FROM queue.limit_status s
WHERE $1::text IS NULL OR s.name = $1::text
ORDER BY s.name, s.key
LIMIT 10000
