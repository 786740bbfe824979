-- Makes a subscription or changes the one of that pattern, kind and tenant. $1 text pattern
-- $2 text kind  $3 text queue  $4 int priority  $5 text filter  $6 uuid tenant_id
-- $7 interval delay  $8 int max_attempts  $9 text ordering_key_path; $3 to $9 may be NULL.
-- Rows: id. Raises LQ001, LQ002. Index: topic_node_pkey, subscription_key.
-- Locks: one at a time subscribes.
SELECT queue.subscribe($1::text, $2::text, queue => $3::text, priority => $4::int,
                       filter => $5::text, tenant_id => $6::uuid, delay => $7::interval,
                       max_attempts => $8::int, ordering_key_path => $9::text)
