-- An API token by its hash. $1 text the SHA-256 in hexadecimal, $2 text role, $3 uuid tenant or
-- NULL, $4 text name, $5 bigint seconds it lives or NULL. One row: id, expires_at (microseconds of
-- the epoch, or NULL).
-- Index: api_token_hash_key. Locks: its new row; the head of the audit.
SELECT c.id, (extract(epoch FROM c.expires_at) * 1000000)::bigint AS expires_at
FROM queue.create_token(decode($1::text, 'hex'), $2::text, $3::uuid, $4::text,
                        make_interval(secs => $5::bigint)) c
