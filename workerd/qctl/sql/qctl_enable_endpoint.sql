-- Whosever it is. $1 bigint endpoint. One row: id; none when there is none.
-- Index: endpoint_pkey. Locks: the endpoint.
SELECT e.id, webhooks.endpoint_enable(e.tenant_id, e.id) AS done
FROM webhooks.endpoints e
WHERE e.id = $1::bigint
