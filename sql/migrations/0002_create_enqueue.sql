-- breaking: no
-- Producing jobs by SQL. Errors carry SQLSTATEs of class LQ, the same as libqueue::errc.

CREATE FUNCTION queue.create_queue(name text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    found_id integer;
    new_id integer;
    bell text;
BEGIN
    IF create_queue.name IS NULL OR create_queue.name !~ '^[A-Za-z0-9_.-]{1,64}$' THEN
        RAISE EXCEPTION 'queue name: expected 1 to 64 of A-Z a-z 0-9 _ . -, got %',
            coalesce(quote_literal(left(create_queue.name, 100)), 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    SELECT q.id INTO found_id FROM queue.queue q WHERE q.name = create_queue.name;
    IF FOUND THEN
        RETURN found_id;
    END IF;
    -- One creator at a time; the lock goes with the transaction.
    PERFORM pg_advisory_xact_lock(hashtextextended('queue.create_queue', 0));
    SELECT q.id INTO found_id FROM queue.queue q WHERE q.name = create_queue.name;
    IF FOUND THEN
        RETURN found_id;
    END IF;
    new_id := nextval(pg_get_serial_sequence('queue.queue', 'id'));
    bell := format('queue.doorbell_%s', new_id);
    EXECUTE format('CREATE SEQUENCE %s AS bigint MINVALUE 0 START 0', bell);
    INSERT INTO queue.queue (id, name, doorbell) OVERRIDING SYSTEM VALUE
    VALUES (new_id, create_queue.name, bell::regclass);
    RETURN new_id;
END
$$;

-- What enqueue needs to know of a line. Makes the line at its first use.
CREATE TYPE queue.line_target AS (
    line_id integer, queue_id integer, doorbell regclass, max_payload_bytes integer);

CREATE FUNCTION queue.open_line(queue_name text, kind text, priority integer)
RETURNS queue.line_target
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    target queue.line_target;
BEGIN
    IF open_line.kind IS NULL OR open_line.kind !~ '^[a-z0-9_.-]{1,64}$' THEN
        RAISE EXCEPTION 'kind: expected 1 to 64 of a-z 0-9 _ . -, got %',
            coalesce(quote_literal(left(open_line.kind, 100)), 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    IF open_line.priority NOT BETWEEN -32768 AND 32767 THEN
        RAISE EXCEPTION 'priority: expected -32768 to 32767, got %', open_line.priority
            USING ERRCODE = 'LQ001';
    END IF;
    SELECT NULL, q.id, q.doorbell, q.max_payload_bytes INTO target
    FROM queue.queue q WHERE q.name = open_line.queue_name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'unknown queue %', quote_literal(left(open_line.queue_name, 100))
            USING ERRCODE = 'LQ002',
                  HINT = 'Create it with queue.create_queue(name) or qctl queues create, '
                         || 'or list it in the configuration of a worker.';
    END IF;
    INSERT INTO queue.line (queue_id, priority, kind)
    VALUES (target.queue_id, open_line.priority, open_line.kind)
    RETURNING id INTO target.line_id;
    -- Workers learn of a new line at commit; without LISTEN they find it with their next beat.
    PERFORM pg_notify('queue.wake', 'lines');
    RETURN target;
END
$$;

CREATE FUNCTION queue.check_enqueue(
    run_at timestamptz, delay interval, max_attempts integer, meta jsonb) RETURNS void
LANGUAGE plpgsql
AS $$
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
END
$$;

-- Adds tags and trace context to meta. A session may set libqueue.traceparent for all it enqueues.
CREATE FUNCTION queue.build_meta(meta jsonb, tags text[], traceparent text) RETURNS jsonb
LANGUAGE plpgsql
AS $$
DECLARE
    trace text := coalesce(traceparent, nullif(current_setting('libqueue.traceparent', true), ''));
    built jsonb := meta;
BEGIN
    IF tags IS NOT NULL AND cardinality(tags) > 0 THEN
        built := coalesce(built, '{}'::jsonb) || jsonb_build_object('tags', to_jsonb(tags));
    END IF;
    IF trace IS NOT NULL AND (built IS NULL OR NOT built ? 'traceparent') THEN
        built := coalesce(built, '{}'::jsonb) || jsonb_build_object('traceparent', trace);
    END IF;
    RETURN built;
END
$$;

CREATE FUNCTION queue.too_large(payload jsonb, most integer) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'payload: expected at most % bytes, got %', most, pg_column_size(payload)
        USING ERRCODE = 'LQ003',
              HINT = 'Store large data elsewhere and enqueue a reference to it.';
END
$$;

-- Wakes a sleeping worker: only when one is asleep beside the queue does the transaction carry a
-- NOTIFY (which takes a database-wide lock at commit). The sleeper clears the flag itself when it
-- wakes, so an enqueuer that rolls back swallows nobody's wake-up.
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
    idempotency_ttl interval DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    defaults record;
    target queue.line_target;
    new_id bigint;
    at_now timestamptz := clock_timestamp();
    due timestamptz;
BEGIN
    IF enqueue.idempotency_key IS NOT NULL THEN
        RETURN (SELECT o.id FROM queue.enqueue_once(
            enqueue.kind, enqueue.payload, enqueue.queue, enqueue.priority, enqueue.run_at,
            enqueue.idempotency_key, enqueue.max_attempts, enqueue.tenant_id, enqueue.meta,
            enqueue.delay, enqueue.tags, enqueue.traceparent, enqueue.idempotency_ttl) o);
    END IF;
    IF enqueue.payload IS NULL THEN
        RAISE EXCEPTION 'payload: expected JSON, got NULL' USING ERRCODE = 'LQ008';
    END IF;
    SELECT k.queue, k.priority, k.max_attempts INTO defaults
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
    -- A time in the past means now: nothing is ever put in line behind the workers' cursors.
    due := greatest(at_now, coalesce(enqueue.run_at, at_now + enqueue.delay, at_now));
    new_id := nextval('queue.job_id_seq');
    INSERT INTO queue.job (id, created_at, run_at, line_id, max_attempts, tenant_id, payload, meta)
    VALUES (new_id, at_now, due, target.line_id,
            coalesce(enqueue.max_attempts, defaults.max_attempts, 4), enqueue.tenant_id,
            enqueue.payload, enqueue.meta);
    INSERT INTO queue.ready (id, run_at, line_id, attempt) VALUES (new_id, due, target.line_id, 0);
    IF pg_sequence_last_value(target.doorbell) > extract(epoch FROM at_now) * 1000
       AND due < at_now + interval '1 minute' THEN
        PERFORM pg_notify('queue.wake', target.queue_id::text);
    END IF;
    RETURN new_id;
END
$$;

-- Enqueue under an idempotency key. The primary key of queue.idempotency decides between
-- concurrent enqueuers: a second one waits for the first to commit (then it is a duplicate) or to
-- roll back (then it is the first). At REPEATABLE READ and above it may raise 40001 instead.
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
            enqueue_once.traceparent);
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
                              || coalesce(enqueue_once.payload::text, ''), 'UTF8'));
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
        enqueue_once.delay, enqueue_once.tags, enqueue_once.traceparent);
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
    traceparent text DEFAULT NULL) RETURNS SETOF bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    defaults record;
    target queue.line_target;
    at_now timestamptz := clock_timestamp();
    due timestamptz;
    ids bigint[];
    bad bigint;
BEGIN
    IF enqueue_many.payloads IS NULL OR array_position(enqueue_many.payloads, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'payloads: expected an array of JSON values, got NULL%',
            coalesce(' at position ' || array_position(enqueue_many.payloads, NULL), '')
            USING ERRCODE = 'LQ008';
    END IF;
    SELECT k.queue, k.priority, k.max_attempts INTO defaults
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
    ids := ARRAY(SELECT nextval('queue.job_id_seq')
                 FROM generate_series(1, cardinality(enqueue_many.payloads)));
    INSERT INTO queue.job (id, created_at, run_at, line_id, max_attempts, tenant_id, payload, meta)
    SELECT u.id, at_now, due, target.line_id,
           coalesce(enqueue_many.max_attempts, defaults.max_attempts, 4), enqueue_many.tenant_id,
           u.payload, enqueue_many.meta
    -- Side by side and not as one table function, which would first write them all down.
    FROM (SELECT unnest(ids) AS id, unnest(enqueue_many.payloads) AS payload) u;
    INSERT INTO queue.ready (id, run_at, line_id, attempt)
    SELECT unnest(ids), due, target.line_id, 0;
    IF cardinality(ids) > 0
       AND pg_sequence_last_value(target.doorbell) > extract(epoch FROM at_now) * 1000
       AND due < at_now + interval '1 minute' THEN
        PERFORM pg_notify('queue.wake', target.queue_id::text);
    END IF;
    RETURN QUERY SELECT u.id FROM unnest(ids) u(id);
END
$$;

SELECT queue.create_queue('default');
