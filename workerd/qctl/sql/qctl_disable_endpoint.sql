-- Whosever it is. $1 bigint endpoint, $2 text reason. One row: id; none when there is none.
-- Index: endpoint_pkey. Locks: the endpoint.
SELECT e.id, webhooks.endpoint_disable(e.tenant_id, e.id, $2::text) AS done
FROM webhooks.endpoints e
WHERE e.id = $1::bigint
