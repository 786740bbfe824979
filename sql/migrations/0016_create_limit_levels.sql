-- breaking: yes
-- Limits above limits, what providers say about themselves, and circuit breakers.
--
-- Breaking, because a worker that does not know of levels gives back the slots it holds of them.
--
-- *Levels.* A limit may have a parent; a job under a limit is under its ancestors too, and starts
-- when every one of them lets it. Each level has its own key.
--
-- *Reports.* Workers write what their jobs said about the provider into rows of their own, with the
-- turn that records the jobs, so that no report waits for anybody. They are judged by who claims
-- next, under the row of the limit: no two judge at once, and every start after a report's commit
-- has heard it.

ALTER TABLE queue.limit_rule
    ADD COLUMN parent text COLLATE "C",
    -- The circuit opens when this share of the requests of a window failed. NULL: no breaker.
    ADD COLUMN breaker_ratio double precision,
    ADD COLUMN breaker_min_requests integer,
    ADD COLUMN breaker_window interval,
    -- From opening to the probe.
    ADD COLUMN breaker_cooldown interval,
    DROP CONSTRAINT limit_rule_key_from_valid,
    ADD CONSTRAINT limit_rule_key_from_valid
        CHECK (key_from ~ '^(|tenant|limit_key|meta\.[^.]{1,64})$'),
    ADD CONSTRAINT limit_rule_parent_is_other CHECK (parent <> name),
    ADD CONSTRAINT limit_rule_breaker_whole
        CHECK (num_nulls(breaker_ratio, breaker_min_requests, breaker_window, breaker_cooldown)
               IN (0, 4)),
    ADD CONSTRAINT limit_rule_breaker_ratio_valid
        CHECK (breaker_ratio > 0 AND breaker_ratio <= 1),
    ADD CONSTRAINT limit_rule_breaker_min_requests_valid
        CHECK (breaker_min_requests BETWEEN 1 AND 1000000),
    ADD CONSTRAINT limit_rule_breaker_window_valid
        CHECK (breaker_window BETWEEN interval '1 second' AND interval '1 day'),
    ADD CONSTRAINT limit_rule_breaker_cooldown_valid
        CHECK (breaker_cooldown BETWEEN interval '100 milliseconds' AND interval '1 day');

-- Kinds of which a job with a cost was ever enqueued: for the others a claim need not read the job
-- before it takes it. Not unique, so that no enqueuer waits for another one's commit.
CREATE TABLE queue.weighted_kind (
    kind text COLLATE "C" NOT NULL);
CREATE INDEX weighted_kind_idx ON queue.weighted_kind (kind);
COMMENT ON TABLE queue.weighted_kind IS 'Kinds whose jobs may cost other than one token';

CREATE TYPE queue.circuit_state AS ENUM ('closed', 'open', 'half_open');
CREATE SEQUENCE queue.limit_era_seq AS bigint;

-- Written by who holds the row of the limit. No row: closed since ever, era 0.
CREATE TABLE queue.limit_breaker (
    limit_name text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    state queue.circuit_state NOT NULL,
    -- Changes with every change of state and every probe. A run tells the era it started in: what
    -- is heard of an earlier one counts no more.
    era bigint NOT NULL,
    changed_at timestamptz NOT NULL,
    opened_at timestamptz,
    -- The probe may start then.
    retry_at timestamptz,
    requests bigint,
    errors bigint,
    -- The probe: a job under its lease, or tokens taken by somebody, until a time.
    probe_lease bigint,
    probe_job bigint,
    probe_until timestamptz,
    CONSTRAINT limit_breaker_pkey PRIMARY KEY (limit_name, key),
    CONSTRAINT limit_breaker_open_since CHECK ((state = 'closed') = (opened_at IS NULL)),
    CONSTRAINT limit_breaker_has_probe
        CHECK ((state = 'half_open') = (num_nonnulls(probe_lease, probe_until) = 1))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE queue.limit_breaker IS 'Circuits that have been open';

-- Written by its worker's turn connection (lane) alone, as limit_slot; worker 0 is who reports by
-- SQL, its lane the backend. The window rolls in halves: of this one and of the one before.
CREATE TABLE queue.limit_tally (
    limit_name text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    worker_id bigint NOT NULL,
    lane integer NOT NULL,
    era bigint NOT NULL,
    half bigint NOT NULL,
    requests bigint NOT NULL,
    errors bigint NOT NULL,
    requests_before bigint NOT NULL,
    errors_before bigint NOT NULL,
    -- Retry-After: nothing of this key starts before.
    closed_until timestamptz,
    close_reason text,
    told_at timestamptz NOT NULL,
    CONSTRAINT limit_tally_pkey PRIMARY KEY (limit_name, key, worker_id, lane)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE queue.limit_tally IS 'What was reported of the providers behind limits';

-- Called by enqueue for a job with a cost. By kind alone, because a job may change its queue.
CREATE FUNCTION queue.note_cost(kind text, queue text) RETURNS void
LANGUAGE sql
AS $$
    INSERT INTO queue.weighted_kind (kind)
    SELECT note_cost.kind
    WHERE NOT EXISTS (SELECT FROM queue.weighted_kind w WHERE w.kind = note_cost.kind)
$$;

-- Tokens a job takes. Bounded: a meta from before costs were reserved may hold anything.
CREATE FUNCTION queue.limit_cost(meta jsonb) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN jsonb_typeof(meta -> 'cost') = 'number'
            THEN least(greatest((meta ->> 'cost')::numeric, 1), 1000000)::integer
            ELSE 1 END;

CREATE OR REPLACE FUNCTION queue.limit_key(key_from text, tenant_id uuid, meta jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE key_from
           WHEN '' THEN ''
           WHEN 'tenant' THEN coalesce(tenant_id::text, '')
           WHEN 'limit_key' THEN left(coalesce(meta ->> 'limit_key', ''), 200)
           -- Bounded: it becomes part of an index entry.
           ELSE left(coalesce(meta ->> substr(key_from, 6), ''), 200) END;

-- As before; but burst * 1000000 does not fit an integer above 2147.
CREATE OR REPLACE FUNCTION queue.bucket_offset(
    spoken_for timestamptz, now_at timestamptz, burst integer, rate double precision)
RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN greatest(coalesce(extract(epoch FROM spoken_for - now_at)::double precision * 1000000,
                         -burst / rate * 1000000),
                -burst / rate * 1000000);

-- As before, but never so far that it is no time any more: debts may be long.
CREATE OR REPLACE FUNCTION queue.bucket_time(now_at timestamptz, offset_us double precision)
RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN now_at + make_interval(secs => ceil(least(offset_us, 3e15)) / 1000000);

-- These limits and all above them, undefined ones too.
CREATE FUNCTION queue.limit_chain(names text[]) RETURNS text[]
LANGUAGE sql STABLE
AS $$
    WITH RECURSIVE up AS (
        SELECT n.name COLLATE "C" AS name, 1 AS level
        FROM unnest(limit_chain.names) AS n (name)
        WHERE n.name IS NOT NULL
        UNION
        SELECT r.parent, u.level + 1
        FROM up u
        JOIN queue.limit_rule r ON r.name = u.name
        WHERE r.parent IS NOT NULL AND u.level < 8)
    SELECT coalesce(array_agg(DISTINCT u.name ORDER BY u.name), '{}') FROM up u
$$;

CREATE OR REPLACE FUNCTION queue.line_closed(line_id integer) RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT EXISTS (
        SELECT
        FROM queue.line l
        JOIN queue.queue q ON q.id = l.queue_id
        LEFT JOIN queue.kind k ON k.name = l.kind
        JOIN queue.limit_rule r
            ON r.name = ANY (queue.limit_chain(ARRAY[k.limit_name, q.limit_name]))
        WHERE l.id = line_closed.line_id
          AND (r.stopped_at IS NOT NULL
               OR r.key_from = ''
                  AND (queue.slots_held(r.name, '') >= r.concurrency
                       OR EXISTS (SELECT FROM queue.limit_tally t
                                  WHERE t.limit_name = r.name AND t.key = ''
                                    AND t.closed_until > clock_timestamp())
                       OR r.breaker_ratio IS NOT NULL
                          AND EXISTS (SELECT FROM queue.limit_breaker b
                                      WHERE b.limit_name = r.name AND b.key = ''
                                        AND (b.state = 'half_open'
                                             OR b.retry_at > clock_timestamp())))))
$$;

DROP FUNCTION queue.check_limit(text, integer, double precision, integer, text);
CREATE FUNCTION queue.check_limit(
    name text, burst integer, rate double precision, concurrency integer, key text, parent text,
    ratio double precision, min_requests integer, span interval, cooldown interval)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    wrong text;
BEGIN
    wrong := CASE
        WHEN name IS NULL OR name !~ '^[a-z0-9_.-]{1,64}$' THEN
            format('limit name: expected 1 to 64 of a-z 0-9 _ . -, got %s',
                   coalesce(quote_literal(left(name, 100)), 'NULL'))
        WHEN burst NOT BETWEEN 0 AND 1000000 THEN
            format('burst: expected 1 to 1000000, or 0 for none, got %s', burst)
        WHEN rate <> 0 AND rate NOT BETWEEN 0.000001 AND 100000 THEN
            format('rate: expected 0.000001 to 100000 per second, or 0 for none, got %s', rate)
        WHEN concurrency NOT BETWEEN 0 AND 1000000 THEN
            format('concurrency: expected 1 to 1000000, or 0 for none, got %s', concurrency)
        WHEN key !~ '^(|tenant|limit_key|meta\.[^.]{1,64})$' THEN
            format('key: expected tenant, limit_key, meta.<field> or nothing, got %L',
                   left(key, 100))
        WHEN parent <> '' AND parent !~ '^[a-z0-9_.-]{1,64}$' THEN
            format('parent: expected the name of a limit, or nothing, got %L', left(parent, 100))
        -- Not a number is greater than all others.
        WHEN ratio < 0 OR ratio > 1 THEN
            format('breaker_ratio: expected above 0 and at most 1, or 0 for no breaker, got %s',
                   ratio)
        WHEN min_requests NOT BETWEEN 1 AND 1000000 THEN
            format('breaker_min_requests: expected 1 to 1000000, got %s', min_requests)
        WHEN span NOT BETWEEN interval '1 second' AND interval '1 day' THEN
            format('breaker_window: expected 1 s to 1 day, got %s', span)
        WHEN cooldown NOT BETWEEN interval '100 milliseconds' AND interval '1 day' THEN
            format('breaker_cooldown: expected 100 ms to 1 day, got %s', cooldown) END;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION '%', wrong USING ERRCODE = 'LQ001';
    END IF;
END
$$;

-- That no limit comes to stand under itself, nor below three others.
CREATE FUNCTION queue.check_parent(name text, parent text, must_exist boolean) RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    above text[];
    below integer;
BEGIN
    above := queue.limit_chain(ARRAY[check_parent.parent]);
    IF check_parent.name = ANY (above) THEN
        RAISE EXCEPTION 'parent: expected a limit that is not under %, got %', check_parent.name,
            check_parent.parent USING ERRCODE = 'LQ001',
            HINT = 'A limit cannot be above itself.';
    END IF;
    IF check_parent.must_exist
       AND NOT EXISTS (SELECT FROM queue.limit_rule r WHERE r.name = check_parent.parent) THEN
        PERFORM queue.no_such_limit(check_parent.parent);
    END IF;
    WITH RECURSIVE down AS (
        SELECT check_parent.name COLLATE "C" AS name, 1 AS level
        UNION
        SELECT r.name, d.level + 1
        FROM down d JOIN queue.limit_rule r ON r.parent = d.name
        WHERE d.level < 8)
    SELECT max(d.level) INTO below FROM down d;
    IF cardinality(above) + below > 4 THEN
        RAISE EXCEPTION 'parent: expected at most 4 levels, got % with % above %',
            cardinality(above) + below, check_parent.parent, check_parent.name
            USING ERRCODE = 'LQ001';
    END IF;
END
$$;

DROP FUNCTION queue.limit_set(text, integer, double precision, integer, text, boolean);
CREATE FUNCTION queue.limit_set(
    name text,
    burst integer DEFAULT NULL,
    rate double precision DEFAULT NULL,
    concurrency integer DEFAULT NULL,
    key text DEFAULT NULL,
    pinned boolean DEFAULT true,
    parent text DEFAULT NULL,
    breaker_ratio double precision DEFAULT NULL,
    breaker_min_requests integer DEFAULT NULL,
    breaker_window interval DEFAULT NULL,
    breaker_cooldown interval DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    r queue.limit_rule;
BEGIN
    PERFORM queue.check_limit(limit_set.name, limit_set.burst, limit_set.rate,
                              limit_set.concurrency, limit_set.key, limit_set.parent,
                              limit_set.breaker_ratio, limit_set.breaker_min_requests,
                              limit_set.breaker_window, limit_set.breaker_cooldown);
    -- Two that set a parent at once would each miss the other's half of a circle. Always and before
    -- the row: taken in two orders they would deadlock.
    PERFORM pg_advisory_xact_lock(hashtextextended('queue.limit_levels', 0));
    IF limit_set.parent <> '' THEN
        PERFORM queue.check_parent(limit_set.name, limit_set.parent, limit_set.pinned);
    END IF;
    INSERT INTO queue.limit_rule (name) VALUES (limit_set.name)
    ON CONFLICT ON CONSTRAINT limit_rule_pkey DO NOTHING;
    SELECT x.* INTO STRICT r FROM queue.limit_rule x WHERE x.name = limit_set.name FOR UPDATE;
    r.rate := nullif(coalesce(limit_set.rate, r.rate), 0);
    r.burst := nullif(coalesce(limit_set.burst, r.burst), 0);
    IF r.rate IS NULL AND limit_set.burst > 0 THEN
        RAISE EXCEPTION 'burst: expected a rate beside it, got burst % alone', limit_set.burst
            USING ERRCODE = 'LQ001';
    END IF;
    r.breaker_ratio := nullif(coalesce(limit_set.breaker_ratio, r.breaker_ratio), 0);
    IF r.breaker_ratio IS NULL
       AND num_nonnulls(limit_set.breaker_min_requests, limit_set.breaker_window,
                        limit_set.breaker_cooldown) > 0 THEN
        RAISE EXCEPTION 'breaker: expected a breaker_ratio beside the other figures, got none'
            USING ERRCODE = 'LQ001', HINT = 'Half is usual: breaker_ratio => 0.5.';
    END IF;
    UPDATE queue.limit_rule x
    SET rate = r.rate,
        -- One second's worth when nothing is said.
        burst = CASE WHEN r.rate IS NOT NULL
                     THEN coalesce(r.burst, greatest(1, ceil(r.rate)::integer)) END,
        concurrency = nullif(coalesce(limit_set.concurrency, r.concurrency), 0),
        key_from = coalesce(limit_set.key, r.key_from),
        parent = nullif(coalesce(limit_set.parent, r.parent), ''),
        breaker_ratio = r.breaker_ratio,
        breaker_min_requests = CASE WHEN r.breaker_ratio IS NOT NULL THEN
            coalesce(limit_set.breaker_min_requests, r.breaker_min_requests, 5) END,
        breaker_window = CASE WHEN r.breaker_ratio IS NOT NULL THEN
            coalesce(limit_set.breaker_window, r.breaker_window, interval '60 seconds') END,
        breaker_cooldown = CASE WHEN r.breaker_ratio IS NOT NULL THEN
            coalesce(limit_set.breaker_cooldown, r.breaker_cooldown, interval '30 seconds') END,
        pinned = limit_set.pinned, updated_at = clock_timestamp()
    WHERE x.name = limit_set.name;
    PERFORM pg_notify('queue.wake', 'limit');
END
$$;
COMMENT ON FUNCTION queue.limit_set IS
    'Defines or changes a limit: NULL leaves a figure as it is, 0 or '''' takes it away.';

DROP FUNCTION queue.publish_limit(text, integer, double precision, integer, text);
-- A worker's configuration at start: all figures at once, unless a person has set them. A parent
-- may be defined later, by another worker: until then nothing starts.
CREATE FUNCTION queue.publish_limit(
    name text, burst integer, rate double precision, concurrency integer, key text, parent text,
    breaker_ratio double precision, breaker_min_requests integer, breaker_window interval,
    breaker_cooldown interval) RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    r queue.limit_rule;
BEGIN
    SELECT x.* INTO r FROM queue.limit_rule x WHERE x.name = publish_limit.name;
    IF r.pinned
       OR (r.rate, r.concurrency, r.key_from, r.parent, r.breaker_ratio, r.breaker_min_requests,
           r.breaker_window, r.breaker_cooldown) IS NOT DISTINCT FROM
          (nullif(publish_limit.rate, 0), nullif(publish_limit.concurrency, 0), publish_limit.key,
           nullif(publish_limit.parent, ''), nullif(publish_limit.breaker_ratio, 0),
           publish_limit.breaker_min_requests, publish_limit.breaker_window,
           publish_limit.breaker_cooldown)
          AND (publish_limit.burst = 0 OR r.burst = publish_limit.burst) THEN
        RETURN;
    END IF;
    PERFORM queue.limit_set(
        publish_limit.name, publish_limit.burst, publish_limit.rate, publish_limit.concurrency,
        publish_limit.key, false, publish_limit.parent, publish_limit.breaker_ratio,
        publish_limit.breaker_min_requests, publish_limit.breaker_window,
        publish_limit.breaker_cooldown);
END
$$;

-- The number of a half of the window. 0 without a breaker.
CREATE FUNCTION queue.window_half(at_now timestamptz, span interval) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(floor(extract(epoch FROM at_now) * 2 / extract(epoch FROM span)), 0)::bigint;

-- Adds what one reporter heard to its rows. Limits that are not defined any more are left out.
CREATE FUNCTION queue.note_reports(
    worker_id bigint, lane integer, limits text[], keys text[], eras bigint[], requests bigint[],
    errors bigint[], close_us bigint[], reasons text[]) RETURNS void
LANGUAGE sql
AS $$
    INSERT INTO queue.limit_tally AS x (limit_name, key, worker_id, lane, era, half, requests,
                                        errors, requests_before, errors_before, closed_until,
                                        close_reason, told_at)
    SELECT u.limit_name, u.key, note_reports.worker_id, note_reports.lane, u.era,
           queue.window_half(n.at_now, r.breaker_window), u.requests, u.errors, 0, 0,
           CASE WHEN u.close_us > 0 THEN n.at_now + u.close_us * interval '1 microsecond' END,
           CASE WHEN u.close_us > 0 THEN u.reason END, n.at_now
    FROM unnest(note_reports.limits, note_reports.keys, note_reports.eras, note_reports.requests,
                note_reports.errors, note_reports.close_us, note_reports.reasons)
         AS u (limit_name, key, era, requests, errors, close_us, reason)
    JOIN queue.limit_rule r ON r.name = u.limit_name
    CROSS JOIN (SELECT clock_timestamp() AS at_now) n
    ON CONFLICT ON CONSTRAINT limit_tally_pkey DO UPDATE
    SET era = greatest(x.era, excluded.era),
        half = CASE WHEN excluded.era > x.era THEN excluded.half
                    WHEN excluded.era = x.era THEN greatest(x.half, excluded.half)
                    ELSE x.half END,
        requests = CASE WHEN excluded.era < x.era THEN x.requests
                        WHEN excluded.era > x.era OR excluded.half > x.half THEN excluded.requests
                        ELSE x.requests + excluded.requests END,
        errors = CASE WHEN excluded.era < x.era THEN x.errors
                      WHEN excluded.era > x.era OR excluded.half > x.half THEN excluded.errors
                      ELSE x.errors + excluded.errors END,
        requests_before = CASE WHEN excluded.era < x.era THEN x.requests_before
                               WHEN excluded.era > x.era OR excluded.half > x.half + 1 THEN 0
                               WHEN excluded.half = x.half + 1 THEN x.requests
                               ELSE x.requests_before END,
        errors_before = CASE WHEN excluded.era < x.era THEN x.errors_before
                             WHEN excluded.era > x.era OR excluded.half > x.half + 1 THEN 0
                             WHEN excluded.half = x.half + 1 THEN x.errors
                             ELSE x.errors_before END,
        close_reason = CASE WHEN excluded.closed_until > coalesce(x.closed_until, '-infinity')
                            THEN excluded.close_reason ELSE x.close_reason END,
        closed_until = greatest(x.closed_until, excluded.closed_until),
        told_at = excluded.told_at;
    -- A probe has answered: all look.
    SELECT pg_notify('queue.wake', 'limit')
    WHERE EXISTS (
        SELECT
        FROM unnest(note_reports.limits, note_reports.keys, note_reports.requests)
             AS u (limit_name, key, requests)
        JOIN queue.limit_breaker b ON b.limit_name = u.limit_name AND b.key = u.key
        WHERE u.requests > 0 AND b.state = 'half_open')
$$;
