-- breaking: no
-- What the processes say of the past for charts and alerts, and who of them does what one does for
-- all of them.

-- A duty is held for a while by one process at a time. A row and no advisory lock: it works
-- through a transaction pooler, and the holder is there to be seen.
CREATE TABLE queue.duty (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    holder text COLLATE "C" NOT NULL,
    held_until timestamptz NOT NULL
);
COMMENT ON TABLE queue.duty IS 'What one process does for all, and which one does';

-- Takes the duty or keeps it; whether the caller holds it now. Lets go with a time of 0.
CREATE FUNCTION queue.hold_duty(name text, holder text, hold_for interval) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH held AS (
        INSERT INTO queue.duty AS d (name, holder, held_until)
        VALUES (hold_duty.name, hold_duty.holder, clock_timestamp() + hold_duty.hold_for)
        ON CONFLICT ON CONSTRAINT duty_pkey DO UPDATE
        SET holder = excluded.holder, held_until = excluded.held_until
        WHERE d.holder = excluded.holder OR d.held_until <= clock_timestamp()
        RETURNING 1)
    SELECT EXISTS (SELECT FROM held)
$$;
COMMENT ON FUNCTION queue.hold_duty IS 'For processes: at most one holds a duty at a time';

-- A minute of one queue: what one process ended in it, or, with no process, what stood in line.
CREATE TABLE queue.sample (
    at timestamptz NOT NULL,
    queue text COLLATE "C" NOT NULL,
    -- Of one start of a process; empty: the state of the queue.
    process text COLLATE "C" NOT NULL,
    completed bigint NOT NULL DEFAULT 0,
    retried bigint NOT NULL DEFAULT 0,
    snoozed bigint NOT NULL DEFAULT 0,
    discarded bigint NOT NULL DEFAULT 0,
    cancelled bigint NOT NULL DEFAULT 0,
    unknown bigint NOT NULL DEFAULT 0,
    -- How many of them had waited, or ran, up to each of queue.sample_bounds(), each counted once;
    -- the last one is for all that took longer.
    wait_buckets bigint[],
    run_buckets bigint[],
    ready bigint,
    scheduled bigint,
    retrying bigint,
    running bigint,
    dead bigint,
    oldest_seconds double precision,
    CONSTRAINT sample_pkey PRIMARY KEY (at, queue, process)
);
COMMENT ON TABLE queue.sample IS 'History for charts, by the minute; kept for 30 days';

-- The present level of something that handlers told of, the latest one whichever process it is of.
CREATE TABLE queue.level (
    name text COLLATE "C" NOT NULL,
    -- {"label": "value"}
    labels jsonb NOT NULL,
    value double precision NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT level_pkey PRIMARY KEY (name, labels)
);
COMMENT ON TABLE queue.level IS 'Levels that handlers told of: balances; kept for a day';

-- Array of {name, labels, value}; at most 1000 names are kept.
CREATE FUNCTION queue.put_levels(levels jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO queue.level AS v (name, labels, value, at)
    SELECT DISTINCT ON (l.name, l.labels) l.name, l.labels, l.value, clock_timestamp()
    FROM jsonb_to_recordset(put_levels.levels)
         l (name text, labels jsonb, value double precision)
    WHERE (SELECT count(*) FROM queue.level) < 1000
    ORDER BY l.name, l.labels
    ON CONFLICT ON CONSTRAINT level_pkey DO UPDATE
    SET value = excluded.value, at = excluded.at
$$;

CREATE FUNCTION queue.sample_bounds() RETURNS double precision[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
                 300, 1800, 7200, 43200]::double precision[]
$$;

-- Rows as JSON objects with the columns as members. A row that is there already stays as it is:
-- who does not know whether the first try arrived tries again.
CREATE FUNCTION queue.put_samples(samples jsonb) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH put AS (
        INSERT INTO queue.sample (
            at, queue, process, completed, retried, snoozed, discarded, cancelled, unknown,
            wait_buckets, run_buckets, ready, scheduled, retrying, running, dead, oldest_seconds)
        SELECT date_trunc('minute', coalesce(s.at, clock_timestamp())), s.queue,
               coalesce(s.process, ''), coalesce(s.completed, 0), coalesce(s.retried, 0),
               coalesce(s.snoozed, 0), coalesce(s.discarded, 0), coalesce(s.cancelled, 0),
               coalesce(s.unknown, 0), s.wait_buckets, s.run_buckets, s.ready, s.scheduled,
               s.retrying, s.running, s.dead, s.oldest_seconds
        FROM jsonb_to_recordset(put_samples.samples) s (
            at timestamptz, queue text, process text, completed bigint, retried bigint,
            snoozed bigint, discarded bigint, cancelled bigint, unknown bigint,
            wait_buckets bigint[], run_buckets bigint[], ready bigint, scheduled bigint,
            retrying bigint, running bigint, dead bigint, oldest_seconds double precision)
        ON CONFLICT ON CONSTRAINT sample_pkey DO NOTHING
        RETURNING 1)
    SELECT count(*) FROM put
$$;

-- The value below which a share of what the buckets hold lies: the bucket it falls into is taken
-- as evenly filled (as histogram_quantile of Prometheus does). NULL when they hold nothing.
CREATE FUNCTION queue.bucket_quantile(buckets bigint[], share double precision)
RETURNS double precision
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
    WITH bucket AS (
        SELECT u.place, u.held, sum(u.held) OVER (ORDER BY u.place) AS up_to,
               sum(u.held) OVER () AS total, b.bounds,
               coalesce(b.bounds[u.place - 1], 0) AS lower_bound
        FROM unnest(bucket_quantile.buckets) WITH ORDINALITY u (held, place)
        CROSS JOIN (SELECT queue.sample_bounds() AS bounds) b)
    SELECT CASE WHEN k.bounds[k.place] IS NULL THEN k.lower_bound
                ELSE k.lower_bound + (k.bounds[k.place] - k.lower_bound)
                     * (bucket_quantile.share * k.total - (k.up_to - k.held)) / k.held END
    FROM bucket k
    WHERE k.held > 0 AND k.up_to >= bucket_quantile.share * k.total
    ORDER BY k.place
    LIMIT 1
$$;

-- A chart. Metrics and their series: throughput (completed, failed: per second), failures
-- (percent: of what ended), wait and run (p50, p95, p99: seconds), depth (ready, scheduled,
-- retrying, running, dead: jobs). Of one queue or, NULL, of all. One row per step and series;
-- value NULL where nothing is known.
CREATE FUNCTION queue.sample_series(
    metric text, queue text DEFAULT NULL, from_time timestamptz DEFAULT NULL,
    to_time timestamptz DEFAULT NULL, step interval DEFAULT '1 minute')
RETURNS TABLE (at timestamptz, name text, value double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    seconds double precision := extract(epoch FROM sample_series.step);
    until timestamptz := coalesce(sample_series.to_time, clock_timestamp());
    since timestamptz := coalesce(sample_series.from_time, until - interval '1 hour');
    -- Steps begin at whole multiples, so that a chart that moves keeps its values.
    origin timestamptz := timestamptz '2000-01-01 00:00:00+00';
BEGIN
    -- Figures of all tenants together.
    PERFORM queue.refuse_tenant('stats');
    IF seconds < 60 OR seconds > 86400 OR mod(seconds::numeric, 60) <> 0 THEN
        RAISE EXCEPTION 'step: expected whole minutes from 1 minute to 1 day, got %',
            sample_series.step USING ERRCODE = 'LQ001';
    END IF;
    IF sample_series.metric NOT IN ('throughput', 'failures', 'wait', 'run', 'depth') THEN
        RAISE EXCEPTION 'metric: expected throughput, failures, wait, run or depth, got %',
            left(sample_series.metric, 64) USING ERRCODE = 'LQ001';
    END IF;
    IF since >= until OR (extract(epoch FROM until - since) / seconds) > 2000 THEN
        RAISE EXCEPTION 'from and to: expected at most 2000 steps of time, from before to'
            USING ERRCODE = 'LQ001', HINT = 'A longer step covers a longer time.';
    END IF;
    RETURN QUERY
    WITH steps AS (
        SELECT g.at FROM generate_series(
            date_bin(sample_series.step, since, origin), until - interval '1 microsecond',
            sample_series.step) g (at)),
    ended AS (
        SELECT date_bin(sample_series.step, s.at, origin) AS at, sum(s.completed) AS completed,
               sum(s.retried + s.discarded + s.unknown) AS failed
        FROM queue.sample s
        WHERE s.at >= date_bin(sample_series.step, since, origin) AND s.at < until
          AND (sample_series.queue IS NULL OR s.queue = sample_series.queue)
          AND s.process <> '' AND sample_series.metric IN ('throughput', 'failures')
        GROUP BY 1),
    held AS (
        SELECT b.at, array_agg(b.held ORDER BY b.place) AS buckets
        FROM (SELECT date_bin(sample_series.step, s.at, origin) AS at, u.place,
                     sum(u.held)::bigint AS held
              FROM queue.sample s
              CROSS JOIN LATERAL unnest(CASE sample_series.metric WHEN 'wait' THEN s.wait_buckets
                                        ELSE s.run_buckets END) WITH ORDINALITY u (held, place)
              WHERE s.at >= date_bin(sample_series.step, since, origin) AND s.at < until
                AND (sample_series.queue IS NULL OR s.queue = sample_series.queue)
                AND sample_series.metric IN ('wait', 'run')
              GROUP BY 1, u.place) b
        GROUP BY b.at),
    stood AS (
        SELECT date_bin(sample_series.step, m.at, origin) AS at, avg(m.ready) AS ready,
               avg(m.scheduled) AS scheduled, avg(m.retrying) AS retrying,
               avg(m.running) AS running, avg(m.dead) AS dead
        FROM (SELECT s.at, sum(s.ready) AS ready, sum(s.scheduled) AS scheduled,
                     sum(s.retrying) AS retrying, sum(s.running) AS running, sum(s.dead) AS dead
              FROM queue.sample s
              WHERE s.at >= date_bin(sample_series.step, since, origin) AND s.at < until
                AND (sample_series.queue IS NULL OR s.queue = sample_series.queue)
                AND s.process = '' AND sample_series.metric = 'depth'
              GROUP BY s.at) m
        GROUP BY 1)
    SELECT t.at, v.name, v.value::double precision
    FROM steps t
    LEFT JOIN ended e ON e.at = t.at
    LEFT JOIN held h ON h.at = t.at
    LEFT JOIN stood d ON d.at = t.at
    CROSS JOIN LATERAL (VALUES
        ('throughput', 1, 'completed', (e.completed / seconds)::double precision),
        ('throughput', 2, 'failed', (e.failed / seconds)::double precision),
        ('failures', 1, 'percent',
         (100.0 * e.failed / nullif(e.completed + e.failed, 0))::double precision),
        ('wait', 1, 'p50', queue.bucket_quantile(h.buckets, 0.5)),
        ('wait', 2, 'p95', queue.bucket_quantile(h.buckets, 0.95)),
        ('wait', 3, 'p99', queue.bucket_quantile(h.buckets, 0.99)),
        ('run', 1, 'p50', queue.bucket_quantile(h.buckets, 0.5)),
        ('run', 2, 'p95', queue.bucket_quantile(h.buckets, 0.95)),
        ('run', 3, 'p99', queue.bucket_quantile(h.buckets, 0.99)),
        ('depth', 1, 'ready', d.ready::double precision),
        ('depth', 2, 'scheduled', d.scheduled::double precision),
        ('depth', 3, 'retrying', d.retrying::double precision),
        ('depth', 4, 'running', d.running::double precision),
        ('depth', 5, 'dead', d.dead::double precision)) v (metric, place, name, value)
    WHERE v.metric = sample_series.metric
    ORDER BY v.place, t.at;
END
$$;
COMMENT ON FUNCTION queue.sample_series IS 'History of a queue or of all, for a chart';

-- Removes samples of more than 30 days ago, at most so many, and levels of more than a day.
CREATE FUNCTION queue.prune_samples(now_time timestamptz, most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH old AS (
        SELECT s.at, s.queue, s.process FROM queue.sample s
        WHERE s.at < coalesce(prune_samples.now_time, now()) - interval '30 days'
        ORDER BY s.at
        LIMIT prune_samples.most),
    gone AS (
        DELETE FROM queue.sample s USING old o
        WHERE s.at = o.at AND s.queue = o.queue AND s.process = o.process
        RETURNING 1),
    stale AS (
        DELETE FROM queue.level v
        WHERE v.at < coalesce(prune_samples.now_time, now()) - interval '1 day'
        RETURNING 1)
    SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM stale)
$$;

SELECT queue.allow('operator', 'queue.sample_series');
SELECT queue.apply_rights();
