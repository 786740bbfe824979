-- breaking: no
-- Encryption at rest: what the database knows of it. It sees neither a key nor a plaintext; it
-- tells sealed payloads from others, refuses the others for encrypted kinds, and counts by key.
-- docs/encryption.md has the envelope.

-- Inlined into the statements that use it.
CREATE FUNCTION queue.is_sealed(content jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
    SELECT jsonb_typeof(content) = 'object'
           AND content ->> 'libqueue.sealed' = '1' AND content ->> 'alg' = 'A256GCM'
           AND content ->> 'kid' ~ '^[a-z0-9][a-z0-9._-]{0,79}$'
           AND content ->> 'nonce' IS NOT NULL AND content ->> 'data' IS NOT NULL
$$;

-- Called by enqueue for kinds that are encrypted.
CREATE FUNCTION queue.check_encrypted(kind text, payload jsonb) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF queue.is_sealed(check_encrypted.payload) IS NOT TRUE THEN
        RAISE EXCEPTION 'payload: expected one that its producer has sealed, as kind % is '
            'encrypted, got plain JSON', check_encrypted.kind
            USING ERRCODE = 'LQ008',
                  HINT = 'Enqueue with a client that has the keys and knows the kind to be '
                         || 'encrypted (encrypted_kinds, qctl enqueue --keyring). What was sent '
                         || 'may stand in the log of this server.';
    END IF;
END
$$;

-- What enqueue compares under an idempotency key. Of a sealed payload its keyed hash, as sealing
-- the same text twice gives two ciphertexts; without one the key alone decides.
CREATE FUNCTION queue.content_of(payload jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE WHEN queue.is_sealed(payload) THEN 'sealed ' || coalesce(payload ->> 'hash', '')
                ELSE payload::text END
$$;

-- Ids for jobs whose payloads are to be sealed for them before they are enqueued.
CREATE FUNCTION queue.draw_job_ids(count integer) RETURNS SETOF bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF draw_job_ids.count IS NULL OR draw_job_ids.count NOT BETWEEN 1 AND 100000 THEN
        RAISE EXCEPTION 'count: expected 1 to 100000, got %',
            coalesce(draw_job_ids.count::text, 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    RETURN QUERY SELECT nextval('queue.job_id_seq')
                 FROM generate_series(1, draw_job_ids.count);
END
$$;

-- Workers switch it on by publishing the kind; off is for a person to say.
CREATE FUNCTION queue.set_encrypted(kind text, encrypted boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF set_encrypted.encrypted IS NULL THEN
        RAISE EXCEPTION 'encrypted: expected true or false, got NULL' USING ERRCODE = 'LQ001';
    END IF;
    UPDATE queue.kind k
    SET encrypted = set_encrypted.encrypted, updated_at = clock_timestamp()
    WHERE k.name = set_encrypted.kind AND k.encrypted <> set_encrypted.encrypted;
    IF NOT FOUND AND NOT EXISTS (SELECT FROM queue.kind k WHERE k.name = set_encrypted.kind) THEN
        RAISE EXCEPTION 'unknown kind %',
            coalesce(quote_literal(left(set_encrypted.kind, 100)), 'NULL')
            USING ERRCODE = 'LQ005',
                  HINT = 'Kinds are published by the first worker that handles them.';
    END IF;
END
$$;

-- How many texts each key is needed for, by where they are; key_id NULL: of encrypted kinds and
-- not sealed. Reads all of history.
CREATE FUNCTION queue.key_usage() RETURNS TABLE (key_id text, source text, texts bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH encrypted_line AS (
        SELECT l.id FROM queue.line l JOIN queue.kind k ON k.name = l.kind WHERE k.encrypted),
    found AS (
        SELECT 'job' AS source, j.payload AS content,
               j.line_id IN (SELECT e.id FROM encrypted_line e) AS encrypted
        FROM queue.job j
        UNION ALL
        SELECT 'output', a.output,
               EXISTS (SELECT FROM queue.job j WHERE j.id = a.job_id
                       AND j.line_id IN (SELECT e.id FROM encrypted_line e))
        FROM queue.attempt a WHERE a.output IS NOT NULL
        UNION ALL
        SELECT 'dead_letter', d.payload,
               d.kind IN (SELECT k.name FROM queue.kind k WHERE k.encrypted)
        FROM queue.dead_letter d)
    SELECT CASE WHEN queue.is_sealed(f.content) THEN f.content ->> 'kid' END, f.source, count(*)
    FROM found f
    WHERE queue.is_sealed(f.content) OR f.encrypted
    GROUP BY 1, 2
    ORDER BY 1 NULLS FIRST, 2
$$;

-- Called by replay for each dead letter. A sealed payload belongs to one job: it can be replayed as
-- that job and not as a new one, which another payload or queue would make it.
CREATE FUNCTION queue.check_replay(job_id bigint, payload jsonb, as_it_is boolean) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF queue.is_sealed(check_replay.payload)
       AND NOT (check_replay.as_it_is
                AND EXISTS (SELECT FROM queue.job j WHERE j.id = check_replay.job_id)) THEN
        RAISE EXCEPTION 'dead letter %: expected a replay as it is, got another payload or queue, '
            'or a job that is gone: its payload is sealed for this job', check_replay.job_id
            USING ERRCODE = 'LQ006',
                  HINT = 'Enqueue the work anew from a client that has the keys, then discard the '
                         || 'dead letter.';
    END IF;
END
$$;

-- Replays one dead letter as a new job that names its ancestor, with a payload sealed for the id
-- drawn for it. NULL: somebody else has taken the letter.
CREATE FUNCTION queue.replay_sealed(
    job_id bigint, new_id bigint, payload jsonb, queue text DEFAULT NULL,
    start_at timestamptz DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    letter record;
BEGIN
    SELECT d.* INTO letter FROM queue.dead_letter d
    WHERE d.job_id = replay_sealed.job_id FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM queue.check_encrypted(letter.kind, replay_sealed.payload);
    DELETE FROM queue.dead_letter d WHERE d.job_id = replay_sealed.job_id;
    RETURN queue.enqueue(letter.kind, replay_sealed.payload,
        queue => coalesce(replay_sealed.queue, letter.queue), priority => letter.priority,
        run_at => replay_sealed.start_at, max_attempts => letter.max_attempts,
        tenant_id => letter.tenant_id,
        meta => coalesce(letter.meta, '{}'::jsonb)
                - ARRAY['batch_id', 'ordering_key', 'concurrency_key', 'key_concurrency',
                        'limit_key', 'cost', 'subject']
                || jsonb_build_object('replay_of', letter.job_id),
        ordering_key => letter.meta ->> 'ordering_key',
        concurrency_key => letter.meta ->> 'concurrency_key',
        key_concurrency => (letter.meta ->> 'key_concurrency')::integer,
        limit_key => letter.meta ->> 'limit_key', cost => (letter.meta ->> 'cost')::integer,
        id => replay_sealed.new_id);
END
$$;
