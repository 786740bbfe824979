-- $1 uuid tenant or NULL, $2 bigint endpoint, whosever it is when there is no tenant,
-- $3 text reason. Locks: the endpoint.
SELECT webhooks.endpoint_disable(
    coalesce($1::uuid,
             (SELECT e.tenant_id FROM webhooks.endpoints e WHERE e.id = $2::bigint)),
    $2::bigint, $3::text)
