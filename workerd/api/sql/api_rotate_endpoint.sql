-- A new secret.
-- $1 uuid tenant or NULL, $2 bigint endpoint, whosever it is when there is no tenant,
-- $3 integer seconds for which the old one signs, too. Locks: the endpoint.
SELECT webhooks.endpoint_rotate(
    coalesce($1::uuid,
             (SELECT e.tenant_id FROM webhooks.endpoints e WHERE e.id = $2::bigint)),
    $2::bigint, make_interval(secs => $3::integer))
