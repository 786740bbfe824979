-- Frees an Idempotency-Key whose request did nothing. $1 text key hash in hexadecimal, $2 text the
-- mark of whoever took it.
-- Index: request_key_pkey. Locks: the row.
DELETE FROM queue.request_key
WHERE key_hash = decode($1::text, 'hex') AND status IS NULL AND location = $2::text
