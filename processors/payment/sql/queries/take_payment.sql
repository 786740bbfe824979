-- Takes a payment that exists for a job that confirms or captures it.
-- $1 bigint job  $2 uuid tenant  $3 text purpose: retry, capture  $4 bigint payment  $5 text order
-- $6 text part  $7 text provider id; one of $4, $5 and $7 is not NULL
-- One row: as begin_payment, and amount, currency, captured, order, provider.
-- Index: payment_pkey, payment_orders or payment_provider_id. Locks: the payment, until the end.
SELECT * FROM payments.take_payment($1::bigint, $2::uuid, $3, $4::bigint, $5, $6, $7)
