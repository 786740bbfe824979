-- breaking: no
-- Limits on the outside world: token buckets, concurrency slots, emergency stop. All times are the
-- database's own.
--
-- A bucket is two timestamps and no counter (virtual scheduling, the generic cell rate algorithm of
-- ITU-T I.371, Annex A): the time up to which its tokens are spoken for. Tokens come by themselves
-- as time passes it, so refill needs no job, and a time further back than a full bucket counts as
-- a full bucket, so idling cannot fill it twice.
--   planned_at  moves when a token is promised: gives each job over the rate its slot
--   used_at     moves when a job starts: jobs that come late for their slots (all workers were
--               away, the limit was stopped) do not start in a heap

CREATE TABLE queue.limit_rule (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    burst integer,
    -- Tokens per second.
    rate double precision,
    concurrency integer,
    -- Where a job's key is found: '' (one bucket for all), 'tenant', or 'meta.<field>'.
    key_from text COLLATE "C" NOT NULL DEFAULT '',
    stopped_at timestamptz,
    stop_reason text,
    stopped_by text,
    -- Until then somebody waits for a slot, and whoever frees one says so.
    wanted_until timestamptz,
    -- Set by a person: workers that start do not put their configuration in its place.
    pinned boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT limit_rule_name_valid CHECK (name ~ '^[a-z0-9_.-]{1,64}$'),
    CONSTRAINT limit_rule_rate_has_burst CHECK ((rate IS NULL) = (burst IS NULL)),
    CONSTRAINT limit_rule_burst_valid CHECK (burst BETWEEN 1 AND 1000000),
    CONSTRAINT limit_rule_rate_valid CHECK (rate BETWEEN 0.000001 AND 100000),
    CONSTRAINT limit_rule_concurrency_valid CHECK (concurrency BETWEEN 1 AND 1000000),
    CONSTRAINT limit_rule_key_from_valid CHECK (key_from ~ '^(|tenant|meta\.[^.]{1,64})$')
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE queue.limit_rule IS 'Named limits; who claims under one holds its row';

CREATE TABLE queue.limit_bucket (
    limit_name text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    planned_at timestamptz NOT NULL,
    used_at timestamptz NOT NULL,
    CONSTRAINT limit_bucket_pkey PRIMARY KEY (limit_name, key)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE queue.limit_bucket IS 'Buckets that are not full; no row is a full bucket';

-- Written by its worker's turn connection (lane) alone, so nobody waits for anybody. A row counts
-- while its worker is registered: what a dead worker held is free when it is declared dead.
CREATE TABLE queue.limit_slot (
    limit_name text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    worker_id bigint NOT NULL,
    lane integer NOT NULL,
    held integer NOT NULL,
    CONSTRAINT limit_slot_pkey PRIMARY KEY (limit_name, key, worker_id, lane)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE queue.limit_slot IS 'Concurrency held by the workers';

-- How far from now_at, in µs, the bucket is spoken for: -burst/rate when full, 0 when empty, more
-- when tokens are promised ahead. The n-th next token is there at this plus n/rate.
CREATE FUNCTION queue.bucket_offset(
    spoken_for timestamptz, now_at timestamptz, burst integer, rate double precision)
RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN greatest(coalesce(extract(epoch FROM spoken_for - now_at)::double precision * 1000000,
                         -burst * 1000000 / rate),
                -burst * 1000000 / rate);

-- The same as a time again. Rounded up: never a token too many.
CREATE FUNCTION queue.bucket_time(now_at timestamptz, offset_us double precision)
RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN now_at + make_interval(secs => ceil(offset_us) / 1000000);

-- Slots of a limit and key that live workers hold.
CREATE FUNCTION queue.slots_held(limit_name text, key text) RETURNS integer
LANGUAGE sql STABLE
AS $$
    SELECT coalesce(sum(s.held), 0)::integer
    FROM queue.limit_slot s
    WHERE s.limit_name = slots_held.limit_name AND s.key = slots_held.key
      AND EXISTS (SELECT FROM queue.worker w WHERE w.id = s.worker_id)
$$;

-- Whether nothing of this line may start whatever its key: a limit of its kind or queue is stopped
-- or has no slot left. Looking for suspects costs a worker all its other jobs: it must be worth it.
CREATE FUNCTION queue.line_closed(line_id integer) RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT EXISTS (
        SELECT
        FROM queue.line l
        JOIN queue.queue q ON q.id = l.queue_id
        LEFT JOIN queue.kind k ON k.name = l.kind
        JOIN queue.limit_rule r ON r.name IN (k.limit_name, q.limit_name)
        WHERE l.id = line_closed.line_id
          AND (r.stopped_at IS NOT NULL
               OR r.key_from = '' AND queue.slots_held(r.name, '') >= r.concurrency))
$$;

CREATE FUNCTION queue.no_such_limit(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'no limit %', coalesce(quote_literal(left(name, 100)), 'NULL')
        USING ERRCODE = 'LQ005',
              HINT = 'Define it with queue.limit_set(name, ...), qctl limits set, or in the '
                     || 'configuration of a worker.';
END
$$;

CREATE FUNCTION queue.check_limit(
    name text, burst integer, rate double precision, concurrency integer, key text)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF name IS NULL OR name !~ '^[a-z0-9_.-]{1,64}$' THEN
        RAISE EXCEPTION 'limit name: expected 1 to 64 of a-z 0-9 _ . -, got %',
            coalesce(quote_literal(left(name, 100)), 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    IF burst NOT BETWEEN 0 AND 1000000 THEN
        RAISE EXCEPTION 'burst: expected 1 to 1000000, or 0 for none, got %', burst
            USING ERRCODE = 'LQ001';
    END IF;
    IF rate <> 0 AND rate NOT BETWEEN 0.000001 AND 100000 THEN
        RAISE EXCEPTION 'rate: expected 0.000001 to 100000 per second, or 0 for none, got %', rate
            USING ERRCODE = 'LQ001';
    END IF;
    IF concurrency NOT BETWEEN 0 AND 1000000 THEN
        RAISE EXCEPTION 'concurrency: expected 1 to 1000000, or 0 for none, got %', concurrency
            USING ERRCODE = 'LQ001';
    END IF;
    IF key !~ '^(|tenant|meta\.[^.]{1,64})$' THEN
        RAISE EXCEPTION 'key: expected tenant, meta.<field> or nothing, got %',
            quote_literal(left(key, 100)) USING ERRCODE = 'LQ001';
    END IF;
END
$$;

CREATE FUNCTION queue.limit_set(
    name text,
    burst integer DEFAULT NULL,
    rate double precision DEFAULT NULL,
    concurrency integer DEFAULT NULL,
    key text DEFAULT NULL,
    pinned boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    r queue.limit_rule;
BEGIN
    PERFORM queue.check_limit(limit_set.name, limit_set.burst, limit_set.rate,
                              limit_set.concurrency, limit_set.key);
    INSERT INTO queue.limit_rule (name) VALUES (limit_set.name)
    ON CONFLICT ON CONSTRAINT limit_rule_pkey DO NOTHING;
    SELECT x.* INTO STRICT r FROM queue.limit_rule x WHERE x.name = limit_set.name FOR UPDATE;
    r.rate := nullif(coalesce(limit_set.rate, r.rate), 0);
    r.burst := nullif(coalesce(limit_set.burst, r.burst), 0);
    IF r.rate IS NULL AND limit_set.burst > 0 THEN
        RAISE EXCEPTION 'burst: expected a rate beside it, got burst % alone', limit_set.burst
            USING ERRCODE = 'LQ001';
    END IF;
    UPDATE queue.limit_rule x
    SET rate = r.rate,
        -- One second's worth when nothing is said.
        burst = CASE WHEN r.rate IS NOT NULL
                     THEN coalesce(r.burst, greatest(1, ceil(r.rate)::integer)) END,
        concurrency = nullif(coalesce(limit_set.concurrency, r.concurrency), 0),
        key_from = coalesce(limit_set.key, r.key_from),
        pinned = limit_set.pinned, updated_at = clock_timestamp()
    WHERE x.name = limit_set.name;
    PERFORM pg_notify('queue.wake', 'limit');
END
$$;
COMMENT ON FUNCTION queue.limit_set IS
    'Defines or changes a limit: NULL leaves a figure as it is, 0 takes it away.';

-- A worker's configuration at start: all figures at once, unless a person has set them.
CREATE FUNCTION queue.publish_limit(
    name text, burst integer, rate double precision, concurrency integer, key text) RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    r queue.limit_rule;
BEGIN
    SELECT x.* INTO r FROM queue.limit_rule x WHERE x.name = publish_limit.name;
    IF r.pinned
       OR (r.rate, r.concurrency, r.key_from) IS NOT DISTINCT FROM
          (nullif(publish_limit.rate, 0), nullif(publish_limit.concurrency, 0), publish_limit.key)
          AND (publish_limit.burst = 0 OR r.burst = publish_limit.burst) THEN
        RETURN;
    END IF;
    PERFORM queue.limit_set(publish_limit.name, publish_limit.burst, publish_limit.rate,
                            publish_limit.concurrency, publish_limit.key, false);
END
$$;

-- Reserves n tokens at once and says when they are there. Nothing is reserved when that is later
-- than at_most from now; the time is told all the same. A stopped limit grants nothing and has no
-- time. Reserving waits in line with everybody: a large request is not starved by small ones.
CREATE FUNCTION queue.limit_reserve(
    name text, n integer DEFAULT 1, key text DEFAULT '', at_most interval DEFAULT NULL,
    OUT granted boolean, OUT slot timestamptz, OUT wait interval)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    r queue.limit_rule;
    b record;
    at_now timestamptz;
    planned double precision;
BEGIN
    SELECT x.* INTO r FROM queue.limit_rule x WHERE x.name = limit_reserve.name FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM queue.no_such_limit(limit_reserve.name);
    END IF;
    IF limit_reserve.n IS NULL OR limit_reserve.n NOT BETWEEN 1 AND coalesce(r.burst, 1000000) THEN
        RAISE EXCEPTION 'n: expected 1 to % (the burst of limit %), got %',
            coalesce(r.burst, 1000000), limit_reserve.name, coalesce(limit_reserve.n::text, 'NULL')
            USING ERRCODE = 'LQ001';
    END IF;
    granted := r.stopped_at IS NULL;
    IF NOT granted THEN
        RETURN;
    END IF;
    -- Read under the row's lock, so that the times of one bucket never step back.
    at_now := clock_timestamp();
    slot := at_now;
    wait := interval '0';
    IF r.rate IS NULL THEN
        RETURN;
    END IF;
    SELECT x.planned_at, x.used_at INTO b FROM queue.limit_bucket x
    WHERE x.limit_name = limit_reserve.name AND x.key = coalesce(limit_reserve.key, '');
    planned := greatest(queue.bucket_offset(b.planned_at, at_now, r.burst, r.rate),
                        queue.bucket_offset(b.used_at, at_now, r.burst, r.rate))
               + limit_reserve.n * 1000000 / r.rate;
    slot := greatest(at_now, queue.bucket_time(at_now, planned));
    wait := slot - at_now;
    granted := limit_reserve.at_most IS NULL OR wait <= limit_reserve.at_most;
    IF granted THEN
        INSERT INTO queue.limit_bucket AS x (limit_name, key, planned_at, used_at)
        VALUES (limit_reserve.name, coalesce(limit_reserve.key, ''),
                queue.bucket_time(at_now, planned),
                queue.bucket_time(at_now, queue.bucket_offset(b.used_at, at_now, r.burst, r.rate)
                                          + limit_reserve.n * 1000000 / r.rate))
        ON CONFLICT ON CONSTRAINT limit_bucket_pkey DO UPDATE
        SET planned_at = excluded.planned_at, used_at = excluded.used_at;
    END IF;
END
$$;

CREATE FUNCTION queue.limit_take(
    name text, n integer DEFAULT 1, key text DEFAULT '', OUT granted boolean, OUT wait interval)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.granted, t.wait
    FROM queue.limit_reserve(limit_take.name, limit_take.n, limit_take.key, interval '0') t
$$;
COMMENT ON FUNCTION queue.limit_take IS
    'Takes n tokens now or none; wait says how long until they are there, NULL while stopped.';

CREATE FUNCTION queue.limit_reset(name text, key text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    done bigint;
BEGIN
    PERFORM FROM queue.limit_rule x WHERE x.name = limit_reset.name FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM queue.no_such_limit(limit_reset.name);
    END IF;
    DELETE FROM queue.limit_bucket b
    WHERE b.limit_name = limit_reset.name
      AND (limit_reset.key IS NULL OR b.key = limit_reset.key);
    GET DIAGNOSTICS done = ROW_COUNT;
    PERFORM pg_notify('queue.wake', 'limit');
    RETURN done;
END
$$;
COMMENT ON FUNCTION queue.limit_reset IS 'Fills the bucket of a key, or all buckets (key NULL).';

CREATE FUNCTION queue.limit_stop(name text, reason text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    UPDATE queue.limit_rule r
    SET stopped_at = coalesce(r.stopped_at, clock_timestamp()),
        stop_reason = left(limit_stop.reason, 1024), stopped_by = session_user
    WHERE r.name = limit_stop.name;
    IF NOT FOUND THEN
        PERFORM queue.no_such_limit(limit_stop.name);
    END IF;
END
$$;
COMMENT ON FUNCTION queue.limit_stop IS
    'From commit on nobody claims or takes under this limit; running jobs finish.';

CREATE FUNCTION queue.limit_resume(name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    UPDATE queue.limit_rule r SET stopped_at = NULL, stop_reason = NULL, stopped_by = NULL
    WHERE r.name = limit_resume.name;
    IF NOT FOUND THEN
        PERFORM queue.no_such_limit(limit_resume.name);
    END IF;
    PERFORM pg_notify('queue.wake', 'limit');
END
$$;

CREATE VIEW queue.limit_status WITH (security_invoker = true) AS
SELECT r.name,
       coalesce(k.key, '') AS key,
       r.burst,
       r.rate,
       r.concurrency,
       r.key_from,
       CASE WHEN r.rate IS NOT NULL THEN
           greatest(0, floor(-o.planned * r.rate / 1000000 + 0.000001))::integer END AS tokens,
       CASE WHEN o.planned + 1000000 / r.rate > 0 THEN
           queue.bucket_time(now(), o.planned + 1000000 / r.rate) END AS next_token_at,
       queue.slots_held(r.name, coalesce(k.key, '')) AS running,
       r.stopped_at,
       r.stop_reason,
       r.stopped_by,
       r.pinned,
       r.updated_at
FROM queue.limit_rule r
LEFT JOIN LATERAL (
    SELECT b.key FROM queue.limit_bucket b WHERE b.limit_name = r.name
    UNION
    SELECT s.key FROM queue.limit_slot s WHERE s.limit_name = r.name AND s.held > 0) k ON true
LEFT JOIN queue.limit_bucket b ON b.limit_name = r.name AND b.key = k.key
CROSS JOIN LATERAL (
    SELECT queue.bucket_offset(b.planned_at, now(), r.burst, r.rate) AS planned) o;
COMMENT ON VIEW queue.limit_status IS 'Limits with what is left of them, one row per key in use';
