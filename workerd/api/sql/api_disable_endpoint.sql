-- $1 uuid tenant or NULL, $2 bigint endpoint, $3 text reason. Locks: the endpoint.
SELECT webhooks.endpoint_disable($1::uuid, $2::bigint, $3::text)
