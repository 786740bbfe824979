-- breaking: yes
-- What an enqueue may attach to a job: a batch, keys, the cost under its limits, a subject. They
-- are kept as reserved members of the job's meta, so a job without them is as narrow as ever; and
-- what they demand is done beside the statements of the plain job, never in them.
--
-- Breaking, because a worker that does not know of attachments finishes a job without settling
-- them: its batch would never end and its key never come free.

-- Its jobs' payloads are sealed by the producer: see queue.check_encrypted.
ALTER TABLE queue.kind ADD COLUMN encrypted boolean NOT NULL DEFAULT false;

CREATE TYPE queue.attachments AS (
    batch_id bigint, ordering_key text, concurrency_key text, key_concurrency integer,
    limit_key text, cost integer, subject text);

CREATE OR REPLACE FUNCTION queue.check_enqueue(
    run_at timestamptz, delay interval, max_attempts integer, meta jsonb) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    reserved text;
BEGIN
    IF run_at IS NOT NULL AND delay IS NOT NULL THEN
        RAISE EXCEPTION 'run_at and delay: expected at most one of them, got both'
            USING ERRCODE = 'LQ001';
    END IF;
    IF run_at IS NOT NULL
       AND (NOT isfinite(run_at) OR run_at > timestamptz '9999-12-31 00:00:00+00') THEN
        RAISE EXCEPTION 'run_at: expected a finite time before the year 9999, got %', run_at
            USING ERRCODE = 'LQ001';
    END IF;
    IF delay IS NOT NULL AND (delay < interval '0' OR delay > interval '3650 days') THEN
        RAISE EXCEPTION 'delay: expected 0 to 3650 days, got %', delay USING ERRCODE = 'LQ001';
    END IF;
    IF max_attempts NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'max_attempts: expected 1 to 1000, got %', max_attempts
            USING ERRCODE = 'LQ001';
    END IF;
    IF meta IS NOT NULL AND (jsonb_typeof(meta) <> 'object' OR pg_column_size(meta) > 65536) THEN
        RAISE EXCEPTION 'meta: expected a JSON object of at most 64 KiB, got % of % bytes',
            jsonb_typeof(meta), pg_column_size(meta) USING ERRCODE = 'LQ001';
    END IF;
    IF meta ?| ARRAY['batch_id', 'ordering_key', 'concurrency_key', 'key_concurrency', 'limit_key',
                     'cost'] THEN
        SELECT k INTO reserved FROM jsonb_object_keys(meta) k
        WHERE k IN ('batch_id', 'ordering_key', 'concurrency_key', 'key_concurrency', 'limit_key',
                    'cost') LIMIT 1;
        RAISE EXCEPTION 'meta: % is reserved', reserved USING ERRCODE = 'LQ001',
            HINT = format('Use the argument %s of enqueue.', reserved);
    END IF;
END
$$;

CREATE FUNCTION queue.check_key(argument text, key text, most integer) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF octet_length(key) NOT BETWEEN 1 AND most THEN
        RAISE EXCEPTION '%: expected 1 to % bytes, got %', argument, most, octet_length(key)
            USING ERRCODE = 'LQ001';
    END IF;
END
$$;

-- The meta of a job with these attachments.
CREATE FUNCTION queue.attach(meta jsonb, a queue.attachments) RETURNS jsonb
LANGUAGE plpgsql
AS $$
DECLARE
    members jsonb;
BEGIN
    PERFORM queue.check_key('ordering_key', a.ordering_key, 512);
    PERFORM queue.check_key('concurrency_key', a.concurrency_key, 512);
    PERFORM queue.check_key('limit_key', a.limit_key, 200);
    PERFORM queue.check_key('subject', a.subject, 512);
    IF a.ordering_key = a.concurrency_key THEN
        RAISE EXCEPTION 'concurrency_key: expected another key than ordering_key, got % twice',
            quote_literal(left(a.ordering_key, 100)) USING ERRCODE = 'LQ001',
            HINT = 'An ordering key already runs one job at a time; give only that one.';
    END IF;
    IF a.key_concurrency IS NOT NULL AND a.concurrency_key IS NULL THEN
        RAISE EXCEPTION 'key_concurrency: expected a concurrency_key beside it, got % alone',
            a.key_concurrency USING ERRCODE = 'LQ001';
    END IF;
    IF a.key_concurrency NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'key_concurrency: expected 1 to 10000, got %', a.key_concurrency
            USING ERRCODE = 'LQ001',
                  HINT = 'With none allowed the job would wait for itself for ever.';
    END IF;
    IF a.cost NOT BETWEEN 1 AND 1000000 THEN
        RAISE EXCEPTION 'cost: expected 1 to 1000000 tokens, got %', a.cost
            USING ERRCODE = 'LQ001';
    END IF;
    -- The subject stays out: meta is shown everywhere.
    members := jsonb_strip_nulls(jsonb_build_object(
        'batch_id', a.batch_id, 'ordering_key', a.ordering_key,
        'concurrency_key', a.concurrency_key, 'key_concurrency', a.key_concurrency,
        'limit_key', a.limit_key, 'cost', a.cost));
    RETURN CASE WHEN members = '{}' THEN meta ELSE coalesce(meta, '{}') || members END;
END
$$;

-- Puts new jobs where their attachments want them.
CREATE FUNCTION queue.put_attached(
    ids bigint[], target queue.line_target, due timestamptz, tenant_id uuid, meta jsonb,
    subject text) RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
    IF meta ?| ARRAY['ordering_key', 'concurrency_key'] THEN
        PERFORM queue.wait_for_key(put_attached.ids, (target).queue_id, (target).line_id,
                                   put_attached.due, put_attached.tenant_id, put_attached.meta);
    ELSE
        INSERT INTO queue.ready (id, run_at, line_id, attempt)
        SELECT unnest(put_attached.ids), put_attached.due, (target).line_id, 0;
    END IF;
    IF meta ? 'batch_id' THEN
        PERFORM queue.add_to_batch((meta ->> 'batch_id')::bigint, put_attached.ids);
    END IF;
    IF meta ? 'cost' THEN
        PERFORM queue.note_cost(l.kind, q.name)
        FROM queue.line l JOIN queue.queue q ON q.id = l.queue_id
        WHERE l.id = (target).line_id;
    END IF;
    IF put_attached.subject IS NOT NULL THEN
        PERFORM queue.note_subject(put_attached.subject, put_attached.tenant_id,
                                   put_attached.ids);
    END IF;
END
$$;

-- An id its producer drew beforehand, to bind a sealed payload to it: nextval('queue.job_id_seq').
CREATE FUNCTION queue.drawn_ids(ids bigint[], wanted integer) RETURNS bigint[]
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    odd bigint;
BEGIN
    IF cardinality(drawn_ids.ids) <> drawn_ids.wanted THEN
        RAISE EXCEPTION 'ids: expected one for each of the % payloads, got %', drawn_ids.wanted,
            cardinality(drawn_ids.ids) USING ERRCODE = 'LQ001';
    END IF;
    SELECT u.id INTO odd FROM unnest(drawn_ids.ids) u(id)
    WHERE u.id IS NULL
       OR u.id NOT BETWEEN 1 AND coalesce(pg_sequence_last_value('queue.job_id_seq'), 0)
       OR EXISTS (SELECT FROM queue.job j WHERE j.id = u.id)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'id: expected a new value of queue.job_id_seq, got %',
            coalesce(odd::text, 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    RETURN drawn_ids.ids;
END
$$;

DROP FUNCTION queue.enqueue(text, jsonb, text, integer, timestamptz, text, integer, uuid, jsonb,
                            interval, text[], text, interval);
DROP FUNCTION queue.enqueue_once(text, jsonb, text, integer, timestamptz, text, integer, uuid,
                                 jsonb, interval, text[], text, interval);
DROP FUNCTION queue.enqueue_many(text, jsonb[], text, integer, timestamptz, integer, uuid, jsonb,
                                 interval, text[], text);

-- See 0002; new are the attachments:
--   batch_id          the job is an item of this batch, which is not sealed yet
--   ordering_key      jobs of a queue with the same key run strictly one after the other
--   concurrency_key   and at most key_concurrency (default 1) of the same one at a time
--   limit_key         which bucket of a limit keyed by limit_key it draws from
--   cost              tokens it takes of its limits, default 1
--   subject           the person its data is about, for queue.erase
--   id                drawn beforehand by who binds a sealed payload to it
CREATE FUNCTION queue.enqueue(
    kind text,
    payload jsonb,
    queue text DEFAULT NULL,
    priority integer DEFAULT NULL,
    run_at timestamptz DEFAULT NULL,
    idempotency_key text DEFAULT NULL,
    max_attempts integer DEFAULT NULL,
    tenant_id uuid DEFAULT NULL,
    meta jsonb DEFAULT NULL,
    delay interval DEFAULT NULL,
    tags text[] DEFAULT NULL,
    traceparent text DEFAULT NULL,
    idempotency_ttl interval DEFAULT NULL,
    batch_id bigint DEFAULT NULL,
    ordering_key text DEFAULT NULL,
    concurrency_key text DEFAULT NULL,
    key_concurrency integer DEFAULT NULL,
    limit_key text DEFAULT NULL,
    cost integer DEFAULT NULL,
    subject text DEFAULT NULL,
    id bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    defaults record;
    target queue.line_target;
    new_id bigint;
    at_now timestamptz := clock_timestamp();
    due timestamptz;
    attached boolean := false;
BEGIN
    IF enqueue.idempotency_key IS NOT NULL THEN
        RETURN (SELECT o.id FROM queue.enqueue_once(
            enqueue.kind, enqueue.payload, enqueue.queue, enqueue.priority, enqueue.run_at,
            enqueue.idempotency_key, enqueue.max_attempts, enqueue.tenant_id, enqueue.meta,
            enqueue.delay, enqueue.tags, enqueue.traceparent, enqueue.idempotency_ttl,
            enqueue.batch_id, enqueue.ordering_key, enqueue.concurrency_key,
            enqueue.key_concurrency, enqueue.limit_key, enqueue.cost, enqueue.subject,
            enqueue.id) o);
    END IF;
    IF enqueue.payload IS NULL THEN
        RAISE EXCEPTION 'payload: expected JSON, got NULL' USING ERRCODE = 'LQ008';
    END IF;
    SELECT k.queue, k.priority, k.max_attempts, k.encrypted INTO defaults
    FROM queue.kind k WHERE k.name = enqueue.kind;
    SELECT l.id, q.id, q.doorbell, q.max_payload_bytes INTO target
    FROM queue.queue q JOIN queue.line l ON l.queue_id = q.id
    WHERE q.name = coalesce(enqueue.queue, defaults.queue, 'default')
      AND l.kind = enqueue.kind
      AND l.priority = coalesce(enqueue.priority, defaults.priority, 5)
    LIMIT 1;
    IF NOT FOUND THEN
        target := queue.open_line(coalesce(enqueue.queue, defaults.queue, 'default'), enqueue.kind,
                                  coalesce(enqueue.priority, defaults.priority, 5));
    END IF;
    IF pg_column_size(enqueue.payload) > target.max_payload_bytes THEN
        PERFORM queue.too_large(enqueue.payload, target.max_payload_bytes);
    END IF;
    IF enqueue.tags IS NOT NULL OR enqueue.traceparent IS NOT NULL
       OR current_setting('libqueue.traceparent', true) <> '' THEN
        meta := queue.build_meta(enqueue.meta, enqueue.tags, enqueue.traceparent);
    END IF;
    IF enqueue.run_at IS NOT NULL OR enqueue.delay IS NOT NULL OR enqueue.max_attempts IS NOT NULL
       OR enqueue.meta IS NOT NULL THEN
        PERFORM queue.check_enqueue(enqueue.run_at, enqueue.delay, enqueue.max_attempts,
                                    enqueue.meta);
    END IF;
    IF num_nonnulls(enqueue.batch_id, enqueue.ordering_key, enqueue.concurrency_key,
                    enqueue.key_concurrency, enqueue.limit_key, enqueue.cost, enqueue.subject,
                    enqueue.id) > 0 THEN
        meta := queue.attach(enqueue.meta, ROW(enqueue.batch_id, enqueue.ordering_key,
            enqueue.concurrency_key, enqueue.key_concurrency, enqueue.limit_key, enqueue.cost,
            enqueue.subject)::queue.attachments);
        attached := true;
    END IF;
    IF defaults.encrypted THEN
        PERFORM queue.check_encrypted(enqueue.kind, enqueue.payload);
    END IF;
    -- A time in the past means now: nothing is ever put in line behind the workers' cursors.
    due := greatest(at_now, coalesce(enqueue.run_at, at_now + enqueue.delay, at_now));
    IF enqueue.id IS NULL THEN
        new_id := nextval('queue.job_id_seq');
    ELSE
        new_id := (queue.drawn_ids(ARRAY[enqueue.id], 1))[1];
    END IF;
    INSERT INTO queue.job (id, created_at, run_at, line_id, max_attempts, tenant_id, payload, meta)
    VALUES (new_id, at_now, due, target.line_id,
            coalesce(enqueue.max_attempts, defaults.max_attempts, 4), enqueue.tenant_id,
            enqueue.payload, enqueue.meta);
    IF attached THEN
        PERFORM queue.put_attached(ARRAY[new_id], target, due, enqueue.tenant_id, enqueue.meta,
                                   enqueue.subject);
    ELSE
        INSERT INTO queue.ready (id, run_at, line_id, attempt)
        VALUES (new_id, due, target.line_id, 0);
    END IF;
    IF pg_sequence_last_value(target.doorbell) > extract(epoch FROM at_now) * 1000
       AND due < at_now + interval '1 minute' THEN
        PERFORM pg_notify('queue.wake', target.queue_id::text);
    END IF;
    RETURN new_id;
END
$$;


CREATE FUNCTION queue.enqueue_once(
    kind text,
    payload jsonb,
    queue text,
    priority integer,
    run_at timestamptz,
    idempotency_key text,
    max_attempts integer,
    tenant_id uuid,
    meta jsonb,
    delay interval,
    tags text[],
    traceparent text,
    idempotency_ttl interval,
    batch_id bigint DEFAULT NULL,
    ordering_key text DEFAULT NULL,
    concurrency_key text DEFAULT NULL,
    key_concurrency integer DEFAULT NULL,
    limit_key text DEFAULT NULL,
    cost integer DEFAULT NULL,
    subject text DEFAULT NULL,
    drawn_id bigint DEFAULT NULL,
    OUT id bigint, OUT duplicate boolean, OUT output text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- Sessions keep plans; one made while the keys were few must not read all of them later.
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    at_now timestamptz := clock_timestamp();
    owner_id uuid := coalesce(enqueue_once.tenant_id, '00000000-0000-0000-0000-000000000000');
    lifetime interval := coalesce(enqueue_once.idempotency_ttl, interval '7 days');
    hash bytea;
    known record;
    moved bigint;
BEGIN
    IF enqueue_once.idempotency_key IS NULL THEN
        id := queue.enqueue(enqueue_once.kind, enqueue_once.payload, enqueue_once.queue,
            enqueue_once.priority, enqueue_once.run_at, NULL, enqueue_once.max_attempts,
            enqueue_once.tenant_id, enqueue_once.meta, enqueue_once.delay, enqueue_once.tags,
            enqueue_once.traceparent, NULL, enqueue_once.batch_id, enqueue_once.ordering_key,
            enqueue_once.concurrency_key, enqueue_once.key_concurrency, enqueue_once.limit_key,
            enqueue_once.cost, enqueue_once.subject, enqueue_once.drawn_id);
        duplicate := false;
        RETURN;
    END IF;
    IF octet_length(enqueue_once.idempotency_key) NOT BETWEEN 1 AND 512 THEN
        RAISE EXCEPTION 'idempotency_key: expected 1 to 512 bytes, got %',
            octet_length(enqueue_once.idempotency_key) USING ERRCODE = 'LQ001';
    END IF;
    IF lifetime <= interval '0' OR lifetime > interval '3650 days' THEN
        RAISE EXCEPTION 'idempotency_ttl: expected more than 0 and at most 3650 days, got %',
            lifetime USING ERRCODE = 'LQ001';
    END IF;
    hash := sha256(convert_to(coalesce(enqueue_once.kind, '') || ' '
                              || coalesce(queue.content_of(enqueue_once.payload), ''),
                              'UTF8'));
    INSERT INTO queue.idempotency AS i (tenant_id, key, job_id, content_hash, expires_at)
    VALUES (owner_id, enqueue_once.idempotency_key, 0, hash, at_now + lifetime)
    ON CONFLICT ON CONSTRAINT idempotency_pkey DO UPDATE
    SET content_hash = excluded.content_hash, expires_at = excluded.expires_at, job_id = 0
    WHERE i.expires_at <= at_now
    RETURNING i.job_id INTO moved;
    IF NOT FOUND THEN
        SELECT i.job_id, i.content_hash INTO STRICT known FROM queue.idempotency i
        WHERE i.tenant_id = owner_id AND i.key = enqueue_once.idempotency_key;
        IF known.content_hash <> hash THEN
            RAISE EXCEPTION 'idempotency key already used for job % with another kind or payload',
                known.job_id USING ERRCODE = 'LQ004',
                HINT = 'Use a new key for new work; the same key means the same work.';
        END IF;
        id := known.job_id;
        duplicate := true;
        SELECT a.output::text INTO output FROM queue.attempt a
        WHERE a.job_id = known.job_id AND a.outcome = 'completed'
        ORDER BY a.lease_id DESC LIMIT 1;
        RETURN;
    END IF;
    id := queue.enqueue(enqueue_once.kind, enqueue_once.payload, enqueue_once.queue,
        enqueue_once.priority, enqueue_once.run_at, NULL, enqueue_once.max_attempts,
        enqueue_once.tenant_id,
        coalesce(enqueue_once.meta, '{}'::jsonb)
            || jsonb_build_object('idempotency_key', enqueue_once.idempotency_key),
        enqueue_once.delay, enqueue_once.tags, enqueue_once.traceparent, NULL,
        enqueue_once.batch_id, enqueue_once.ordering_key, enqueue_once.concurrency_key,
        enqueue_once.key_concurrency, enqueue_once.limit_key, enqueue_once.cost,
        enqueue_once.subject, enqueue_once.drawn_id);
    duplicate := false;
    UPDATE queue.idempotency i SET job_id = enqueue_once.id
    WHERE i.tenant_id = owner_id AND i.key = enqueue_once.idempotency_key;
END
$$;


CREATE FUNCTION queue.enqueue_many(
    kind text,
    payloads jsonb[],
    queue text DEFAULT NULL,
    priority integer DEFAULT NULL,
    run_at timestamptz DEFAULT NULL,
    max_attempts integer DEFAULT NULL,
    tenant_id uuid DEFAULT NULL,
    meta jsonb DEFAULT NULL,
    delay interval DEFAULT NULL,
    tags text[] DEFAULT NULL,
    traceparent text DEFAULT NULL,
    batch_id bigint DEFAULT NULL,
    ordering_key text DEFAULT NULL,
    concurrency_key text DEFAULT NULL,
    key_concurrency integer DEFAULT NULL,
    limit_key text DEFAULT NULL,
    cost integer DEFAULT NULL,
    subject text DEFAULT NULL,
    ids bigint[] DEFAULT NULL) RETURNS SETOF bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    defaults record;
    target queue.line_target;
    at_now timestamptz := clock_timestamp();
    due timestamptz;
    new_ids bigint[];
    bad bigint;
    attached boolean := false;
BEGIN
    IF enqueue_many.payloads IS NULL OR array_position(enqueue_many.payloads, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'payloads: expected an array of JSON values, got NULL%',
            coalesce(' at position ' || array_position(enqueue_many.payloads, NULL), '')
            USING ERRCODE = 'LQ008';
    END IF;
    SELECT k.queue, k.priority, k.max_attempts, k.encrypted INTO defaults
    FROM queue.kind k WHERE k.name = enqueue_many.kind;
    SELECT l.id, q.id, q.doorbell, q.max_payload_bytes INTO target
    FROM queue.queue q JOIN queue.line l ON l.queue_id = q.id
    WHERE q.name = coalesce(enqueue_many.queue, defaults.queue, 'default')
      AND l.kind = enqueue_many.kind
      AND l.priority = coalesce(enqueue_many.priority, defaults.priority, 5)
    LIMIT 1;
    IF NOT FOUND THEN
        target := queue.open_line(coalesce(enqueue_many.queue, defaults.queue, 'default'),
            enqueue_many.kind, coalesce(enqueue_many.priority, defaults.priority, 5));
    END IF;
    meta := queue.build_meta(enqueue_many.meta, enqueue_many.tags, enqueue_many.traceparent);
    PERFORM queue.check_enqueue(enqueue_many.run_at, enqueue_many.delay, enqueue_many.max_attempts,
                                enqueue_many.meta);
    IF num_nonnulls(enqueue_many.batch_id, enqueue_many.ordering_key,
                    enqueue_many.concurrency_key, enqueue_many.key_concurrency,
                    enqueue_many.limit_key, enqueue_many.cost, enqueue_many.subject) > 0 THEN
        meta := queue.attach(enqueue_many.meta, ROW(enqueue_many.batch_id,
            enqueue_many.ordering_key, enqueue_many.concurrency_key,
            enqueue_many.key_concurrency, enqueue_many.limit_key, enqueue_many.cost,
            enqueue_many.subject)::queue.attachments);
        attached := true;
    END IF;
    IF defaults.encrypted THEN
        PERFORM queue.check_encrypted(enqueue_many.kind, p.payload)
        FROM unnest(enqueue_many.payloads) p(payload);
    END IF;
    -- One over the limit is only possible when all together are.
    IF pg_column_size(enqueue_many.payloads) > target.max_payload_bytes THEN
        SELECT p.place INTO bad
        FROM unnest(enqueue_many.payloads) WITH ORDINALITY p(payload, place)
        WHERE pg_column_size(p.payload) > target.max_payload_bytes LIMIT 1;
        IF FOUND THEN
            PERFORM queue.too_large(enqueue_many.payloads[bad], target.max_payload_bytes);
        END IF;
    END IF;
    due := greatest(at_now, coalesce(enqueue_many.run_at, at_now + enqueue_many.delay, at_now));
    IF enqueue_many.ids IS NULL THEN
        new_ids := ARRAY(SELECT nextval('queue.job_id_seq')
                         FROM generate_series(1, cardinality(enqueue_many.payloads)));
    ELSE
        new_ids := queue.drawn_ids(enqueue_many.ids, cardinality(enqueue_many.payloads));
    END IF;
    INSERT INTO queue.job (id, created_at, run_at, line_id, max_attempts, tenant_id, payload, meta)
    SELECT u.id, at_now, due, target.line_id,
           coalesce(enqueue_many.max_attempts, defaults.max_attempts, 4), enqueue_many.tenant_id,
           u.payload, enqueue_many.meta
    -- Side by side and not as one table function, which would first write them all down.
    FROM (SELECT unnest(new_ids) AS id, unnest(enqueue_many.payloads) AS payload) u;
    IF attached THEN
        PERFORM queue.put_attached(new_ids, target, due, enqueue_many.tenant_id,
                                   enqueue_many.meta, enqueue_many.subject);
    ELSE
        INSERT INTO queue.ready (id, run_at, line_id, attempt)
        SELECT unnest(new_ids), due, target.line_id, 0;
    END IF;
    IF cardinality(new_ids) > 0
       AND pg_sequence_last_value(target.doorbell) > extract(epoch FROM at_now) * 1000
       AND due < at_now + interval '1 minute' THEN
        PERFORM pg_notify('queue.wake', target.queue_id::text);
    END IF;
    RETURN QUERY SELECT u.id FROM unnest(new_ids) u(id);
END
$$;

-- What the end of a run means for the attachments of its jobs, in the transaction that records it.
-- Fenced by the attempt row: a run whose lease was lost left none, and the one that its rescuer
-- left under the same lease is another transaction's.
CREATE FUNCTION queue.settle(job_ids bigint[], lease_ids bigint[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    mine record;
BEGIN
    SELECT array_agg(a.job_id) AS jobs, array_agg(a.lease_id) AS leases INTO mine
    FROM (SELECT unnest(settle.job_ids) AS job_id, unnest(settle.lease_ids) AS lease_id) u
    -- OFFSET 0: by index, whatever the statistics say.
    CROSS JOIN LATERAL (
        SELECT x.job_id, x.lease_id FROM queue.attempt x
        WHERE x.job_id = u.job_id AND x.lease_id = u.lease_id
          AND x.xmin = pg_current_xact_id()::xid
        OFFSET 0) a;
    IF mine.jobs IS NOT NULL THEN
        PERFORM queue.settle_these(mine.jobs, mine.leases);
    END IF;
END
$$;

-- The same for who wrote these attempt rows himself, maybe under a savepoint. Internal.
CREATE FUNCTION queue.settle_these(job_ids bigint[], lease_ids bigint[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    found_jobs record;
BEGIN
    SELECT array_agg(u.job_id) FILTER (WHERE j.meta ? 'batch_id') AS batch_jobs,
           array_agg(u.lease_id) FILTER (WHERE j.meta ? 'batch_id') AS batch_leases,
           array_agg(u.job_id) FILTER (
               WHERE j.meta ?| ARRAY['ordering_key', 'concurrency_key']) AS key_jobs,
           array_agg(u.lease_id) FILTER (
               WHERE j.meta ?| ARRAY['ordering_key', 'concurrency_key']) AS key_leases
    INTO found_jobs
    FROM (SELECT unnest(settle_these.job_ids) AS job_id,
                 unnest(settle_these.lease_ids) AS lease_id) u
    CROSS JOIN LATERAL (SELECT x.meta FROM queue.job x WHERE x.id = u.job_id OFFSET 0) j;
    IF found_jobs.key_jobs IS NOT NULL THEN
        PERFORM queue.settle_keys(found_jobs.key_jobs, found_jobs.key_leases);
    END IF;
    IF found_jobs.batch_jobs IS NOT NULL THEN
        PERFORM queue.settle_batches(found_jobs.batch_jobs, found_jobs.batch_leases);
    END IF;
END
$$;
