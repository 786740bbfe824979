-- Webhook endpoints, oldest first. $1 uuid tenant or NULL, $2 bigint after or NULL, $3 int most.
-- Index: endpoint_pkey, the delivery log's by endpoint and time. Locks: none.
SELECT e.id, e.tenant_id, e.url, to_jsonb(e.events) AS events, e.state, e.reason, e.format,
       e.ordered, e.concurrency, e.description, e.signature, e.attempts, e.delivered, e.last_at,
       e.last_outcome, e.created_at, e.changed_at
FROM webhooks.endpoints e
WHERE ($1::uuid IS NULL OR e.tenant_id = $1::uuid)
  AND ($2::bigint IS NULL OR e.id > $2::bigint)
ORDER BY e.id
LIMIT $3::int
