-- breaking: no
-- Keys: jobs of one queue that run one after the other (ordering key) or at most so many at a time
-- (concurrency key), exactly, whatever processes and hosts there are. docs/keys.md has the reasons.
--
-- A job with a key does not stand in line: it waits in the line of its key (key_wait) until it is
-- admitted, and then stands in the ordinary line as one that holds the key (key_hold). So a blocked
-- key never stands before others, and the claim knows nothing of keys. Whoever enqueues or ends a
-- job with a key leaves word to look at it (key_look), waits for nobody and decides nothing; a
-- worker's turn takes the words up and decides, one at a time for a queue (queue.admit_keys).

CREATE TABLE queue.key_wait (
    job_id bigint NOT NULL PRIMARY KEY,
    queue_id integer NOT NULL,
    -- Of the line in which it stands when admitted.
    line_id integer NOT NULL,
    run_at timestamptz NOT NULL,
    attempt smallint NOT NULL,
    -- How many of its key may be admitted with it.
    most smallint NOT NULL,
    reconcile boolean,
    -- See queue.key_name.
    key text COLLATE "C" NOT NULL
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_cost_delay = 1);
CREATE INDEX key_wait_key_idx ON queue.key_wait (queue_id, key, run_at, job_id);
COMMENT ON TABLE queue.key_wait IS 'The lines of the keys: jobs that are not admitted yet';

CREATE TABLE queue.key_hold (
    queue_id integer NOT NULL,
    key text COLLATE "C" NOT NULL,
    job_id bigint NOT NULL,
    -- When it was put in line. A job stands there at the latest of this and its own time.
    ready_at timestamptz,
    CONSTRAINT key_hold_pkey PRIMARY KEY (queue_id, key, job_id)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_cost_delay = 1);
CREATE INDEX key_hold_job_id_idx ON queue.key_hold (job_id);
COMMENT ON TABLE queue.key_hold IS 'Who is admitted under which key';

CREATE SEQUENCE queue.key_look_id_seq AS bigint;
CREATE TABLE queue.key_look (
    queue_id integer NOT NULL,
    look_at timestamptz NOT NULL,
    id bigint NOT NULL DEFAULT nextval('queue.key_look_id_seq'),
    key text COLLATE "C" NOT NULL,
    CONSTRAINT key_look_pkey PRIMARY KEY (queue_id, look_at, id)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_cost_delay = 1);
COMMENT ON TABLE queue.key_look IS 'Keys to look at: something came, or something ended';

-- Queues in which keys were ever used: only there do turns admit. Not unique on purpose: two
-- transactions that use one first both say so, and neither waits for the other.
CREATE TABLE queue.keyed_queue (queue_id integer NOT NULL);

-- All that waits, wherever it stands. For who looks; claims read queue.ready.
CREATE VIEW queue.waiting WITH (security_invoker = true) AS
SELECT r.id, r.run_at, r.line_id, r.attempt, r.reconcile FROM queue.ready r
UNION ALL
SELECT w.job_id, w.run_at, w.line_id, w.attempt, w.reconcile FROM queue.key_wait w;

-- o or c, the tenant, the key: tenants never share a key.
CREATE FUNCTION queue.key_name(sort text, tenant_id uuid, key text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sort || coalesce(tenant_id::text, '-') || ' ' || key;

-- Puts jobs in the line of the first key they need and do not hold; in the ordinary line when there
-- is none. First the ordering key, then the concurrency key: everybody in the same order, so nobody
-- waits for each other. Jobs of one call have the same keys. Internal.
CREATE FUNCTION queue.wait_for_key(
    ids bigint[], queue_id integer, line_id integer, due timestamptz, tenant_id uuid, meta jsonb,
    attempt integer DEFAULT 0, reconcile boolean DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    ordering text := queue.key_name('o', wait_for_key.tenant_id, meta ->> 'ordering_key');
    concurrency text := queue.key_name('c', wait_for_key.tenant_id, meta ->> 'concurrency_key');
    wanted text;
BEGIN
    IF ordering IS NOT NULL AND NOT EXISTS (
        SELECT FROM queue.key_hold h
        WHERE h.queue_id = wait_for_key.queue_id AND h.key = ordering
          AND h.job_id = wait_for_key.ids[1]) THEN
        wanted := ordering;
    ELSIF concurrency IS NOT NULL AND NOT EXISTS (
        SELECT FROM queue.key_hold h
        WHERE h.queue_id = wait_for_key.queue_id AND h.key = concurrency
          AND h.job_id = wait_for_key.ids[1]) THEN
        wanted := concurrency;
    ELSE
        INSERT INTO queue.ready (id, run_at, line_id, attempt, reconcile)
        SELECT unnest(wait_for_key.ids), wait_for_key.due, wait_for_key.line_id,
               wait_for_key.attempt, wait_for_key.reconcile;
        RETURN;
    END IF;
    INSERT INTO queue.key_wait (job_id, queue_id, line_id, run_at, attempt, most, reconcile, key)
    SELECT unnest(wait_for_key.ids), wait_for_key.queue_id, wait_for_key.line_id,
           wait_for_key.due, wait_for_key.attempt,
           CASE WHEN wanted = ordering THEN 1
                ELSE coalesce((meta ->> 'key_concurrency')::smallint, 1) END,
           wait_for_key.reconcile, wanted;
    INSERT INTO queue.key_look (queue_id, look_at, key)
    VALUES (wait_for_key.queue_id, wait_for_key.due, wanted);
    IF NOT EXISTS (SELECT FROM queue.keyed_queue k WHERE k.queue_id = wait_for_key.queue_id) THEN
        INSERT INTO queue.keyed_queue (queue_id) VALUES (wait_for_key.queue_id);
        PERFORM pg_notify('queue.wake', 'lines');
    END IF;
END
$$;

-- Back in line, wherever the job's keys want it. Internal.
CREATE FUNCTION queue.put_in_line(
    job_id bigint, due timestamptz, attempt smallint, reconcile boolean) RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    j record;
BEGIN
    SELECT x.line_id, x.tenant_id, x.meta, l.queue_id INTO STRICT j
    FROM queue.job x JOIN queue.line l ON l.id = x.line_id
    WHERE x.id = put_in_line.job_id;
    PERFORM queue.wait_for_key(ARRAY[put_in_line.job_id], j.queue_id, j.line_id, put_in_line.due,
                               j.tenant_id, j.meta, put_in_line.attempt, put_in_line.reconcile);
END
$$;

-- What the end of a run means for its job's keys. An ordering key is held until the job has ended,
-- through all retries; a concurrency key while it runs, so one that waits for its next attempt
-- gives it up and waits for it anew. A lost job keeps both: it runs again at once.
CREATE FUNCTION queue.settle_keys(job_ids bigint[], lease_ids bigint[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    j record;
BEGIN
    WITH ended AS MATERIALIZED (
        SELECT a.job_id
        FROM (SELECT unnest(settle_keys.job_ids) AS job_id,
                     unnest(settle_keys.lease_ids) AS lease_id) u
        CROSS JOIN LATERAL (
            SELECT x.job_id FROM queue.attempt x
            WHERE x.job_id = u.job_id AND x.lease_id = u.lease_id AND x.next_run_at IS NULL
            OFFSET 0) a),
    freed AS (
        DELETE FROM queue.key_hold h USING ended e WHERE h.job_id = e.job_id
        RETURNING h.queue_id, h.key)
    INSERT INTO queue.key_look (queue_id, look_at, key)
    SELECT DISTINCT f.queue_id, clock_timestamp(), f.key FROM freed f;
    FOR j IN
        SELECT x.id, x.line_id, x.tenant_id, x.meta, a.next_run_at
        FROM (SELECT unnest(settle_keys.job_ids) AS job_id,
                     unnest(settle_keys.lease_ids) AS lease_id) u
        CROSS JOIN LATERAL (
            SELECT y.next_run_at, y.outcome FROM queue.attempt y
            WHERE y.job_id = u.job_id AND y.lease_id = u.lease_id OFFSET 0) a
        CROSS JOIN LATERAL (SELECT y.* FROM queue.job y WHERE y.id = u.job_id OFFSET 0) x
        WHERE a.next_run_at IS NOT NULL AND a.outcome NOT IN ('lost', 'replayed')
          AND x.meta ? 'concurrency_key'
    LOOP
        PERFORM queue.wait_again(j.id, j.line_id, j.next_run_at, j.tenant_id, j.meta);
    END LOOP;
END
$$;

-- Takes a job that waits for its next attempt out of line and puts it in the line of its
-- concurrency key. Internal.
CREATE FUNCTION queue.wait_again(
    job_id bigint, line_id integer, due timestamptz, tenant_id uuid, meta jsonb) RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    waiting record;
    freed record;
BEGIN
    DELETE FROM queue.ready r
    WHERE r.line_id = wait_again.line_id AND r.run_at = wait_again.due
      AND r.id = wait_again.job_id
    RETURNING r.attempt, r.reconcile INTO waiting;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    DELETE FROM queue.key_hold h
    WHERE h.job_id = wait_again.job_id
      AND h.key = queue.key_name('c', wait_again.tenant_id, meta ->> 'concurrency_key')
    RETURNING h.queue_id, h.key INTO freed;
    INSERT INTO queue.key_look (queue_id, look_at, key)
    VALUES (freed.queue_id, clock_timestamp(), freed.key);
    PERFORM queue.wait_for_key(ARRAY[wait_again.job_id], freed.queue_id, wait_again.line_id,
                               wait_again.due, wait_again.tenant_id, wait_again.meta,
                               waiting.attempt, waiting.reconcile);
END
$$;

-- Admits what may be admitted in a queue: takes up the words left there and puts the next jobs of
-- those keys in line. One at a time for a queue, so that what it counts is true until it commits;
-- who finds another at it looks again a moment later. Nobody waits in here: a job that somebody
-- else holds locked (who cancels it, say) is left, and so are those behind it under its key.
-- Dead rows of old words lie before the new ones while somebody keeps an old snapshot: unless
-- `whole`, only words of the last ten seconds are read. admitted is NULL when another was at it;
-- wait_us says when to look again (NULL: nothing is known to come).
CREATE FUNCTION queue.admit_keys(queue_id integer, whole boolean DEFAULT true,
                                 OUT admitted integer, OUT wait_us bigint)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    at_now timestamptz;
    since timestamptz := '-infinity';
    keys text[];
    more text[];
    found_now integer;
    rounds integer := 0;
    next_at timestamptz;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('queue.admit_keys', admit_keys.queue_id)) THEN
        wait_us := 3000;
        RETURN;
    END IF;
    admitted := 0;
    -- Read under the lock: what committed before is seen, by this and by every later statement.
    at_now := clock_timestamp();
    IF NOT admit_keys.whole THEN
        since := at_now - interval '10 seconds';
    END IF;
    LOOP
        WITH taken AS (
            DELETE FROM queue.key_look l
            WHERE l.ctid = ANY (ARRAY(
                SELECT x.ctid FROM queue.key_look x
                WHERE x.queue_id = admit_keys.queue_id AND x.look_at >= since
                  AND x.look_at <= at_now
                ORDER BY x.look_at, x.id LIMIT 500))
            RETURNING l.key)
        SELECT array_agg(DISTINCT t.key), count(*) INTO keys, found_now FROM taken t;
        WHILE keys IS NOT NULL LOOP
            SELECT a.admitted + admit_keys.admitted, a.more INTO admitted, more
            FROM queue.admit_next(admit_keys.queue_id, keys, at_now) a;
            keys := more;
        END LOOP;
        rounds := rounds + 1;
        EXIT WHEN found_now < 500 OR rounds = 4;
    END LOOP;
    IF found_now = 500 THEN
        wait_us := 0;
    ELSE
        SELECT x.look_at INTO next_at FROM queue.key_look x
        WHERE x.queue_id = admit_keys.queue_id AND x.look_at > at_now
        ORDER BY x.look_at, x.id LIMIT 1;
        wait_us := (extract(epoch FROM next_at - at_now) * 1000000)::bigint;
    END IF;
    IF admitted > 0 THEN
        PERFORM pg_notify('queue.wake', q.id::text) FROM queue.queue q
        WHERE q.id = admit_keys.queue_id
          AND pg_sequence_last_value(q.doorbell) > extract(epoch FROM at_now) * 1000;
    END IF;
END
$$;

-- Admits the next jobs under these keys, as many as each lets in. `more` are the keys that jobs
-- which have two now wait for. Internal, under the lock of admit_keys.
CREATE FUNCTION queue.admit_next(
    queue_id integer, keys text[], at_now timestamptz, OUT admitted integer, OUT more text[])
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    picked record;
    locked bigint[];
BEGIN
    admitted := 0;
    SELECT array_agg(w.job_id) AS jobs, array_agg(w.key) AS keys INTO picked
    FROM unnest(admit_next.keys) k (key)
    CROSS JOIN LATERAL (
        SELECT count(*) AS held FROM queue.key_hold x
        WHERE x.queue_id = admit_next.queue_id AND x.key = k.key) h
    CROSS JOIN LATERAL (
        SELECT y.job_id, y.key, y.most,
               row_number() OVER (ORDER BY y.run_at, y.job_id) AS place
        FROM (SELECT x.job_id, x.key, x.most, x.run_at FROM queue.key_wait x
              WHERE x.queue_id = admit_next.queue_id AND x.key = k.key
                AND x.run_at <= admit_next.at_now
              ORDER BY x.run_at, x.job_id
              -- As many as the first one lets in.
              LIMIT greatest(0, coalesce((
                  SELECT f.most FROM queue.key_wait f
                  WHERE f.queue_id = admit_next.queue_id AND f.key = k.key
                  ORDER BY f.run_at, f.job_id LIMIT 1), 0) - h.held)) y) w
    WHERE h.held + w.place <= w.most;
    IF picked.jobs IS NULL THEN
        RETURN;
    END IF;
    locked := ARRAY(SELECT x.job_id FROM queue.key_wait x WHERE x.job_id = ANY (picked.jobs)
                    ORDER BY x.job_id FOR UPDATE SKIP LOCKED);
    IF cardinality(locked) < cardinality(picked.jobs) THEN
        INSERT INTO queue.key_look (queue_id, look_at, key)
        SELECT DISTINCT admit_next.queue_id, clock_timestamp() + interval '100 milliseconds', u.key
        FROM unnest(picked.jobs, picked.keys) u (job_id, key)
        WHERE u.job_id <> ALL (locked);
    END IF;
    -- Who has another key to wait for goes on to its line.
    WITH both_keys AS MATERIALIZED (
        SELECT w.job_id, w.key, coalesce((j.meta ->> 'key_concurrency')::smallint, 1) AS most,
               queue.key_name('c', j.tenant_id, j.meta ->> 'concurrency_key') AS next_key
        FROM queue.key_wait w
        CROSS JOIN LATERAL (SELECT x.* FROM queue.job x WHERE x.id = w.job_id OFFSET 0) j
        WHERE w.job_id = ANY (locked) AND left(w.key, 1) = 'o' AND j.meta ? 'concurrency_key'),
    kept AS (
        INSERT INTO queue.key_hold (queue_id, key, job_id)
        SELECT admit_next.queue_id, b.key, b.job_id FROM both_keys b),
    moved AS (
        UPDATE queue.key_wait w SET key = b.next_key, most = b.most
        FROM both_keys b WHERE w.job_id = b.job_id
        RETURNING w.job_id, w.key)
    SELECT array_agg(m.job_id) AS jobs, array_agg(DISTINCT m.key) AS keys INTO picked FROM moved m;
    more := picked.keys;
    WITH taken AS (
        DELETE FROM queue.key_wait w
        WHERE w.job_id = ANY (locked) AND w.job_id <> ALL (coalesce(picked.jobs, '{}'))
        RETURNING w.job_id, w.line_id, w.attempt, w.reconcile, w.key, w.run_at),
    kept AS (
        INSERT INTO queue.key_hold (queue_id, key, job_id, ready_at)
        SELECT admit_next.queue_id, t.key, t.job_id, admit_next.at_now FROM taken t),
    put AS (
        -- Never behind the cursors of the workers: a job is in line from now on.
        INSERT INTO queue.ready (id, run_at, line_id, attempt, reconcile)
        SELECT t.job_id, admit_next.at_now, t.line_id, t.attempt, t.reconcile FROM taken t)
    SELECT count(*) INTO admitted FROM taken;
END
$$;

-- Keys that are held by jobs which have ended, as a worker of an older version leaves them: frees
-- them and says so. Internal.
CREATE FUNCTION queue.free_ended_keys(most integer) RETURNS bigint
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    done bigint;
BEGIN
    WITH ended AS MATERIALIZED (
        SELECT h.queue_id, h.key, h.job_id FROM queue.key_hold h
        WHERE NOT EXISTS (SELECT FROM queue.job j WHERE j.id = h.job_id)
           OR EXISTS (SELECT FROM (SELECT a.next_run_at FROM queue.attempt a
                                   WHERE a.job_id = h.job_id ORDER BY a.lease_id DESC LIMIT 1) l
                      WHERE l.next_run_at IS NULL)
        LIMIT free_ended_keys.most),
    freed AS (
        DELETE FROM queue.key_hold h USING ended e
        WHERE h.queue_id = e.queue_id AND h.key = e.key AND h.job_id = e.job_id
        RETURNING h.queue_id, h.key)
    INSERT INTO queue.key_look (queue_id, look_at, key)
    SELECT f.queue_id, clock_timestamp(), f.key FROM freed f;
    GET DIAGNOSTICS done = ROW_COUNT;
    RETURN done;
END
$$;

-- What keeps a job from being admitted. NULL: nothing, the next look admits it. Internal.
CREATE FUNCTION queue.explain_key(job_id bigint) RETURNS text
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    w record;
    holders text;
    ahead bigint;
BEGIN
    SELECT x.queue_id, x.key, x.run_at, x.most INTO w
    FROM queue.key_wait x WHERE x.job_id = explain_key.job_id;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT string_agg(format('job %s (%s)', h.job_id, j.state), ', ' ORDER BY h.job_id)
    INTO holders
    FROM (SELECT x.job_id FROM queue.key_hold x
          WHERE x.queue_id = w.queue_id AND x.key = w.key ORDER BY x.job_id LIMIT 5) h
    JOIN queue.jobs j ON j.id = h.job_id;
    IF holders IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT count(*) INTO ahead
    FROM (SELECT FROM queue.key_wait x
          WHERE x.queue_id = w.queue_id AND x.key = w.key
            AND (x.run_at, x.job_id) < (w.run_at, explain_key.job_id) LIMIT 10000) f;
    RETURN format('%s key %s is held by %s, %s at a time; %s%s jobs ahead',
                  CASE left(w.key, 1) WHEN 'o' THEN 'ordering' ELSE 'concurrency' END,
                  quote_literal(substr(w.key, strpos(w.key, ' ') + 1)), holders, w.most,
                  CASE WHEN ahead = 10000 THEN 'over ' ELSE '' END, ahead);
END
$$;
