-- breaking: no
-- What the screens of the dashboard ask for costs less: charts read only the samples they show, and
-- the page of one queue looks at that queue alone. See docs/dashboard.md.

-- As before (the bucket a share falls into is taken as evenly filled, as histogram_quantile of
-- Prometheus does; NULL when they hold nothing), in one pass.
CREATE OR REPLACE FUNCTION queue.bucket_quantile(buckets bigint[], share double precision)
RETURNS double precision
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    bounds CONSTANT double precision[] := queue.sample_bounds();
    wanted double precision := (
        SELECT bucket_quantile.share * sum(u.held) FROM unnest(bucket_quantile.buckets) u (held));
    lower_bound double precision := 0;
    below double precision := 0;
    held bigint;
BEGIN
    IF wanted IS NULL THEN
        RETURN NULL;
    END IF;
    FOR place IN 1..cardinality(bucket_quantile.buckets) LOOP
        held := bucket_quantile.buckets[place];
        IF held > 0 THEN
            IF below + held >= wanted THEN
                RETURN CASE WHEN bounds[place] IS NULL THEN lower_bound
                            ELSE lower_bound + (bounds[place] - lower_bound)
                                 * (wanted - below) / held END;
            END IF;
            below := below + held;
        END IF;
        lower_bound := coalesce(bounds[place], lower_bound);
    END LOOP;
    RETURN NULL;
END
$$;

-- The samples of a time. Of one queue they are looked up minute by minute, which is when they are
-- taken; those of all queues stand side by side. Inlined into what asks. Index: sample_pkey.
CREATE FUNCTION queue.samples_between(queue text, from_time timestamptz, to_time timestamptz)
RETURNS SETOF queue.sample
LANGUAGE sql STABLE
AS $$
    SELECT s.* FROM queue.sample s
    WHERE samples_between.queue IS NULL
      AND s.at >= samples_between.from_time AND s.at < samples_between.to_time
    UNION ALL
    SELECT s.*
    FROM generate_series(samples_between.from_time,
                         samples_between.to_time - interval '1 microsecond',
                         interval '1 minute') m (at)
    CROSS JOIN LATERAL (SELECT x.* FROM queue.sample x
                        WHERE x.at = m.at AND x.queue = samples_between.queue OFFSET 0) s
    WHERE samples_between.queue IS NOT NULL
$$;

-- As before, but each metric reads and computes what it shows and nothing else.
CREATE OR REPLACE FUNCTION queue.sample_series(
    metric text, queue text DEFAULT NULL, from_time timestamptz DEFAULT NULL,
    to_time timestamptz DEFAULT NULL, step interval DEFAULT '1 minute')
RETURNS TABLE (at timestamptz, name text, value double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    seconds double precision := extract(epoch FROM sample_series.step);
    until timestamptz := coalesce(sample_series.to_time, clock_timestamp());
    since timestamptz := coalesce(sample_series.from_time, until - interval '1 hour');
    -- Steps begin at whole multiples, so that a chart that moves keeps its values.
    origin timestamptz := timestamptz '2000-01-01 00:00:00+00';
    first timestamptz;
    last timestamptz := until - interval '1 microsecond';
BEGIN
    -- Figures of all tenants together.
    PERFORM queue.refuse_tenant('stats');
    IF seconds < 60 OR seconds > 86400 OR mod(seconds::numeric, 60) <> 0 THEN
        RAISE EXCEPTION 'step: expected whole minutes from 1 minute to 1 day, got %',
            sample_series.step USING ERRCODE = 'LQ001';
    END IF;
    IF since >= until OR (extract(epoch FROM until - since) / seconds) > 2000 THEN
        RAISE EXCEPTION 'from and to: expected at most 2000 steps of time, from before to'
            USING ERRCODE = 'LQ001', HINT = 'A longer step covers a longer time.';
    END IF;
    first := date_bin(sample_series.step, since, origin);
    IF sample_series.metric IN ('throughput', 'failures') THEN
        RETURN QUERY
        WITH ended AS (
            SELECT date_bin(sample_series.step, s.at, origin) AS at, sum(s.completed) AS completed,
                   sum(s.retried + s.discarded + s.unknown) AS failed
            FROM queue.samples_between(sample_series.queue, first, until) s
            WHERE s.process <> ''
            GROUP BY 1)
        SELECT t.at, v.name, v.value::double precision
        FROM generate_series(first, last, sample_series.step) t (at)
        LEFT JOIN ended e ON e.at = t.at
        CROSS JOIN LATERAL (VALUES
            ('throughput', 1, 'completed', e.completed / seconds),
            ('throughput', 2, 'failed', e.failed / seconds),
            ('failures', 1, 'percent',
             (100.0 * e.failed / nullif(e.completed + e.failed, 0))::double precision))
            v (metric, place, name, value)
        WHERE v.metric = sample_series.metric
        ORDER BY v.place, t.at;
    ELSIF sample_series.metric IN ('wait', 'run') THEN
        RETURN QUERY
        WITH held AS (
            -- One for each of queue.sample_bounds() and one for what took longer.
            SELECT date_bin(sample_series.step, s.at, origin) AS at,
                   ARRAY[sum(s.b[1]), sum(s.b[2]), sum(s.b[3]), sum(s.b[4]), sum(s.b[5]),
                         sum(s.b[6]), sum(s.b[7]), sum(s.b[8]), sum(s.b[9]), sum(s.b[10]),
                         sum(s.b[11]), sum(s.b[12]), sum(s.b[13]), sum(s.b[14]), sum(s.b[15]),
                         sum(s.b[16]), sum(s.b[17]), sum(s.b[18]), sum(s.b[19]), sum(s.b[20])]
                       ::bigint[] AS buckets
            FROM (SELECT x.at, CASE sample_series.metric WHEN 'wait' THEN x.wait_buckets
                               ELSE x.run_buckets END AS b
                  FROM queue.samples_between(sample_series.queue, first, until) x
                  WHERE x.process <> '') s
            GROUP BY 1)
        SELECT t.at, v.name, queue.bucket_quantile(h.buckets, v.share)
        FROM generate_series(first, last, sample_series.step) t (at)
        LEFT JOIN held h ON h.at = t.at
        CROSS JOIN (VALUES (1, 'p50', 0.5), (2, 'p95', 0.95), (3, 'p99', 0.99))
            v (place, name, share)
        ORDER BY v.place, t.at;
    ELSIF sample_series.metric = 'depth' THEN
        RETURN QUERY
        WITH stood AS (
            SELECT date_bin(sample_series.step, m.at, origin) AS at, avg(m.ready) AS ready,
                   avg(m.scheduled) AS scheduled, avg(m.retrying) AS retrying,
                   avg(m.running) AS running, avg(m.dead) AS dead
            FROM (SELECT s.at, sum(s.ready) AS ready, sum(s.scheduled) AS scheduled,
                         sum(s.retrying) AS retrying, sum(s.running) AS running,
                         sum(s.dead) AS dead
                  FROM queue.samples_between(sample_series.queue, first, until) s
                  WHERE s.process = ''
                  GROUP BY s.at) m
            GROUP BY 1)
        SELECT t.at, v.name, v.value::double precision
        FROM generate_series(first, last, sample_series.step) t (at)
        LEFT JOIN stood d ON d.at = t.at
        CROSS JOIN LATERAL (VALUES
            (1, 'ready', d.ready), (2, 'scheduled', d.scheduled), (3, 'retrying', d.retrying),
            (4, 'running', d.running), (5, 'dead', d.dead)) v (place, name, value)
        ORDER BY v.place, t.at;
    ELSE
        RAISE EXCEPTION 'metric: expected throughput, failures, wait, run or depth, got %',
            left(sample_series.metric, 64) USING ERRCODE = 'LQ001';
    END IF;
END
$$;

-- Every queue, or one, with what stands in it, in bounded time: exact up to 500 jobs of a line,
-- beyond that estimated from a sample of the line's pages. Rates are those of the last minute, or
-- of what the end of the history covers. Obeys row-level security.
DROP FUNCTION queue.overview();
CREATE FUNCTION queue.overview(only_queue text DEFAULT NULL)
RETURNS TABLE (
    queue text, ready bigint, scheduled bigint, retrying bigint, running bigint, dead bigint,
    count_exact boolean, oldest_waiting_at timestamptz, oldest_waiting_seconds double precision,
    objective_seconds double precision, late boolean, finished_per_minute double precision,
    failed_percent double precision, paused boolean, pause_reason text, paused_by text,
    paused_at timestamptz, workers bigint, concurrency bigint)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    most CONSTANT integer := 500;
    page_bytes integer := current_setting('block_size')::integer;
    pages bigint := pg_relation_size('queue.ready') / page_bytes;
    share real := least(100, 100.0 * 200 / greatest(1, pages));
    tail tid := format('(%s,0)', greatest(0, pg_relation_size('queue.attempt') / page_bytes - 64));
BEGIN
    IF queue.current_tenant() IS NOT NULL THEN
        -- The lines are full of others' jobs: what is told is about the latest of its own.
        RETURN QUERY
        WITH own AS MATERIALIZED (
            SELECT j.queue, j.state, j.run_at
            FROM (SELECT x.id FROM queue.job x WHERE x.tenant_id = queue.current_tenant()
                  ORDER BY x.id DESC LIMIT most) i
            CROSS JOIN LATERAL (SELECT y.* FROM queue.jobs y WHERE y.id = i.id OFFSET 0) j)
        SELECT q.name, count(*) FILTER (WHERE o.state = 'ready'),
               count(*) FILTER (WHERE o.state = 'scheduled'),
               count(*) FILTER (WHERE o.state = 'retrying'),
               count(*) FILTER (WHERE o.state = 'running'),
               count(*) FILTER (WHERE o.state = 'dead'), (SELECT count(*) < most FROM own),
               min(o.run_at) FILTER (WHERE o.state = 'ready'),
               greatest(0, extract(epoch FROM clock_timestamp()
                                   - min(o.run_at) FILTER (WHERE o.state = 'ready')))::float8,
               extract(epoch FROM q.objective)::float8,
               coalesce(clock_timestamp() - min(o.run_at) FILTER (WHERE o.state = 'ready')
                        > q.objective, false),
               NULL::float8, NULL::float8, q.paused_at IS NOT NULL, q.pause_reason, q.paused_by,
               q.paused_at, NULL::bigint, NULL::bigint
        FROM queue.queue q
        JOIN own o ON o.queue = q.name
        WHERE overview.only_queue IS NULL OR q.name = overview.only_queue
        GROUP BY q.id
        ORDER BY 11 DESC, 8, 1;
        RETURN;
    END IF;
    RETURN QUERY
    WITH lines AS MATERIALIZED (
        SELECT l.id, l.queue_id, due.n AS due, later.scheduled, later.retrying,
               first.run_at AS oldest
        FROM queue.line l
        CROSS JOIN LATERAL (
            SELECT count(*) AS n
            FROM (SELECT FROM queue.ready r WHERE r.line_id = l.id AND r.run_at <= now()
                  LIMIT most) x) due
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE x.attempt = 0) AS scheduled,
                   count(*) FILTER (WHERE x.attempt > 0) AS retrying
            FROM (SELECT r.attempt FROM queue.ready r
                  WHERE r.line_id = l.id AND r.run_at > now() LIMIT most) x) later
        LEFT JOIN LATERAL (
            SELECT r.run_at FROM queue.ready r WHERE r.line_id = l.id AND r.run_at <= now()
            ORDER BY r.run_at LIMIT 1) first ON true
        WHERE overview.only_queue IS NULL
           OR l.queue_id = (SELECT x.id FROM queue.queue x WHERE x.name = overview.only_queue)),
    suspects AS (
        SELECT l.queue_id, count(*) FILTER (WHERE r.run_at <= now()) AS due,
               count(*) FILTER (WHERE r.run_at > now()) AS later
        FROM (SELECT r.line_id, r.run_at FROM queue.ready r WHERE r.line_id < 0 LIMIT most) r
        JOIN queue.line l ON l.id = -r.line_id
        GROUP BY l.queue_id),
    keyed AS (
        SELECT w.queue_id, count(*) FILTER (WHERE w.run_at <= now()) AS due,
               count(*) FILTER (WHERE w.run_at > now()) AS later, min(w.run_at) AS oldest,
               sum(count(*)) OVER () < 20000 AS exact
        FROM (SELECT k.queue_id, k.run_at FROM queue.key_wait k ORDER BY k.queue_id LIMIT 20000) w
        GROUP BY w.queue_id),
    sampled AS MATERIALIZED (
        SELECT r.line_id, count(*) FILTER (WHERE r.run_at <= now()) * 100 / share AS due,
               count(*) FILTER (WHERE r.run_at > now() AND r.attempt = 0) * 100 / share
                   AS scheduled,
               count(*) FILTER (WHERE r.run_at > now() AND r.attempt > 0) * 100 / share AS retrying
        FROM queue.ready r TABLESAMPLE SYSTEM (share)
        WHERE EXISTS (SELECT FROM lines x WHERE x.due = most OR x.scheduled + x.retrying = most)
        GROUP BY r.line_id),
    depth AS (
        SELECT l.queue_id,
               sum(CASE WHEN l.due < most THEN l.due ELSE greatest(most, s.due) END) AS due,
               sum(CASE WHEN l.scheduled + l.retrying < most THEN l.scheduled
                        ELSE greatest(l.scheduled, s.scheduled) END) AS scheduled,
               sum(CASE WHEN l.scheduled + l.retrying < most THEN l.retrying
                        ELSE greatest(l.retrying, s.retrying) END) AS retrying,
               bool_and(l.due < most AND l.scheduled + l.retrying < most) AS exact,
               min(l.oldest) AS oldest
        FROM lines l LEFT JOIN sampled s ON s.line_id = l.id
        GROUP BY l.queue_id),
    history AS MATERIALIZED (
        SELECT a.job_id, a.outcome, a.finished_at
        FROM queue.attempt a
        WHERE a.ctid >= tail AND a.finished_at > now() - interval '1 minute'
          AND a.outcome NOT IN ('replayed', 'snoozed', 'cancelled')),
    rates AS (
        SELECT l.queue_id, count(*) AS finished,
               count(*) FILTER (WHERE h.outcome <> 'completed') AS failed
        FROM history h
        CROSS JOIN LATERAL (SELECT x.line_id FROM queue.job x WHERE x.id = h.job_id OFFSET 0) j
        JOIN queue.line l ON l.id = j.line_id
        GROUP BY l.queue_id),
    span AS (
        SELECT greatest(1, least(60, CASE
            WHEN tail = '(0,0)'::tid THEN 60
            ELSE extract(epoch FROM now() - min(h.finished_at)) END)) AS seconds
        FROM history h),
    serving AS (
        SELECT s.name, count(*) AS workers, sum((s.slot ->> 'running')::bigint) AS running,
               sum((s.slot ->> 'concurrency')::bigint) AS concurrency
        FROM queue.worker w
        CROSS JOIN LATERAL (SELECT u.name, w.slots -> u.name AS slot
                            FROM unnest(w.queues) u (name)) s
        WHERE w.beat_at > clock_timestamp() - make_interval(secs => w.lease_ms / 1000.0)
        GROUP BY s.name)
    SELECT q.name, t.ready, t.scheduled, t.retrying, coalesce(v.running, 0)::bigint,
           letters.n, coalesce(d.exact, true) AND coalesce(k.exact, true) AND letters.n < most,
           t.oldest, greatest(0, extract(epoch FROM clock_timestamp() - t.oldest))::float8,
           extract(epoch FROM q.objective)::float8,
           coalesce(clock_timestamp() - t.oldest > q.objective, false),
           (coalesce(r.finished, 0) * 60 / n.seconds)::float8,
           CASE WHEN r.finished > 0 THEN 100.0 * r.failed / r.finished END::float8,
           q.paused_at IS NOT NULL, q.pause_reason, q.paused_by, q.paused_at,
           coalesce(v.workers, 0), coalesce(v.concurrency, 0)::bigint
    FROM queue.queue q
    CROSS JOIN span n
    LEFT JOIN depth d ON d.queue_id = q.id
    LEFT JOIN suspects u ON u.queue_id = q.id
    LEFT JOIN keyed k ON k.queue_id = q.id
    LEFT JOIN rates r ON r.queue_id = q.id
    LEFT JOIN serving v ON v.name = q.name
    CROSS JOIN LATERAL (
        SELECT (coalesce(d.due, 0) + coalesce(u.due, 0) + coalesce(k.due, 0))::bigint AS ready,
               (coalesce(d.scheduled, 0) + coalesce(k.later, 0))::bigint AS scheduled,
               (coalesce(d.retrying, 0) + coalesce(u.later, 0))::bigint AS retrying,
               least(d.oldest, CASE WHEN k.oldest <= now() THEN k.oldest END) AS oldest) t
    CROSS JOIN LATERAL (
        SELECT count(*) AS n
        FROM (SELECT FROM queue.dead_letter x WHERE x.queue = q.name LIMIT most) y) letters
    WHERE overview.only_queue IS NULL OR q.name = overview.only_queue
    -- Worst first: late, then with jobs waiting and nobody there, then the oldest.
    ORDER BY coalesce(clock_timestamp() - t.oldest > q.objective, false) DESC,
             t.ready > 0 AND coalesce(v.workers, 0) = 0 DESC, t.oldest, q.name;
END
$$;
SELECT queue.apply_rights();
