-- Reserves a refund for a job.
-- $1 bigint job  $2 uuid tenant  $3 bigint amount, NULL: all that is left  $4 text currency
-- $5 text reference  $6 bigint payment  $7 text order  $8 text part  $9 text provider id; one of
-- $6, $7 and $9 is not NULL
-- One row: verdict, refund, payment, provider, provider id of the payment, amount, currency, order,
-- generation, provider id of the refund, other job.
-- Index: refund_job, payment_orders. Locks: the payment, until the statement ends.
SELECT * FROM payments.reserve_refund($1::bigint, $2::uuid, $3::bigint, $4, $5, $6::bigint, $7, $8,
                                      $9)
