-- Takes an order for the job that is to pay it.
-- $1 bigint job  $2 uuid tenant  $3 text order  $4 text part  $5 text provider  $6 bigint amount
-- $7 text currency
-- One row: verdict, payment, state, provider id, generation, age in seconds, other job.
-- Index: payment_job, payment_order. Locks: the row of the order, until the statement ends.
SELECT * FROM payments.begin_payment($1::bigint, $2::uuid, $3, $4, $5, $6::bigint, $7)
