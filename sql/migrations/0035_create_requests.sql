-- breaking: no
-- What the HTTP API remembers: requests that came with an Idempotency-Key and what they were
-- answered, and JWTs that were revoked before their end. See docs/api.md and docs/auth.md.

-- One row per key for a day. `key_hash` is the SHA-256 of tenant, actor and key: one caller's keys
-- are nobody else's, and the key itself, which may say something, is not kept.
CREATE TABLE queue.request_key (
    key_hash bytea NOT NULL PRIMARY KEY,
    tenant_id uuid,
    -- Of method, path, query and body: the same key with another request is a mistake.
    request_hash bytea NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- NULL: nobody has answered yet, or the one who did not live to.
    status smallint,
    content_type text,
    location text,
    body text,
    CONSTRAINT request_key_hashes_valid CHECK (octet_length(key_hash) = 32
                                               AND octet_length(request_hash) = 32),
    CONSTRAINT request_key_answer_valid CHECK ((status IS NULL) = (body IS NULL))
);
CREATE INDEX request_key_taken_idx ON queue.request_key (taken_at);
COMMENT ON TABLE queue.request_key IS 'Requests with an Idempotency-Key and their answers';

-- By the SHA-256 of issuer and `jti`, until the token would have ended anyway.
CREATE TABLE queue.revoked_jwt (
    jti_hash bytea NOT NULL PRIMARY KEY,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT revoked_jwt_hash_valid CHECK (octet_length(jti_hash) = 32)
);
CREATE INDEX revoked_jwt_expires_idx ON queue.revoked_jwt (expires_at);
COMMENT ON TABLE queue.revoked_jwt IS 'JWTs that are not accepted although they have not ended';

-- Revokes a JWT; again is no change, but the later end counts.
CREATE FUNCTION queue.revoke_jwt(jti_hash bytea, expires_at timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
INSERT INTO queue.revoked_jwt AS r (jti_hash, expires_at)
VALUES (revoke_jwt.jti_hash, revoke_jwt.expires_at)
ON CONFLICT ON CONSTRAINT revoked_jwt_pkey
DO UPDATE SET expires_at = greatest(r.expires_at, excluded.expires_at)
$$;

-- Removes at most so many rows of each that nobody needs any more; returns how many.
CREATE FUNCTION queue.prune_requests(most integer) RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
WITH keys AS (
    DELETE FROM queue.request_key k
    WHERE k.key_hash IN (SELECT o.key_hash FROM queue.request_key o
                         WHERE o.taken_at < clock_timestamp() - interval '24 hours'
                         ORDER BY o.taken_at LIMIT most FOR UPDATE SKIP LOCKED)
    RETURNING 1),
tokens AS (
    DELETE FROM queue.revoked_jwt r
    WHERE r.jti_hash IN (SELECT o.jti_hash FROM queue.revoked_jwt o
                         WHERE o.expires_at < clock_timestamp() - interval '1 hour'
                         ORDER BY o.expires_at LIMIT most FOR UPDATE SKIP LOCKED)
    RETURNING 1)
SELECT (SELECT count(*) FROM keys) + (SELECT count(*) FROM tokens)
$$;

SELECT queue.protect('queue.request_key', NULL);
SELECT queue.protect('queue.revoked_jwt', NULL);
SELECT queue.allow('operator', 'queue.revoke_jwt');
SELECT queue.apply_rights();
