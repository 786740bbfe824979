-- breaking: no
-- What a run leaves behind while it goes on: log lines, a checkpoint to resume from, and the ledger
-- of its effects on the outside world. docs/job-log.md, docs/effects.md.

-- Append-only. Lines of C++ handlers are numbered from 1 by their worker; those written by
-- queue.log from 1,000,000,001 on, so the two never meet.
CREATE TABLE queue.job_log (
    job_id bigint NOT NULL,
    lease_id bigint NOT NULL,
    line_no integer NOT NULL,
    at timestamptz NOT NULL,
    level text COLLATE "C" NOT NULL,
    message text NOT NULL,
    CONSTRAINT job_log_pkey PRIMARY KEY (job_id, lease_id, line_no),
    CONSTRAINT job_log_level_valid CHECK (level IN ('debug', 'info', 'warning', 'error'))
) WITH (autovacuum_vacuum_insert_scale_factor = 0.5, autovacuum_analyze_scale_factor = 0.5);
COMMENT ON TABLE queue.job_log IS 'What handlers said about their runs; bounded per attempt';

CREATE TABLE queue.checkpoint (
    job_id bigint NOT NULL PRIMARY KEY,
    lease_id bigint NOT NULL,
    at timestamptz NOT NULL,
    data jsonb NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE queue.checkpoint IS 'How far a job has come: what its next attempt goes on from';

-- One row per job and step of what it does to the outside world. 'begun' is written and committed
-- before the call, so that whoever runs the job next knows that the call may have been made.
CREATE TABLE queue.effect (
    job_id bigint NOT NULL,
    step text COLLATE "C" NOT NULL,
    -- Of the job; the zero UUID for none, as in queue.idempotency.
    tenant_id uuid NOT NULL,
    -- What the provider gets as its idempotency key: the same in every attempt.
    key text COLLATE "C" NOT NULL,
    -- The run that wrote the state; the fence of commit and abandon.
    lease_id bigint NOT NULL,
    state text COLLATE "C" NOT NULL,
    begun_at timestamptz NOT NULL,
    ended_at timestamptz,
    result jsonb,
    CONSTRAINT effect_pkey PRIMARY KEY (job_id, step),
    CONSTRAINT effect_state_valid CHECK (state IN ('begun', 'committed', 'abandoned')),
    CONSTRAINT effect_ended_unless_begun CHECK ((state = 'begun') = (ended_at IS NULL))
) WITH (fillfactor = 70);
-- Two jobs must not do one business effect: whoever is second waits for the first to commit its
-- 'begun' and then finds it.
CREATE UNIQUE INDEX effect_key_idx ON queue.effect (tenant_id, key) WHERE state <> 'abandoned';
COMMENT ON TABLE queue.effect IS 'The ledger of effects on the outside world, by job and step';

CREATE FUNCTION queue.log(
    job_id bigint, lease_id bigint, message text, level text DEFAULT 'info') RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    base CONSTANT integer := 1000000000;
    most_lines CONSTANT integer := 1000;
    most_bytes CONSTANT integer := 262144;
    line_bytes CONSTANT integer := 4096;
    text_kept text := coalesce(log.message, '');
    lines integer;
    bytes bigint;
    dropped integer;
BEGIN
    IF log.level IS NULL OR log.level NOT IN ('debug', 'info', 'warning', 'error') THEN
        RAISE EXCEPTION 'level: expected debug, info, warning or error, got %',
            coalesce(quote_literal(left(log.level, 100)), 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    PERFORM queue.assert_lease(log.job_id, log.lease_id);
    IF octet_length(text_kept) > line_bytes THEN
        -- By characters, of which none has more than 4 bytes.
        text_kept := left(text_kept, line_bytes / 4);
    END IF;
    LOOP
        SELECT count(*), coalesce(sum(octet_length(l.message)), 0) INTO lines, bytes
        FROM queue.job_log l
        WHERE l.job_id = log.job_id AND l.lease_id = log.lease_id AND l.line_no > base;
        IF lines >= most_lines OR bytes + octet_length(text_kept) > most_bytes THEN
            -- One more row says how many were dropped.
            dropped := base + most_lines + 1;
            INSERT INTO queue.job_log AS l (job_id, lease_id, line_no, at, level, message)
            VALUES (log.job_id, log.lease_id, dropped, clock_timestamp(), 'warning',
                    '1 more lines were dropped')
            ON CONFLICT (job_id, lease_id, line_no) DO UPDATE
            SET message = (split_part(l.message, ' ', 1)::bigint + 1) || ' more lines were dropped';
            RETURN;
        END IF;
        INSERT INTO queue.job_log (job_id, lease_id, line_no, at, level, message)
        VALUES (log.job_id, log.lease_id, base + lines + 1, clock_timestamp(), log.level, text_kept)
        ON CONFLICT DO NOTHING;
        -- Else another session wrote this line's number meanwhile.
        EXIT WHEN FOUND;
    END LOOP;
END
$$;
COMMENT ON FUNCTION queue.log IS
    'A line about the run that holds this lease; at most 1,000 lines and 256 KiB per attempt.';

CREATE VIEW queue.job_logs WITH (security_invoker = true) AS
SELECT g.job_id,
       coalesce(a.attempt, s.attempts[array_position(s.job_ids, g.job_id)] + 1)::integer AS attempt,
       g.lease_id,
       g.line_no,
       g.at,
       g.level,
       g.message
FROM queue.job_log g
LEFT JOIN queue.attempt a ON a.job_id = g.job_id AND a.lease_id = g.lease_id
LEFT JOIN queue.lease s ON s.id = g.lease_id AND a.job_id IS NULL;
COMMENT ON VIEW queue.job_logs IS 'Log lines with the attempt they are of';

CREATE FUNCTION queue.checkpoint(job_id bigint, lease_id bigint, data jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF checkpoint.data IS NULL OR octet_length(checkpoint.data::text) > 65536 THEN
        RAISE EXCEPTION 'data: expected JSON of at most 64 KiB, got %',
            coalesce(octet_length(checkpoint.data::text) || ' bytes', 'NULL')
            USING ERRCODE = 'LQ001',
                  HINT = 'Store large data elsewhere and keep a reference to it.';
    END IF;
    PERFORM queue.assert_lease(checkpoint.job_id, checkpoint.lease_id);
    PERFORM queue.commit_durably();
    INSERT INTO queue.checkpoint AS c (job_id, lease_id, at, data)
    VALUES (checkpoint.job_id, checkpoint.lease_id, clock_timestamp(), checkpoint.data)
    ON CONFLICT (job_id) DO UPDATE
    SET lease_id = excluded.lease_id, at = excluded.at, data = excluded.data;
END
$$;
COMMENT ON FUNCTION queue.checkpoint IS
    'How far the run that holds this lease has come; LQ007 when the lease is lost.';

CREATE FUNCTION queue.last_checkpoint(job_id bigint) RETURNS jsonb
STABLE LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.data FROM queue.checkpoint c WHERE c.job_id = last_checkpoint.job_id
$$;
COMMENT ON FUNCTION queue.last_checkpoint IS 'NULL when the job has none.';

-- What a server that forgets the last commits in a crash must not forget. Stronger settings stay.
CREATE FUNCTION queue.commit_durably() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
END
$$;

CREATE FUNCTION queue.check_step(step text, key text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF step IS NULL OR step !~ '^[A-Za-z0-9_.-]{1,64}$' THEN
        RAISE EXCEPTION 'step: expected 1 to 64 of A-Z a-z 0-9 _ . -, got %',
            coalesce(quote_literal(left(step, 100)), 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    IF octet_length(key) NOT BETWEEN 1 AND 600 THEN
        RAISE EXCEPTION 'key: expected 1 to 600 bytes, got %', octet_length(key)
            USING ERRCODE = 'LQ001';
    END IF;
END
$$;

-- Says before the call that it is about to be made. COMMIT, then call the provider. What it says:
--   begun      make the call, with idempotency_key, then effect_commit or effect_abandon
--   committed  it has happened (in an earlier attempt, or in another job under the same key);
--              result is what it gave
--   unknown    an earlier call of effect_begin was never answered: find out first (effect_resolve)
CREATE FUNCTION queue.effect_begin(
    job_id bigint, lease_id bigint, step text, key text DEFAULT NULL)
RETURNS TABLE (state text, idempotency_key text, result jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    wanted text;
    tenant uuid;
    own queue.effect;
    other queue.effect;
BEGIN
    PERFORM queue.check_step(effect_begin.step, effect_begin.key);
    PERFORM queue.assert_lease(effect_begin.job_id, effect_begin.lease_id);
    PERFORM queue.commit_durably();
    SELECT coalesce(effect_begin.key,
                    coalesce(j.meta ->> 'idempotency_key', 'job:' || j.id)
                    || ':' || effect_begin.step),
           coalesce(j.tenant_id, '00000000-0000-0000-0000-000000000000')
    INTO wanted, tenant
    FROM queue.job j WHERE j.id = effect_begin.job_id;
    SELECT e.* INTO own FROM queue.effect e
    WHERE e.job_id = effect_begin.job_id AND e.step = effect_begin.step
    FOR UPDATE;
    IF FOUND AND own.state <> 'abandoned' THEN
        IF effect_begin.key IS NOT NULL AND effect_begin.key <> own.key THEN
            RAISE EXCEPTION 'key: expected % as when step % was begun, got %',
                quote_literal(own.key), own.step, quote_literal(effect_begin.key)
                USING ERRCODE = 'LQ004',
                      HINT = 'A key must be the same in every attempt: nothing random, no times.';
        END IF;
        RETURN QUERY SELECT CASE own.state WHEN 'begun' THEN 'unknown' ELSE own.state END,
                            own.key, own.result;
        RETURN;
    END IF;
    -- Waits for whoever writes the same key at this moment.
    INSERT INTO queue.effect AS e (job_id, step, tenant_id, key, lease_id, state, begun_at)
    SELECT effect_begin.job_id, effect_begin.step, tenant, wanted, effect_begin.lease_id, 'begun',
           clock_timestamp()
    WHERE own.job_id IS NULL
    ON CONFLICT DO NOTHING;
    IF NOT FOUND AND own.job_id IS NOT NULL THEN
        BEGIN
            UPDATE queue.effect e
            SET key = wanted, lease_id = effect_begin.lease_id, state = 'begun', result = NULL,
                begun_at = clock_timestamp(), ended_at = NULL
            WHERE e.job_id = effect_begin.job_id AND e.step = effect_begin.step;
        EXCEPTION WHEN unique_violation THEN
            NULL;  -- Another job's: FOUND is false below.
        END;
    END IF;
    IF FOUND THEN
        RETURN QUERY SELECT 'begun', wanted, NULL::jsonb;
        RETURN;
    END IF;
    SELECT e.* INTO other FROM queue.effect e
    WHERE e.tenant_id = tenant AND e.key = wanted AND e.state <> 'abandoned';
    IF other.state = 'committed' THEN
        RETURN QUERY SELECT other.state, other.key, other.result;
        RETURN;
    END IF;
    RAISE EXCEPTION 'key % is in use by step % of job %, which has begun and not ended',
        quote_literal(wanted), coalesce(other.step, '?'), coalesce(other.job_id::text, '?')
        USING ERRCODE = 'LQ006',
              HINT = 'Run again when that job has ended; queue.effect_resolve ends it by hand.';
END
$$;
COMMENT ON FUNCTION queue.effect_begin IS
    'Before an effect on the outside world: begun (call), committed (done), unknown (find out).';

-- Not fenced by the lease but by the ledger: that the effect happened stays true when the lease is
-- lost, as long as nobody else has decided about it.
CREATE FUNCTION queue.effect_end(
    job_id bigint, lease_id bigint, step text, state text, result jsonb) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    own queue.effect;
BEGIN
    PERFORM queue.check_step(effect_end.step);
    PERFORM queue.commit_durably();
    SELECT e.* INTO own FROM queue.effect e
    WHERE e.job_id = effect_end.job_id AND e.step = effect_end.step
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'step % of job % was never begun', effect_end.step, effect_end.job_id
            USING ERRCODE = 'LQ005';
    END IF;
    IF own.lease_id IS DISTINCT FROM effect_end.lease_id THEN
        RAISE EXCEPTION 'step % of job % is no longer this run''s (lease %)', own.step, own.job_id,
            effect_end.lease_id USING ERRCODE = 'LQ007';
    END IF;
    IF own.state = effect_end.state THEN
        RETURN;  -- Said twice: the first answer may have been lost.
    END IF;
    IF own.state <> 'begun' THEN
        RAISE EXCEPTION 'step % of job %: expected begun, it is %', own.step, own.job_id, own.state
            USING ERRCODE = 'LQ006';
    END IF;
    UPDATE queue.effect e
    SET state = effect_end.state, result = effect_end.result, ended_at = clock_timestamp()
    WHERE e.job_id = own.job_id AND e.step = own.step;
END
$$;

CREATE FUNCTION queue.effect_commit(
    job_id bigint, lease_id bigint, step text, result jsonb DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF octet_length(effect_commit.result::text) > 65536 THEN
        RAISE EXCEPTION 'result: expected JSON of at most 64 KiB, got % bytes',
            octet_length(effect_commit.result::text) USING ERRCODE = 'LQ001';
    END IF;
    PERFORM queue.effect_end(effect_commit.job_id, effect_commit.lease_id, effect_commit.step,
                             'committed', effect_commit.result);
END
$$;
COMMENT ON FUNCTION queue.effect_commit IS
    'The effect happened; result is given to later attempts.';

CREATE FUNCTION queue.effect_abandon(job_id bigint, lease_id bigint, step text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM queue.effect_end(effect_abandon.job_id, effect_abandon.lease_id, effect_abandon.step,
                             'abandoned', NULL);
END
$$;
COMMENT ON FUNCTION queue.effect_abandon IS
    'The effect surely did not happen, as when the connection was refused: it may be begun again.';

-- What became of an open effect, said by who found out: a run of the job (the reconcile handler's),
-- or with lease_id NULL an operator, while nobody runs the job.
CREATE FUNCTION queue.effect_resolve(
    job_id bigint, lease_id bigint, step text, happened boolean, result jsonb DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    own queue.effect;
    outcome text := CASE WHEN effect_resolve.happened THEN 'committed' ELSE 'abandoned' END;
BEGIN
    PERFORM queue.check_step(effect_resolve.step);
    IF effect_resolve.happened IS NULL THEN
        RAISE EXCEPTION 'happened: expected true or false, got NULL' USING ERRCODE = 'LQ001';
    END IF;
    IF octet_length(effect_resolve.result::text) > 65536 THEN
        RAISE EXCEPTION 'result: expected JSON of at most 64 KiB, got % bytes',
            octet_length(effect_resolve.result::text) USING ERRCODE = 'LQ001';
    END IF;
    IF effect_resolve.lease_id IS NOT NULL THEN
        PERFORM queue.assert_lease(effect_resolve.job_id, effect_resolve.lease_id);
    ELSIF (SELECT j.state FROM queue.jobs j WHERE j.id = effect_resolve.job_id) = 'running' THEN
        RAISE EXCEPTION 'job % is running: expected nobody at it', effect_resolve.job_id
            USING ERRCODE = 'LQ006', HINT = 'Pause its queue, or cancel it, and wait for its end.';
    END IF;
    PERFORM queue.commit_durably();
    SELECT e.* INTO own FROM queue.effect e
    WHERE e.job_id = effect_resolve.job_id AND e.step = effect_resolve.step
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'step % of job % was never begun', effect_resolve.step,
            effect_resolve.job_id USING ERRCODE = 'LQ005';
    END IF;
    IF own.state = outcome THEN
        RETURN;  -- The run that began it got its answer after all, and it is the same.
    END IF;
    IF own.state <> 'begun' THEN
        RAISE EXCEPTION 'step % of job %: expected begun, it is %', own.step, own.job_id, own.state
            USING ERRCODE = 'LQ006';
    END IF;
    UPDATE queue.effect e
    SET state = outcome, result = CASE WHEN effect_resolve.happened THEN effect_resolve.result END,
        lease_id = coalesce(effect_resolve.lease_id, e.lease_id), ended_at = clock_timestamp()
    WHERE e.job_id = own.job_id AND e.step = own.step;
END
$$;
COMMENT ON FUNCTION queue.effect_resolve IS
    'What became of an effect that was begun and never answered.';

-- TRUE while some effect of the job may have happened and nobody knows. Internal.
CREATE FUNCTION queue.has_open_effect(job_id bigint) RETURNS boolean
STABLE LANGUAGE sql
AS $$
    SELECT EXISTS (SELECT FROM queue.effect e
                   WHERE e.job_id = has_open_effect.job_id AND e.state = 'begun')
$$;

CREATE VIEW queue.effects WITH (security_invoker = true) AS
SELECT e.job_id, e.step, e.state, e.key, nullif(e.tenant_id, '00000000-0000-0000-0000-000000000000')
           AS tenant_id,
       e.lease_id, e.begun_at, e.ended_at, e.result
FROM queue.effect e;
COMMENT ON VIEW queue.effects IS 'Effects on the outside world: begun, committed or abandoned';

-- Removes what hangs on these jobs, which are on their way out. Each table is first asked whether
-- it has anything between the least and the greatest id, so that plain jobs cost a probe per call
-- and not one each. Internal.
CREATE FUNCTION queue.forget_jobs(ids bigint[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    low bigint;
    high bigint;
BEGIN
    SELECT min(i), max(i) INTO low, high FROM unnest(forget_jobs.ids) i;
    IF EXISTS (SELECT FROM queue.progress p WHERE p.job_id BETWEEN low AND high) THEN
        DELETE FROM queue.progress p WHERE p.job_id = ANY (forget_jobs.ids);
    END IF;
    IF EXISTS (SELECT FROM queue.cancel_request c WHERE c.job_id BETWEEN low AND high) THEN
        DELETE FROM queue.cancel_request c WHERE c.job_id = ANY (forget_jobs.ids);
    END IF;
    IF EXISTS (SELECT FROM queue.job_log l WHERE l.job_id BETWEEN low AND high) THEN
        DELETE FROM queue.job_log l WHERE l.job_id = ANY (forget_jobs.ids);
    END IF;
    IF EXISTS (SELECT FROM queue.checkpoint c WHERE c.job_id BETWEEN low AND high) THEN
        DELETE FROM queue.checkpoint c WHERE c.job_id = ANY (forget_jobs.ids);
    END IF;
    IF EXISTS (SELECT FROM queue.effect e WHERE e.job_id BETWEEN low AND high) THEN
        DELETE FROM queue.effect e WHERE e.job_id = ANY (forget_jobs.ids);
    END IF;
END
$$;
