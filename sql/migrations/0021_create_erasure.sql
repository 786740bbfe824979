-- breaking: no
-- Erasing what jobs hold of one subject (a person, as a rule): docs/erasure.md.

-- What was erased when: the proof that a request was answered, without what was erased.
CREATE TABLE queue.erasure (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asked_at timestamptz NOT NULL,
    -- NULL: jobs that ran when it was asked for are not erased yet.
    finished_at timestamptz,
    asked_by text NOT NULL,
    tenant_id uuid,
    subject_hash bytea NOT NULL,
    reason text,
    jobs bigint NOT NULL DEFAULT 0,
    attempts bigint NOT NULL DEFAULT 0,
    dead_letters bigint NOT NULL DEFAULT 0,
    archived bigint NOT NULL DEFAULT 0,
    keys bigint NOT NULL DEFAULT 0,
    cancelled bigint NOT NULL DEFAULT 0
);

-- Jobs to be erased when they end.
CREATE TABLE queue.erasure_pending (
    job_id bigint NOT NULL,
    erasure_id bigint NOT NULL,
    tried_at timestamptz NOT NULL,
    CONSTRAINT erasure_pending_pkey PRIMARY KEY (job_id, erasure_id)
);

CREATE VIEW queue.erasures WITH (security_invoker = true) AS
SELECT e.id, e.asked_at, e.finished_at, e.asked_by, e.tenant_id,
       encode(e.subject_hash, 'hex') AS subject_hash, e.reason, e.jobs, e.attempts,
       e.dead_letters, e.archived, e.keys, e.cancelled,
       (SELECT count(*) FROM queue.erasure_pending p WHERE p.erasure_id = e.id) AS running
FROM queue.erasure e;
COMMENT ON VIEW queue.erasures IS 'Which erasures were asked for and what they took';

CREATE FUNCTION queue.subject_hash(subject text, tenant_id uuid) RETURNS bytea
LANGUAGE plpgsql
AS $$
BEGIN
    IF subject_hash.subject IS NULL OR octet_length(subject_hash.subject) NOT BETWEEN 1 AND 512 THEN
        RAISE EXCEPTION 'subject: expected 1 to 512 bytes, got %',
            coalesce(octet_length(subject_hash.subject)::text, 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    -- A tenant's subjects are its own, whatever others call theirs.
    RETURN sha256(convert_to(coalesce(subject_hash.tenant_id::text, '') || ' '
                             || subject_hash.subject, 'UTF8'));
END
$$;

-- Remembers that the jobs hold data of the subject. Enqueue calls it where a subject is given; for
-- further subjects of a job, or of jobs that were enqueued without, call it too.
CREATE FUNCTION queue.note_subject(subject text, tenant_id uuid, job_ids bigint[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    hash bytea := queue.subject_hash(note_subject.subject, note_subject.tenant_id);
BEGIN
    INSERT INTO queue.subject (job_id, subject_hash)
    SELECT u.id, hash FROM unnest(note_subject.job_ids) u (id) WHERE u.id IS NOT NULL
    ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION queue.note_subject IS
    'The jobs hold data of this subject: queue.erase finds them by it.';

-- What an erased job keeps of its meta: what others count on and no person wrote.
CREATE FUNCTION queue.erased_meta(meta jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN (SELECT jsonb_object_agg(m.key, m.value) FROM jsonb_each(meta) m
        WHERE m.key IN ('batch_id', 'replay_of', 'schedule', 'slot'));

-- Cancels those of the jobs that wait and erases what they and all others hold but those that run,
-- which are told to stop. Locks are taken as retry and retention take them: the job, then its
-- letter. Internal.
CREATE FUNCTION queue.erase_jobs(
    ids bigint[], OUT jobs bigint, OUT attempts bigint, OUT dead_letters bigint,
    OUT archived bigint, OUT keys bigint, OUT cancelled bigint, OUT running bigint[])
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    held bigint[];
    one record;
    more bigint;
    blank CONSTANT jsonb := '{"erased": true}';
BEGIN
    running := '{}';
    cancelled := 0;
    held := ARRAY(SELECT j.id FROM queue.job j WHERE j.id = ANY (erase_jobs.ids)
                  ORDER BY j.id FOR UPDATE);
    PERFORM FROM queue.dead_letter d WHERE d.job_id = ANY (held) ORDER BY d.job_id FOR UPDATE;
    FOR one IN SELECT x.id FROM queue.jobs x
               WHERE x.id = ANY (held) AND x.state NOT IN ('completed', 'cancelled', 'dead')
    LOOP
        BEGIN
            IF queue.cancel(one.id, 'erased') THEN
                cancelled := cancelled + 1;
            ELSE
                running := running || one.id;
            END IF;
        EXCEPTION WHEN SQLSTATE 'LQ006' THEN
            -- It has ended since.
            NULL;
        END;
    END LOOP;
    held := ARRAY(SELECT u.id FROM unnest(held) u (id) WHERE u.id <> ALL (running));
    -- Those that meta names, before it is erased; a key that has since come to stand for another
    -- job is left.
    DELETE FROM queue.idempotency i
    USING (SELECT j.id, j.tenant_id, j.meta FROM queue.job j
           WHERE j.id = ANY (held) AND j.meta ? 'idempotency_key' OFFSET 0) j
    WHERE i.tenant_id = coalesce(j.tenant_id, '00000000-0000-0000-0000-000000000000')
      AND i.key = j.meta ->> 'idempotency_key' AND i.job_id = j.id;
    GET DIAGNOSTICS keys = ROW_COUNT;
    -- There is nothing left that could be replayed.
    DELETE FROM queue.dead_letter d WHERE d.job_id = ANY (held);
    GET DIAGNOSTICS dead_letters = ROW_COUNT;
    PERFORM queue.forget_jobs(held);
    UPDATE queue.attempt a
    SET error = CASE WHEN a.error IS NOT NULL THEN 'erased' END,
        output = CASE WHEN a.output IS NOT NULL THEN blank END
    WHERE a.job_id = ANY (held);
    GET DIAGNOSTICS attempts = ROW_COUNT;
    UPDATE queue.job j SET payload = blank, meta = queue.erased_meta(j.meta)
    WHERE j.id = ANY (held);
    GET DIAGNOSTICS jobs = ROW_COUNT;
    -- After the jobs: one that went to its archive while we waited for its lock is found here.
    DELETE FROM queue.idempotency i
    USING (SELECT a.id, a.tenant_id, a.meta FROM queue.archived_job a
           WHERE a.id = ANY (erase_jobs.ids) AND a.meta ? 'idempotency_key' OFFSET 0) a
    WHERE i.tenant_id = coalesce(a.tenant_id, '00000000-0000-0000-0000-000000000000')
      AND i.key = a.meta ->> 'idempotency_key' AND i.job_id = a.id;
    GET DIAGNOSTICS more = ROW_COUNT;
    keys := keys + more;
    UPDATE queue.archived_job a
    SET payload = blank, output = CASE WHEN a.output IS NOT NULL THEN blank END,
        meta = queue.erased_meta(a.meta),
        last_error = CASE WHEN a.last_error IS NOT NULL THEN 'erased' END,
        attempts = (SELECT jsonb_agg(CASE WHEN e ->> 'error' IS NULL THEN e
                                          ELSE e || '{"error": "erased"}' END ORDER BY place)
                    FROM jsonb_array_elements(a.attempts) WITH ORDINALITY t (e, place))
    WHERE a.id = ANY (erase_jobs.ids);
    GET DIAGNOSTICS archived = ROW_COUNT;
END
$$;

CREATE FUNCTION queue.erase(
    subject text, tenant_id uuid DEFAULT NULL, reason text DEFAULT NULL,
    dry_run boolean DEFAULT false)
RETURNS TABLE (id bigint, jobs bigint, attempts bigint, dead_letters bigint, archived bigint,
               keys bigint, cancelled bigint, running bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    hash bytea := queue.subject_hash(erase.subject, erase.tenant_id);
    at_now timestamptz := clock_timestamp();
    ids bigint[];
    taken record;
BEGIN
    IF octet_length(erase.reason) > 1000 THEN
        RAISE EXCEPTION 'reason: expected at most 1000 bytes, got %', octet_length(erase.reason)
            USING ERRCODE = 'LQ001';
    END IF;
    ids := ARRAY(SELECT s.job_id FROM queue.subject s WHERE s.subject_hash = hash
                 ORDER BY s.job_id);
    IF erase.dry_run THEN
        RETURN QUERY
        SELECT NULL::bigint, count(x.id),
               (SELECT count(*) FROM queue.attempt a WHERE a.job_id = ANY (ids)),
               (SELECT count(*) FROM queue.dead_letter d WHERE d.job_id = ANY (ids)),
               (SELECT count(*) FROM queue.archived_job a WHERE a.id = ANY (ids)),
               NULL::bigint,
               count(*) FILTER (WHERE x.state NOT IN ('running', 'completed', 'cancelled', 'dead')),
               count(*) FILTER (WHERE x.state = 'running')
        FROM queue.jobs x WHERE x.id = ANY (ids);
        RETURN;
    END IF;
    taken := queue.erase_jobs(ids);
    running := cardinality(taken.running);
    INSERT INTO queue.erasure AS e (
        asked_at, finished_at, asked_by, tenant_id, subject_hash, reason, jobs, attempts,
        dead_letters, archived, keys, cancelled)
    VALUES (at_now, CASE WHEN running = 0 THEN clock_timestamp() END, session_user,
            erase.tenant_id, hash, erase.reason, taken.jobs, taken.attempts, taken.dead_letters,
            taken.archived, taken.keys, taken.cancelled)
    RETURNING e.id, e.jobs, e.attempts, e.dead_letters, e.archived, e.keys, e.cancelled
    INTO id, jobs, attempts, dead_letters, archived, keys, cancelled;
    INSERT INTO queue.erasure_pending (job_id, erasure_id, tried_at)
    SELECT u.job_id, erase.id, at_now FROM unnest(taken.running) u (job_id);
    -- Nothing links the erased ones to the subject any more.
    DELETE FROM queue.subject s
    WHERE s.job_id = ANY (ids) AND s.job_id <> ALL (taken.running);
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION queue.erase IS
    'Erases what jobs, attempts, dead letters and archives hold of a subject; running: later.';

-- Erases those jobs that ran when it was asked for and have ended since; retention calls it. Says
-- how many of them. Those tried longest ago come first, so that one that never ends holds up none.
CREATE FUNCTION queue.finish_erasures(batch integer DEFAULT 100) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    one record;
    taken record;
    done bigint[];
    finished bigint := 0;
BEGIN
    FOR one IN
        SELECT p.erasure_id, array_agg(p.job_id) AS ids
        FROM (SELECT x.erasure_id, x.job_id FROM queue.erasure_pending x
              ORDER BY x.tried_at LIMIT finish_erasures.batch FOR UPDATE SKIP LOCKED) p
        GROUP BY p.erasure_id ORDER BY p.erasure_id
    LOOP
        taken := queue.erase_jobs(one.ids);
        done := ARRAY(SELECT u.id FROM unnest(one.ids) u (id) WHERE u.id <> ALL (taken.running));
        DELETE FROM queue.erasure_pending p
        WHERE p.erasure_id = one.erasure_id AND p.job_id = ANY (done);
        UPDATE queue.erasure_pending p SET tried_at = clock_timestamp()
        WHERE p.erasure_id = one.erasure_id AND p.job_id = ANY (taken.running);
        DELETE FROM queue.subject s WHERE s.job_id = ANY (done);
        UPDATE queue.erasure e
        SET jobs = e.jobs + taken.jobs, attempts = e.attempts + taken.attempts,
            dead_letters = e.dead_letters + taken.dead_letters,
            archived = e.archived + taken.archived, keys = e.keys + taken.keys,
            cancelled = e.cancelled + taken.cancelled,
            finished_at = CASE WHEN NOT EXISTS (SELECT FROM queue.erasure_pending p
                                                WHERE p.erasure_id = e.id)
                               THEN clock_timestamp() END
        WHERE e.id = one.erasure_id;
        finished := finished + cardinality(done);
    END LOOP;
    RETURN finished;
END
$$;
