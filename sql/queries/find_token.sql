-- Who holds a token. $1 text its SHA-256 in hexadecimal. No row, or one: id, name, role, tenant_id,
-- expires_at (microseconds of the epoch, or NULL).
-- Index: api_token_hash_key. Locks: the token's row, once a minute and when it is free.
SELECT f.id, f.name, f.role, f.tenant_id,
       (extract(epoch FROM f.expires_at) * 1000000)::bigint AS expires_at
FROM queue.find_token(decode($1::text, 'hex')) f
