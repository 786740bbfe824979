-- What a delivery to endpoint $1 (bigint) must know; no row when it is not of tenant $2 (uuid,
-- NULL: of none). Index: endpoint_pkey, signing_key_pkey. Locks: none.
SELECT enabled, url, format, timeout_ms, waits_ms, keys
FROM webhooks.read_endpoint($1::bigint, $2::uuid);
