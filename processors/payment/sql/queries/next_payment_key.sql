-- A new idempotency key for the payment or refund of a job.
-- $1 bigint job
-- One row: its generation. Index: payment_job, refund_job. Locks: the row, till the end.
SELECT payments.next_key($1::bigint)
