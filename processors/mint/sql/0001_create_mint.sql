-- breaking: no
--
-- What has been minted, and which transactions were signed for it. A mint is found by tenant and
-- business key, so that a second job of the same key goes on where the first one stopped. A signed
-- transaction is written here, bytes and all, before it is sent: whoever comes next sends the same
-- bytes again instead of signing others. At most one attempt of a mint is open at a time, which an
-- index enforces, also among workers that do not know of each other.

CREATE TABLE mint.mint (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',  -- all zero: none
    business_key text COLLATE "C" NOT NULL,
    job_id bigint NOT NULL,                   -- which asked for it last
    strategy text COLLATE "C" NOT NULL,
    fingerprint text COLLATE "C" NOT NULL,    -- SHA-256 of what is to be minted for whom
    payer text COLLATE "C" NOT NULL,
    address text COLLATE "C" NOT NULL,        -- of the mint account; of the ticket at the service
    recipient text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL DEFAULT 'open',
    output jsonb,
    error text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    CONSTRAINT mint_pkey PRIMARY KEY (id),
    CONSTRAINT mint_key_unique UNIQUE (tenant_id, business_key),
    CONSTRAINT mint_state_known CHECK (state IN ('open', 'minted', 'failed')),
    CONSTRAINT mint_ended CHECK ((state = 'open') = (ended_at IS NULL)),
    CONSTRAINT mint_key_fits CHECK (octet_length(business_key) BETWEEN 1 AND 480)
);
CREATE INDEX mint_ended_index ON mint.mint (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE mint.attempt (
    signature text COLLATE "C" NOT NULL,      -- base58; also the id of the transaction
    mint_id bigint NOT NULL,
    job_id bigint NOT NULL,
    transaction bytea NOT NULL,               -- signed, as it is sent
    last_valid_height bigint NOT NULL,        -- the last block it can be in
    state text COLLATE "C" NOT NULL DEFAULT 'open',
    error text,
    signed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    CONSTRAINT attempt_pkey PRIMARY KEY (signature),
    CONSTRAINT attempt_mint_fkey FOREIGN KEY (mint_id) REFERENCES mint.mint ON DELETE CASCADE,
    CONSTRAINT attempt_state_known
        CHECK (state IN ('open', 'landed', 'expired', 'failed', 'refused')),
    CONSTRAINT attempt_ended CHECK ((state = 'open') = (ended_at IS NULL))
);
CREATE INDEX attempt_mint_index ON mint.attempt (mint_id);
CREATE UNIQUE INDEX attempt_open_index ON mint.attempt (mint_id) WHERE state = 'open';

CREATE TABLE mint.wallet (
    address text COLLATE "C" NOT NULL,
    lamports bigint NOT NULL,
    seen_at timestamptz NOT NULL,
    CONSTRAINT wallet_pkey PRIMARY KEY (address)
);
COMMENT ON TABLE mint.wallet IS 'What a paying wallet held when a mint last looked.';

CREATE VIEW mint.mints AS
SELECT m.id, nullif(m.tenant_id, '00000000-0000-0000-0000-000000000000') AS tenant_id,
       m.business_key, m.job_id, m.strategy, m.state, m.address, m.recipient, m.error,
       m.created_at, m.ended_at,
       (SELECT count(*) FROM mint.attempt a WHERE a.mint_id = m.id) AS attempts,
       (SELECT a.signature FROM mint.attempt a WHERE a.mint_id = m.id
        ORDER BY a.signed_at DESC LIMIT 1) AS signature
FROM mint.mint m;

-- The mint of a key, made when it is not there. What is to be minted is taken over from this job as
-- long as nothing is minted and nothing that was signed can still land; else the caller is told
-- what the first one wanted.
CREATE FUNCTION mint.open(
    business_key text, tenant_id uuid, job_id bigint, strategy text, fingerprint text, payer text,
    address text, recipient text)
RETURNS TABLE (state text, output jsonb, wanted_fingerprint text, wanted_payer text,
               signature text, last_valid_height bigint, transaction text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    tenant uuid := coalesce(open.tenant_id, '00000000-0000-0000-0000-000000000000');
    found mint.mint;
    under_way mint.attempt;
BEGIN
    INSERT INTO mint.mint AS m (tenant_id, business_key, job_id, strategy, fingerprint, payer,
                                address, recipient)
    VALUES (tenant, open.business_key, open.job_id, open.strategy, open.fingerprint, open.payer,
            open.address, open.recipient)
    ON CONFLICT ON CONSTRAINT mint_key_unique DO NOTHING
    RETURNING m.* INTO found;
    IF found.id IS NULL THEN
        SELECT m.* INTO STRICT found FROM mint.mint m
        WHERE m.tenant_id = tenant AND m.business_key = open.business_key FOR UPDATE;
        SELECT a.* INTO under_way FROM mint.attempt a
        WHERE a.mint_id = found.id AND a.state = 'open';
        IF found.state <> 'minted' AND under_way.signature IS NULL THEN
            UPDATE mint.mint m
            SET job_id = open.job_id, strategy = open.strategy, fingerprint = open.fingerprint,
                payer = open.payer, address = open.address, recipient = open.recipient,
                state = 'open', error = NULL, ended_at = NULL
            WHERE m.id = found.id RETURNING m.* INTO found;
        END IF;
    END IF;
    RETURN QUERY SELECT found.state, found.output, found.fingerprint, found.payer,
        under_way.signature, under_way.last_valid_height,
        translate(encode(under_way.transaction, 'base64'), E'\n', '');
END
$$;
COMMENT ON FUNCTION mint.open IS
    'The mint of a business key and the transaction that is under way for it, if there is one.';

-- Before a signed transaction is sent. Durable when it returns, whatever the session commits like.
-- LQ006: another transaction is under way or the mint has ended. LQ007: the lease is lost.
CREATE FUNCTION mint.add_attempt(
    business_key text, tenant_id uuid, job_id bigint, lease_id bigint, payer text, signature text,
    last_valid_height bigint, transaction text, lamports bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    found mint.mint;
BEGIN
    PERFORM queue.assert_lease(add_attempt.job_id, add_attempt.lease_id);
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    SELECT m.* INTO found FROM mint.mint m
    WHERE m.tenant_id = coalesce(add_attempt.tenant_id, '00000000-0000-0000-0000-000000000000')
      AND m.business_key = add_attempt.business_key FOR UPDATE;
    IF found.id IS NULL OR found.state <> 'open' OR found.payer <> add_attempt.payer THEN
        RAISE EXCEPTION 'the mint is not open for this wallet: it is %',
            coalesce(found.state, 'unknown') USING ERRCODE = 'LQ006';
    END IF;
    INSERT INTO mint.attempt (signature, mint_id, job_id, transaction, last_valid_height)
    VALUES (add_attempt.signature, found.id, add_attempt.job_id,
            decode(add_attempt.transaction, 'base64'), add_attempt.last_valid_height);
    INSERT INTO mint.wallet AS w (address, lamports, seen_at)
    VALUES (add_attempt.payer, add_attempt.lamports, clock_timestamp())
    ON CONFLICT ON CONSTRAINT wallet_pkey DO UPDATE
    SET lamports = excluded.lamports, seen_at = excluded.seen_at;
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'another transaction of this mint is under way' USING ERRCODE = 'LQ006';
END
$$;
COMMENT ON FUNCTION mint.add_attempt IS
    'Keeps a signed transaction before it is sent; LQ006 while another one may still land.';

-- The transaction can no longer land: `expired`, `failed` on the chain, or `refused` unsent. Said
-- twice it is the same.
CREATE FUNCTION mint.end_attempt(signature text, state text, error text DEFAULT NULL) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE mint.attempt a
    SET state = end_attempt.state, error = end_attempt.error, ended_at = clock_timestamp()
    WHERE a.signature = end_attempt.signature AND a.state = 'open'
$$;

-- In the transaction that completes the job.
CREATE FUNCTION mint.complete(business_key text, tenant_id uuid, output jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    ended bigint;
BEGIN
    UPDATE mint.mint m
    SET state = 'minted', output = complete.output, error = NULL, ended_at = clock_timestamp()
    WHERE m.tenant_id = coalesce(complete.tenant_id, '00000000-0000-0000-0000-000000000000')
      AND m.business_key = complete.business_key AND m.state <> 'minted'
    RETURNING m.id INTO ended;
    UPDATE mint.attempt a SET state = 'landed', ended_at = clock_timestamp()
    WHERE a.mint_id = ended AND a.state = 'open';
END
$$;

-- In the transaction that discards the job. What was minted stays minted.
CREATE FUNCTION mint.fail(business_key text, tenant_id uuid, job_id bigint, error text)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE mint.mint m
    SET state = 'failed', error = fail.error, ended_at = clock_timestamp()
    WHERE m.tenant_id = coalesce(fail.tenant_id, '00000000-0000-0000-0000-000000000000')
      AND m.business_key = fail.business_key AND m.job_id = fail.job_id AND m.state = 'open'
$$;

-- Called by whoever keeps the records, from a schedule or by hand; at most `most` mints per call.
-- Forgetting a mint makes no second one possible: the address on the chain stays taken.
CREATE FUNCTION mint.prune(older_than interval DEFAULT '365 days', most integer DEFAULT 10000)
RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH old AS (
        SELECT m.id FROM mint.mint m
        WHERE m.ended_at < clock_timestamp() - prune.older_than
          AND NOT EXISTS (SELECT FROM mint.attempt a WHERE a.mint_id = m.id AND a.state = 'open')
        ORDER BY m.ended_at LIMIT prune.most
    ), gone AS (
        DELETE FROM mint.mint m USING old WHERE m.id = old.id RETURNING m.id
    )
    SELECT count(*)::integer FROM gone
$$;
COMMENT ON FUNCTION mint.prune IS 'Forgets mints that ended long ago; returns how many.';
