-- Disables endpoint $1 (bigint) because of $3 (text), unless something was delivered to it since $2
-- (timestamptz; NULL: in any case), and publishes webhook.disabled. Index: endpoint_pkey,
-- delivery_by_endpoint. Locks: the endpoint's row.
SELECT webhooks.give_up($1::bigint, $2::timestamptz, $3::text);
