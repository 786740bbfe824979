-- Enqueues an event for an endpoint once more. $1 uuid tenant or NULL, $2 bigint endpoint, $3 text
-- event. One row: job_id. Locks: the endpoint.
SELECT webhooks.resend($1::uuid, $2::bigint, $3::text) AS job_id
