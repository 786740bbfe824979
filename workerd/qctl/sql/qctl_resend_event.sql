-- Sends an event once more, whosever the endpoint is. $1 bigint endpoint, $2 text event. One row:
-- job_id; none when there is no such endpoint. Index: endpoint_pkey. Locks: the endpoint.
SELECT webhooks.resend(e.tenant_id, e.id, $2::text) AS job_id
FROM webhooks.endpoints e
WHERE e.id = $1::bigint
