-- An event is called off: every payment of it is refunded, each by a job of its own in one batch.
-- Some refunds may be impossible (never paid, charged back); the batch then ends as
-- PARTIAL_SUCCESS and says which (queue.batch_items). A refund that went through is
-- followed by a mail to the buyer in the same transaction.
--
--   psql -v tenant=... -v event=summer-night -f examples/ticketing/event_cancelled.sql
--
-- Reads the orders from the table shop_order (order_id, event, email).
BEGIN;
SELECT queue.create_batch(
    'cancelled.' || :'event', tenant_id => nullif(:'tenant', '')::uuid) AS batch
\gset
SELECT count(queue.enqueue(
    'refund.full',
    jsonb_build_object(
        'order_id', o.order_id, 'reference', 'cancelled-' || o.order_id,
        'reason', 'requested_by_customer',
        'then', jsonb_build_array(
            jsonb_build_object('kind', 'email.send', 'payload', jsonb_build_object(
                'to', o.email, 'subject', o.event || ' is called off',
                'text', 'Your order ' || o.order_id || ' has been refunded.')))),
    idempotency_key => 'refund:cancelled:' || o.order_id,
    tenant_id => nullif(:'tenant', '')::uuid,
    batch_id => :batch)) AS refunds
FROM shop_order o WHERE o.event = :'event';
SELECT queue.seal_batch(:batch);
COMMIT;
