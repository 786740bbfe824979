-- Publishes an event: one job for each subscription that matches. $1 text topic  $2 jsonb payload
-- $3 uuid tenant_id  $4 interval delay  $5 jsonb meta  $6 text idempotency_key; $3 to $6 may be
-- NULL. Rows: jobs made. Raises LQ001, LQ003, LQ004, LQ008.
-- Index: topic_node_pkey, subscription_node_id_idx. Locks: as enqueue.
SELECT queue.publish($1::text, $2::jsonb, tenant_id => $3::uuid, delay => $4::interval,
                     meta => $5::jsonb, idempotency_key => $6::text)
