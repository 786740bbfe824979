-- Who would hear an event. $1 text topic  $2 jsonb payload  $3 uuid tenant_id or NULL.
-- Rows: as list_subscriptions. Raises LQ001.
-- Index: topic_node_pkey, subscription_node_id_idx. Locks: none.
SELECT s.id, s.pattern, s.kind, s.tenant_id, s.queue, s.priority, s.max_attempts,
       (extract(epoch FROM s.delay) * 1000)::bigint AS delay_ms, s.filter, s.ordering_key_path,
       s.created_at, s.updated_at
FROM queue.subscribers($1::text, $2::jsonb, $3::uuid) s
