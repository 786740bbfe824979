-- breaking: no
-- Batches: many jobs under one id, counted exactly, with jobs to call when all of them have ended.
-- Nobody counts in the batch's row: whoever adds or finishes jobs appends what changed (a tally) in
-- the very transaction that does so, and a worker folds tallies into the row afterwards. So turns
-- and producers never wait for each other over a batch: docs/batches.md.

CREATE TABLE queue.batch (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    sealed_at timestamptz,
    -- When all its jobs had ended; NULL again while a dead letter of it is replayed.
    finished_at timestamptz,
    -- From then on it is pruned.
    expires_at timestamptz,
    cancelled_at timestamptz,
    -- What has been folded; queue.batches adds what has not.
    total bigint NOT NULL DEFAULT 0,
    succeeded bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    cancelled bigint NOT NULL DEFAULT 0,
    -- While its jobs are being cancelled: the parts up to this one are.
    cancel_after bigint,
    -- The callbacks that were enqueued.
    on_success_job_id bigint,
    on_failure_job_id bigint,
    on_finish_job_id bigint,
    tenant_id uuid,
    retention interval NOT NULL,
    callback_priority smallint,
    name text,
    on_success text COLLATE "C",
    on_failure text COLLATE "C",
    on_finish text COLLATE "C",
    callback_queue text COLLATE "C",
    cancel_reason text,
    -- Why a callback could not be enqueued; tried again with every round of pruning.
    callback_error text,
    payload jsonb NOT NULL,
    CONSTRAINT batch_counts_valid CHECK (
        total >= 0 AND succeeded >= 0 AND failed >= 0 AND cancelled >= 0),
    CONSTRAINT batch_finished_is_sealed CHECK (finished_at IS NULL OR sealed_at IS NOT NULL),
    CONSTRAINT batch_expires_when_finished CHECK ((expires_at IS NULL) = (finished_at IS NULL))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX batch_expires_at_idx ON queue.batch (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX batch_callback_error_idx ON queue.batch (id) WHERE callback_error IS NOT NULL;
COMMENT ON TABLE queue.batch IS 'Jobs under one id; written by the fold, by seal and by cancel';

-- Which jobs: up to a thousand ids of one enqueue.
CREATE TABLE queue.batch_part (
    batch_id bigint NOT NULL,
    first_id bigint NOT NULL,
    job_ids bigint[] NOT NULL,
    CONSTRAINT batch_part_pkey PRIMARY KEY (batch_id, first_id)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.5);

-- Its jobs that were given up. Their errors stay with their attempts.
CREATE TABLE queue.batch_failure (
    batch_id bigint NOT NULL,
    job_id bigint NOT NULL,
    CONSTRAINT batch_failure_pkey PRIMARY KEY (batch_id, job_id)
);

-- What changed and is not folded yet. One of all zeroes says: look at this batch.
CREATE SEQUENCE queue.batch_tally_id_seq AS bigint;
CREATE TABLE queue.batch_tally (
    id bigint NOT NULL DEFAULT nextval('queue.batch_tally_id_seq'),
    batch_id bigint NOT NULL,
    total integer NOT NULL DEFAULT 0,
    succeeded integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    cancelled integer NOT NULL DEFAULT 0,
    CONSTRAINT batch_tally_pkey PRIMARY KEY (id)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 1.0);
CREATE INDEX batch_tally_batch_id_idx ON queue.batch_tally (batch_id);

-- COMPLETED is only what was done to the last item: who waits for it goes on to use what the items
-- did, and of a cancelled one nothing was done.
CREATE FUNCTION queue.batch_state(
    sealed boolean, total bigint, succeeded bigint, failed bigint, cancelled bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN sealed AND succeeded = total AND failed + cancelled = 0 THEN 'COMPLETED'
    WHEN sealed AND succeeded + failed + cancelled >= total
        THEN CASE WHEN succeeded = 0 THEN 'FAILED' ELSE 'PARTIAL_SUCCESS' END
    WHEN succeeded + failed + cancelled = 0 THEN 'PENDING'
    ELSE 'PROCESSING' END;

CREATE VIEW queue.batches WITH (security_invoker = true) AS
SELECT b.id, b.name, b.tenant_id,
       queue.batch_state(b.sealed_at IS NOT NULL, b.total + t.total, b.succeeded + t.succeeded,
                         b.failed + t.failed, b.cancelled + t.cancelled) AS state,
       b.total + t.total AS total,
       b.succeeded + t.succeeded + b.failed + t.failed + b.cancelled + t.cancelled AS processed,
       b.succeeded + t.succeeded AS succeeded,
       b.failed + t.failed AS failed,
       b.cancelled + t.cancelled AS cancelled,
       b.total + t.total - (b.succeeded + t.succeeded + b.failed + t.failed + b.cancelled
                            + t.cancelled) AS pending,
       b.sealed_at IS NOT NULL AS sealed,
       b.created_at, b.sealed_at, b.finished_at, b.cancelled_at, b.cancel_reason,
       b.cancel_after IS NOT NULL AS cancelling,
       b.on_success, b.on_success_job_id, b.on_failure, b.on_failure_job_id, b.on_finish,
       b.on_finish_job_id, b.callback_queue, b.callback_priority::integer AS callback_priority,
       b.callback_error, b.payload, b.retention, b.expires_at
FROM queue.batch b
CROSS JOIN LATERAL (
    SELECT coalesce(sum(x.total), 0)::bigint AS total,
           coalesce(sum(x.succeeded), 0)::bigint AS succeeded,
           coalesce(sum(x.failed), 0)::bigint AS failed,
           coalesce(sum(x.cancelled), 0)::bigint AS cancelled
    FROM queue.batch_tally x WHERE x.batch_id = b.id) t;
COMMENT ON VIEW queue.batches IS 'Every batch with counts that are exact at any time';

CREATE FUNCTION queue.no_such_batch(batch_id bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'no batch %', coalesce(batch_id::text, 'NULL') USING ERRCODE = 'LQ005';
END
$$;

-- What a callback job is given. Internal.
CREATE FUNCTION queue.batch_callback_payload(b queue.batch) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object(
    'batch_id', b.id, 'name', b.name,
    'state', queue.batch_state(true, b.total, b.succeeded, b.failed, b.cancelled),
    'total', b.total, 'succeeded', b.succeeded, 'failed', b.failed, 'cancelled', b.cancelled,
    'payload', b.payload);

-- What can be wrong with a callback, found when the batch is made and not when it ends. Internal.
CREATE FUNCTION queue.check_callback(argument text, kind text, b queue.batch) RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    target_queue text;
    most integer;
BEGIN
    IF check_callback.kind IS NULL THEN
        RETURN;
    END IF;
    IF check_callback.kind !~ '^[a-z0-9_.-]{1,64}$' THEN
        RAISE EXCEPTION '%: expected a kind, 1 to 64 of a-z 0-9 _ . -, got %', argument,
            quote_literal(left(check_callback.kind, 100)) USING ERRCODE = 'LQ001';
    END IF;
    target_queue := coalesce(b.callback_queue,
        (SELECT k.queue FROM queue.kind k WHERE k.name = check_callback.kind), 'default');
    SELECT q.max_payload_bytes INTO most FROM queue.queue q WHERE q.name = target_queue;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'unknown queue %', quote_literal(left(target_queue, 100))
            USING ERRCODE = 'LQ002', HINT = 'Create it with queue.create_queue(name).';
    END IF;
    IF pg_column_size(queue.batch_callback_payload(b)) > most - 64 THEN
        PERFORM queue.too_large(b.payload, most);
    END IF;
END
$$;

CREATE FUNCTION queue.create_batch(
    name text DEFAULT NULL,
    on_success text DEFAULT NULL,
    on_failure text DEFAULT NULL,
    on_finish text DEFAULT NULL,
    payload jsonb DEFAULT '{}',
    callback_queue text DEFAULT NULL,
    callback_priority integer DEFAULT NULL,
    tenant_id uuid DEFAULT NULL,
    retention interval DEFAULT interval '14 days') RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    b queue.batch;
BEGIN
    IF char_length(create_batch.name) NOT BETWEEN 1 AND 200 THEN
        RAISE EXCEPTION 'name: expected 1 to 200 characters, got %', char_length(create_batch.name)
            USING ERRCODE = 'LQ001';
    END IF;
    IF create_batch.payload IS NULL THEN
        RAISE EXCEPTION 'payload: expected JSON, got NULL' USING ERRCODE = 'LQ008';
    END IF;
    IF create_batch.callback_priority NOT BETWEEN -32768 AND 32767 THEN
        RAISE EXCEPTION 'callback_priority: expected -32768 to 32767, got %',
            create_batch.callback_priority USING ERRCODE = 'LQ001';
    END IF;
    IF create_batch.retention IS NULL
       OR create_batch.retention NOT BETWEEN interval '0' AND interval '3650 days' THEN
        RAISE EXCEPTION 'retention: expected 0 to 3650 days, got %',
            coalesce(create_batch.retention::text, 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    -- Counts as long as they come.
    b.id := 9223372036854775807;
    b.total := b.id;
    b.succeeded := b.id;
    b.failed := 0;
    b.cancelled := 0;
    b.name := create_batch.name;
    b.payload := create_batch.payload;
    b.callback_queue := create_batch.callback_queue;
    PERFORM queue.check_callback('on_success', create_batch.on_success, b);
    PERFORM queue.check_callback('on_failure', create_batch.on_failure, b);
    PERFORM queue.check_callback('on_finish', create_batch.on_finish, b);
    INSERT INTO queue.batch (name, tenant_id, payload, on_success, on_failure, on_finish,
                             callback_queue, callback_priority, retention)
    VALUES (create_batch.name, create_batch.tenant_id, create_batch.payload,
            create_batch.on_success, create_batch.on_failure, create_batch.on_finish,
            create_batch.callback_queue, create_batch.callback_priority, create_batch.retention)
    RETURNING id INTO b.id;
    RETURN b.id;
END
$$;
COMMENT ON FUNCTION queue.create_batch IS
    'Makes a batch to enqueue jobs under; seal it when it has them all.';

-- Puts new jobs under a batch, in the transaction that enqueues them. Adders share a lock that the
-- one who seals takes alone, so it waits for them; among each other they never wait. An advisory
-- lock, because sharing the row's would write the row once per enqueue. Internal.
CREATE FUNCTION queue.add_to_batch(batch_id bigint, job_ids bigint[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    known record;
    n integer := cardinality(add_to_batch.job_ids);
BEGIN
    IF add_to_batch.batch_id IS NULL THEN
        PERFORM queue.no_such_batch(NULL);
    END IF;
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('queue.batch', add_to_batch.batch_id));
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        -- Whoever sealed it while we waited is not in our snapshot: then this raises 40001.
        PERFORM FROM queue.batch b WHERE b.id = add_to_batch.batch_id FOR SHARE;
    END IF;
    SELECT b.sealed_at, b.cancelled_at INTO known
    FROM queue.batch b WHERE b.id = add_to_batch.batch_id;
    IF NOT FOUND THEN
        PERFORM queue.no_such_batch(add_to_batch.batch_id);
    END IF;
    IF known.sealed_at IS NOT NULL THEN
        RAISE EXCEPTION 'batch % takes no more jobs: it was % at %', add_to_batch.batch_id,
            CASE WHEN known.cancelled_at IS NULL THEN 'sealed' ELSE 'cancelled' END,
            known.sealed_at USING ERRCODE = 'LQ006';
    END IF;
    IF n = 0 THEN
        RETURN;
    END IF;
    INSERT INTO queue.batch_part (batch_id, first_id, job_ids)
    SELECT add_to_batch.batch_id, add_to_batch.job_ids[s.at],
           add_to_batch.job_ids[s.at : s.at + 999]
    FROM generate_series(1, n, 1000) s (at);
    INSERT INTO queue.batch_tally (batch_id, total) VALUES (add_to_batch.batch_id, n);
END
$$;

CREATE FUNCTION queue.seal_batch(batch_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    b queue.batch;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('queue.batch', seal_batch.batch_id));
    SELECT x.* INTO b FROM queue.batch x WHERE x.id = seal_batch.batch_id FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM queue.no_such_batch(seal_batch.batch_id);
    END IF;
    IF b.sealed_at IS NOT NULL THEN
        RAISE EXCEPTION 'batch % cannot be sealed: it was % at %', b.id,
            CASE WHEN b.cancelled_at IS NULL THEN 'sealed' ELSE 'cancelled' END, b.sealed_at
            USING ERRCODE = 'LQ006';
    END IF;
    UPDATE queue.batch x SET sealed_at = clock_timestamp() WHERE x.id = b.id;
    INSERT INTO queue.batch_tally (batch_id) VALUES (b.id);
    PERFORM pg_notify('queue.wake', 'batches');
END
$$;
COMMENT ON FUNCTION queue.seal_batch IS
    'No more jobs: from now on it ends when they have. Waits for transactions that are adding.';

-- Counts what jobs of batches have come to: the attempt rows given were written in this
-- transaction. A final one counts its job; one that puts a finished job back in line takes back
-- what it counted. Internal.
CREATE FUNCTION queue.settle_batches(job_ids bigint[], lease_ids bigint[]) RETURNS void
LANGUAGE plpgsql
-- By index, whatever the statistics said when the plan was made.
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
#variable_conflict use_column
BEGIN
    WITH told AS MATERIALIZED (
        SELECT u.job_id, (j.meta ->> 'batch_id')::bigint AS batch_id,
               CASE WHEN a.next_run_at IS NULL THEN 1 ELSE -1 END AS change,
               CASE WHEN a.next_run_at IS NULL THEN a.outcome ELSE before.outcome END AS outcome
        FROM (SELECT unnest(settle_batches.job_ids) AS job_id,
                     unnest(settle_batches.lease_ids) AS lease_id) u
        CROSS JOIN LATERAL (
            SELECT x.outcome, x.next_run_at FROM queue.attempt x
            WHERE x.job_id = u.job_id AND x.lease_id = u.lease_id OFFSET 0) a
        CROSS JOIN LATERAL (SELECT x.meta FROM queue.job x WHERE x.id = u.job_id OFFSET 0) j
        LEFT JOIN LATERAL (
            SELECT x.outcome, x.next_run_at FROM queue.attempt x
            WHERE a.outcome = 'replayed' AND x.job_id = u.job_id AND x.lease_id < u.lease_id
            ORDER BY x.lease_id DESC LIMIT 1) before ON true
        WHERE a.next_run_at IS NULL
           OR (before.outcome IS NOT NULL AND before.next_run_at IS NULL)),
    sums AS (
        SELECT t.batch_id, sum(t.change) FILTER (WHERE t.outcome = 'completed') AS succeeded,
               sum(t.change) FILTER (WHERE t.outcome NOT IN ('completed', 'cancelled')) AS failed,
               sum(t.change) FILTER (WHERE t.outcome = 'cancelled') AS cancelled
        FROM told t
        -- A dead letter may outlive its batch.
        WHERE EXISTS (SELECT FROM queue.batch b WHERE b.id = t.batch_id)
        GROUP BY t.batch_id),
    failed AS (
        INSERT INTO queue.batch_failure (batch_id, job_id)
        SELECT t.batch_id, t.job_id FROM told t JOIN sums s ON s.batch_id = t.batch_id
        WHERE t.change = 1 AND t.outcome NOT IN ('completed', 'cancelled')
        ON CONFLICT DO NOTHING),
    revived AS (
        DELETE FROM queue.batch_failure f USING told t
        WHERE t.change = -1 AND f.batch_id = t.batch_id AND f.job_id = t.job_id)
    INSERT INTO queue.batch_tally (batch_id, succeeded, failed, cancelled)
    SELECT s.batch_id, coalesce(s.succeeded, 0), coalesce(s.failed, 0), coalesce(s.cancelled, 0)
    FROM sums s;
END
$$;
