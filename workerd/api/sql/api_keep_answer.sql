-- Keeps what a request with an Idempotency-Key was answered.
-- $1 text key hash in hexadecimal, $2 smallint status, $3 text content type, $4 text location or
-- NULL, $5 text body, $6 text the mark of whoever took it. Index: request_key_pkey. Locks: the row.
UPDATE queue.request_key
SET status = $2::smallint, content_type = $3::text, location = $4::text, body = $5::text
WHERE key_hash = decode($1::text, 'hex') AND status IS NULL AND location = $6::text
