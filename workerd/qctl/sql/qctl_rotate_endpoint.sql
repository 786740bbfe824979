-- A new secret, whosever the endpoint is. $1 bigint endpoint, $2 bigint ms for which the old one
-- signs, too. One row: id; none when there is none. Index: endpoint_pkey. Locks: the endpoint.
SELECT e.id,
       webhooks.endpoint_rotate(e.tenant_id, e.id,
                                make_interval(secs => $2::bigint / 1000.0)) AS done
FROM webhooks.endpoints e
WHERE e.id = $1::bigint
