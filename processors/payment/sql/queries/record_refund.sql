-- What became of the refund of a job, with the end of its run.
-- $1 bigint job  $2 boolean happened  $3 text provider id of the refund  $4 text failure code
-- One row of nothing. Index: refund_job. Locks: the refund, until the transaction ends.
SELECT payments.record_refund($1::bigint, $2::boolean, $3, $4)
