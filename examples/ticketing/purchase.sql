-- A purchase as one chain: payment, mint, mail, webhook, analytics. Each step is enqueued in the
-- transaction that records the one before as done, so none is lost and none comes twice. Run it in
-- the transaction that stores the order:
--
--   psql -v tenant=... -v order_id=o-7 -v amount=4500 -v currency=eur -v payment_method=pm_1 \
--        -v ticket=T-17 -v customer=42 -v wallet=<base58> -v email=ann@example.com \
--        -f examples/ticketing/purchase.sql
--
-- The idempotency key makes a second click the same job. Everything about the customer is erased by
-- SELECT * FROM queue.erase('customer-42', tenant).
SELECT queue.enqueue(
    'payment.process',
    jsonb_build_object(
        'order_id', :'order_id', 'amount', :amount, 'currency', :'currency',
        'payment_method', :'payment_method',
        'then', jsonb_build_array(
            jsonb_build_object('kind', 'ticket.mint', 'payload', jsonb_build_object(
                'ticket', :'ticket', 'user', :'customer', 'recipient', :'wallet',
                'name', 'Summer night ' || :'ticket',
                'then', jsonb_build_array(
                    jsonb_build_object(
                        'kind', 'email.send',
                        'payload', jsonb_build_object(
                            'to', :'email', 'template', 'nft_minted',
                            'variables', jsonb_build_object(
                                'customer_name', 'Ann', 'ticket_id', :'ticket',
                                'event', jsonb_build_object('name', 'Summer night')),
                            'then', jsonb_build_array(
                                jsonb_build_object(
                                    'kind', 'webhook.publish',
                                    'payload', jsonb_build_object(
                                        'event', 'ticket.issued',
                                        'event_id', 'issued_' || :'ticket',
                                        'data', jsonb_build_object(
                                            'order', :'order_id', 'ticket', :'ticket'),
                                        'then', jsonb_build_array(
                                            jsonb_build_object(
                                                'kind', 'analytics.event',
                                                'payload', jsonb_build_object(
                                                    'type', 'ticket-purchase',
                                                    'id', 'purchase_' || :'order_id',
                                                    'order', :'order_id', 'amount', :amount,
                                                    'currency', upper(:'currency'),
                                                    'customer', :'customer'))))))),
                        'with_output',
                        jsonb_build_object('variables.mint_address', 'address'))))))),
    idempotency_key => 'payment:' || :'customer' || ':' || :'order_id' || ':' || :amount,
    tenant_id => nullif(:'tenant', '')::uuid,
    subject => 'customer-' || :'customer') AS job;
