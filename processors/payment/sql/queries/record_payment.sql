-- What became of the payment of a job, with the end of its run.
-- $1 bigint job  $2 text state  $3 text provider id  $4 bigint captured  $5 text failure code
-- $6 jsonb more for the topic
-- One row of nothing. Index: payment_job. Locks: the payment, until the transaction ends.
SELECT payments.record_payment($1::bigint, $2, $3, $4::bigint, $5, $6::jsonb)
