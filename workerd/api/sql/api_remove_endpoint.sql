-- $1 uuid tenant or NULL, $2 bigint endpoint, whosever it is when there is no tenant.
-- Locks: the endpoint.
SELECT webhooks.endpoint_remove(
    coalesce($1::uuid,
             (SELECT e.tenant_id FROM webhooks.endpoints e WHERE e.id = $2::bigint)),
    $2::bigint)
