-- Takes an Idempotency-Key for a request, or says what became of it before.
-- $1 text SHA-256 of tenant, actor and key in hexadecimal, $2 uuid tenant or NULL, $3 text SHA-256
-- of the request, $4 text a mark of whoever takes it, which stands where the location will: a
-- statement whose answer was lost is sent again and finds its own row. One row: taken; else
-- same_request, status (NULL: not answered yet), content_type, location, body. No row: it was given
-- back at this moment; ask again.
-- Index: request_key_pkey. Locks: the row made.
WITH made AS (
    INSERT INTO queue.request_key (key_hash, tenant_id, request_hash, location)
    VALUES (decode($1::text, 'hex'), $2::uuid, decode($3::text, 'hex'), $4::text)
    ON CONFLICT DO NOTHING
    RETURNING 1)
SELECT true AS taken, true AS same_request, NULL::smallint AS status, NULL::text AS content_type,
       NULL::text AS location, NULL::text AS body
FROM made
UNION ALL
SELECT k.status IS NULL AND coalesce(k.location = $4::text, false),
       k.request_hash = decode($3::text, 'hex'), k.status, k.content_type, k.location, k.body
FROM queue.request_key k
WHERE k.key_hash = decode($1::text, 'hex') AND NOT EXISTS (SELECT FROM made)
