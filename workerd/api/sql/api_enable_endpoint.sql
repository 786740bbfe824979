-- $1 uuid tenant or NULL, $2 bigint endpoint. Locks: the endpoint.
SELECT webhooks.endpoint_enable($1::uuid, $2::bigint)
