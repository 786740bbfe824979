-- Enqueues an event for an endpoint once more.
-- $1 uuid tenant or NULL, $2 bigint endpoint, whosever it is when there is no tenant,
-- $3 text event. One row: job_id. Locks: the endpoint.
SELECT webhooks.resend(
    coalesce($1::uuid,
             (SELECT e.tenant_id FROM webhooks.endpoints e WHERE e.id = $2::bigint)),
    $2::bigint, $3::text) AS job_id
