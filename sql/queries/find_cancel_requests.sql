-- Which of these running jobs were asked to cancel. $1 bigint[] jobs. Rows: job_id, reason.
-- Index: cancel_request_pkey.
-- Locks: none.
SELECT c.job_id, c.reason FROM queue.cancel_request c WHERE c.job_id = ANY ($1::bigint[])
