-- breaking: no
-- Schedules: jobs that recur. A slot is an instant a schedule names; each is fired once, because
-- the row of the run (schedule, slot), the job and the step to the next slot are one transaction
-- under the lock of the schedule's row. Any number of workers may fire at once, and none leads.

CREATE TABLE queue.schedule (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The next slot to fire; NULL while paused, or when there is none.
    next_at timestamptz,
    -- The latest slot that was fired or passed over.
    last_slot timestamptz,
    last_job_id bigint,
    paused_at timestamptz,
    -- What @every counts from.
    anchor timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    misfire_grace interval NOT NULL,
    tenant_id uuid,
    runs bigint NOT NULL DEFAULT 0,
    -- Of misfire backfill.
    backfill_max integer,
    priority smallint,
    max_attempts smallint,
    name text COLLATE "C" NOT NULL,
    cron text COLLATE "C" NOT NULL,
    timezone text COLLATE "C" NOT NULL,
    misfire text COLLATE "C" NOT NULL,
    overlap text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    queue text COLLATE "C",
    -- Why the latest slot could not be fired; NULL after one that could.
    error text,
    parsed queue.cron NOT NULL,
    payload jsonb NOT NULL,
    meta jsonb,
    CONSTRAINT schedule_name_key UNIQUE NULLS NOT DISTINCT (tenant_id, name),
    CONSTRAINT schedule_name_valid CHECK (name ~ '^[A-Za-z0-9_.:/-]{1,128}$'),
    CONSTRAINT schedule_misfire_valid CHECK (misfire IN ('skip', 'collapse', 'backfill')),
    CONSTRAINT schedule_backfill_valid CHECK ((backfill_max IS NOT NULL) = (misfire = 'backfill')),
    CONSTRAINT schedule_overlap_valid CHECK (overlap IN ('allow', 'forbid')),
    CONSTRAINT schedule_paused_has_no_next CHECK (paused_at IS NULL OR next_at IS NULL)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX schedule_next_at_idx ON queue.schedule (next_at, id) WHERE next_at IS NOT NULL;
COMMENT ON TABLE queue.schedule IS 'Jobs that recur: an expression, a zone and what to enqueue';

-- What became of each slot; the latest hundred of a schedule stay, up to 150.
CREATE TABLE queue.schedule_run (
    schedule_id bigint NOT NULL,
    -- Of a run by hand the time it was asked for.
    slot timestamptz NOT NULL,
    at timestamptz NOT NULL,
    -- Of missed slots the last that was passed over with this one.
    until timestamptz,
    job_id bigint,
    outcome text COLLATE "C" NOT NULL,
    error text,
    CONSTRAINT schedule_run_pkey PRIMARY KEY (schedule_id, slot),
    CONSTRAINT schedule_run_outcome_valid CHECK (
        outcome IN ('fired', 'manual', 'missed', 'overlap', 'failed')),
    CONSTRAINT schedule_run_job CHECK ((job_id IS NOT NULL) = (outcome IN ('fired', 'manual')))
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.5);

CREATE VIEW queue.schedules WITH (security_invoker = true) AS
SELECT s.name, s.tenant_id, s.cron, s.timezone, s.kind, s.queue,
       s.priority::integer AS priority, s.max_attempts::integer AS max_attempts,
       CASE s.misfire WHEN 'backfill' THEN format('backfill(%s)', s.backfill_max) ELSE s.misfire
       END AS misfire,
       s.misfire_grace, s.overlap, s.paused_at IS NOT NULL AS paused, s.paused_at, s.next_at,
       r.slot AS last_slot, r.at AS last_fired_at, r.at - r.slot AS lateness, s.last_job_id,
       r.outcome AS last_outcome, s.error, s.runs, s.payload, s.meta, s.created_at, s.updated_at,
       s.id
FROM queue.schedule s
LEFT JOIN LATERAL (
    SELECT x.slot, x.at, x.outcome FROM queue.schedule_run x
    WHERE x.schedule_id = s.id ORDER BY x.slot DESC LIMIT 1) r ON true;
COMMENT ON VIEW queue.schedules IS 'Every schedule, its next firing and what became of its last';

CREATE VIEW queue.schedule_runs WITH (security_invoker = true) AS
SELECT s.name, s.tenant_id, r.slot, r.at, r.at - r.slot AS lateness, r.outcome, r.job_id, r.until,
       r.error
FROM queue.schedule_run r
JOIN queue.schedule s ON s.id = r.schedule_id;

-- The zone under its proper name. Asking the server reads every file of the tz database, so what a
-- schedule uses already is taken as known. Internal.
CREATE FUNCTION queue.schedule_timezone(timezone text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
#variable_conflict use_column
BEGIN
    IF EXISTS (SELECT FROM queue.schedule s WHERE s.timezone = schedule_timezone.timezone) THEN
        RETURN schedule_timezone.timezone;
    END IF;
    RETURN queue.check_timezone(schedule_timezone.timezone);
END
$$;

-- Finds a schedule and locks it. Internal.
CREATE FUNCTION queue.lock_schedule(name text, tenant_id uuid) RETURNS queue.schedule
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    found_one queue.schedule;
BEGIN
    SELECT s.* INTO found_one FROM queue.schedule s
    WHERE s.name = lock_schedule.name AND s.tenant_id IS NOT DISTINCT FROM lock_schedule.tenant_id
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no schedule %',
            coalesce(quote_literal(left(lock_schedule.name, 150)), 'NULL') USING ERRCODE = 'LQ005';
    END IF;
    RETURN found_one;
END
$$;

-- What can be wrong with a schedule beside its expression and zone. Internal.
CREATE FUNCTION queue.check_schedule(s queue.schedule) RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    target_queue text;
    most integer;
BEGIN
    IF s.name IS NULL OR s.name !~ '^[A-Za-z0-9_.:/-]{1,128}$' THEN
        RAISE EXCEPTION 'name: expected 1 to 128 of A-Z a-z 0-9 _ . : / -, got %',
            coalesce(quote_literal(left(s.name, 150)), 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    IF s.kind IS NULL OR s.kind !~ '^[a-z0-9_.-]{1,64}$' THEN
        RAISE EXCEPTION 'kind: expected 1 to 64 of a-z 0-9 _ . -, got %',
            coalesce(quote_literal(left(s.kind, 100)), 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    IF s.payload IS NULL THEN
        RAISE EXCEPTION 'payload: expected JSON, got NULL' USING ERRCODE = 'LQ008';
    END IF;
    IF s.misfire IS NULL OR s.misfire NOT IN ('skip', 'collapse', 'backfill')
       OR s.backfill_max NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'misfire: expected skip, collapse or backfill(1) to backfill(1000), got %',
            coalesce(quote_literal(left(s.misfire, 50)
                                   || coalesce('(' || s.backfill_max || ')', '')), 'NULL')
            USING ERRCODE = 'LQ001';
    END IF;
    IF s.misfire_grace IS NULL OR s.misfire_grace NOT BETWEEN interval '1 s' AND interval '1 h' THEN
        RAISE EXCEPTION 'misfire_grace: expected 1 second to 1 hour, got %',
            coalesce(s.misfire_grace::text, 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    IF s.overlap IS NULL OR s.overlap NOT IN ('allow', 'forbid') THEN
        RAISE EXCEPTION 'overlap: expected allow or forbid, got %',
            coalesce(quote_literal(left(s.overlap, 50)), 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    PERFORM queue.check_enqueue(NULL, NULL, s.max_attempts, s.meta);
    target_queue := coalesce(
        s.queue, (SELECT k.queue FROM queue.kind k WHERE k.name = s.kind), 'default');
    SELECT q.max_payload_bytes INTO most FROM queue.queue q WHERE q.name = target_queue;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'unknown queue %', quote_literal(left(target_queue, 100))
            USING ERRCODE = 'LQ002', HINT = 'Create it with queue.create_queue(name).';
    END IF;
    IF pg_column_size(s.payload) > most THEN
        PERFORM queue.too_large(s.payload, most);
    END IF;
END
$$;

-- Makes a schedule or changes the one of that name. A new expression or zone counts from now on; a
-- schedule set anew as it was loses no slot. One that is paused stays so.
CREATE FUNCTION queue.schedule(
    name text,
    cron text,
    kind text,
    payload jsonb DEFAULT '{}',
    timezone text DEFAULT 'UTC',
    misfire text DEFAULT 'collapse',
    overlap text DEFAULT 'allow',
    queue text DEFAULT NULL,
    priority integer DEFAULT NULL,
    max_attempts integer DEFAULT NULL,
    tenant_id uuid DEFAULT NULL,
    meta jsonb DEFAULT NULL,
    misfire_grace interval DEFAULT interval '1 minute') RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    s queue.schedule;
    old queue.schedule;
    at_now timestamptz := clock_timestamp();
    backfill text[] := regexp_match(misfire, '^backfill\((\d{1,4})\)$');
BEGIN
    IF schedule.priority NOT BETWEEN -32768 AND 32767 THEN
        RAISE EXCEPTION 'priority: expected -32768 to 32767, got %', schedule.priority
            USING ERRCODE = 'LQ001';
    END IF;
    -- Checked as wide as it came: the column is narrower.
    PERFORM queue.check_enqueue(NULL, NULL, schedule.max_attempts, NULL);
    s.name := schedule.name;
    s.kind := schedule.kind;
    s.payload := schedule.payload;
    s.misfire := CASE WHEN backfill IS NOT NULL THEN 'backfill'
                      WHEN schedule.misfire = 'backfill' THEN 'backfill without a number'
                      ELSE schedule.misfire END;
    s.backfill_max := backfill[1]::integer;
    s.misfire_grace := schedule.misfire_grace;
    s.overlap := schedule.overlap;
    s.queue := schedule.queue;
    s.max_attempts := schedule.max_attempts;
    s.meta := schedule.meta;
    PERFORM queue.check_schedule(s);
    s.parsed := queue.parse_cron(schedule.cron);
    s.timezone := queue.schedule_timezone(schedule.timezone);
    s.cron := btrim(regexp_replace(schedule.cron, '\s+', ' ', 'g'));
    s.anchor := date_trunc('second', at_now);
    LOOP
        INSERT INTO queue.schedule AS x (name, tenant_id, cron, timezone, parsed, anchor, next_at,
            kind, payload, misfire, backfill_max, misfire_grace, overlap, queue, priority,
            max_attempts, meta)
        VALUES (s.name, schedule.tenant_id, s.cron, s.timezone, s.parsed, s.anchor,
            queue.cron_next(s.parsed, s.timezone, s.anchor, at_now), s.kind, s.payload, s.misfire,
            s.backfill_max, s.misfire_grace, s.overlap, s.queue, schedule.priority, s.max_attempts,
            s.meta)
        ON CONFLICT ON CONSTRAINT schedule_name_key DO NOTHING
        RETURNING x.id INTO s.id;
        EXIT WHEN FOUND;
        SELECT x.* INTO old FROM queue.schedule x
        WHERE x.name = s.name AND x.tenant_id IS NOT DISTINCT FROM schedule.tenant_id FOR UPDATE;
        EXIT WHEN FOUND;
    END LOOP;
    IF old.id IS NOT NULL THEN
        s.id := old.id;
        IF old.cron = s.cron THEN
            s.anchor := old.anchor;
        END IF;
        UPDATE queue.schedule x
        SET cron = s.cron, timezone = s.timezone, parsed = s.parsed, anchor = s.anchor,
            next_at = CASE
                WHEN x.paused_at IS NOT NULL THEN NULL
                WHEN x.cron = s.cron AND x.timezone = s.timezone AND x.next_at IS NOT NULL
                    THEN x.next_at
                ELSE queue.cron_next(s.parsed, s.timezone, s.anchor, at_now) END,
            kind = s.kind, payload = s.payload, misfire = s.misfire,
            backfill_max = s.backfill_max, misfire_grace = s.misfire_grace, overlap = s.overlap,
            queue = s.queue, priority = schedule.priority, max_attempts = s.max_attempts,
            meta = s.meta, error = NULL, updated_at = at_now
        WHERE x.id = old.id;
    END IF;
    PERFORM pg_notify('queue.wake', 'schedules');
    RETURN s.id;
END
$$;

CREATE FUNCTION queue.unschedule(name text, tenant_id uuid DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    gone bigint;
BEGIN
    DELETE FROM queue.schedule s
    WHERE s.name = unschedule.name AND s.tenant_id IS NOT DISTINCT FROM unschedule.tenant_id
    RETURNING s.id INTO gone;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM queue.schedule_run r WHERE r.schedule_id = gone;
    RETURN true;
END
$$;
COMMENT ON FUNCTION queue.unschedule IS
    'Removes a schedule with its history; jobs it enqueued stay. False: there was none.';

CREATE FUNCTION queue.pause_schedule(name text, tenant_id uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    s queue.schedule := queue.lock_schedule(pause_schedule.name, pause_schedule.tenant_id);
BEGIN
    UPDATE queue.schedule x
    SET paused_at = coalesce(x.paused_at, clock_timestamp()), next_at = NULL WHERE x.id = s.id;
END
$$;

CREATE FUNCTION queue.resume_schedule(name text, tenant_id uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    s queue.schedule := queue.lock_schedule(resume_schedule.name, resume_schedule.tenant_id);
BEGIN
    -- One that runs keeps its next slot, which may be due this very moment.
    UPDATE queue.schedule x
    SET paused_at = NULL,
        next_at = queue.cron_next(s.parsed, s.timezone, s.anchor, clock_timestamp())
    WHERE x.id = s.id AND x.next_at IS NULL;
    PERFORM pg_notify('queue.wake', 'schedules');
END
$$;
COMMENT ON FUNCTION queue.resume_schedule IS
    'Goes on with the first slot from now on; those of the pause were never due.';

-- The job of a schedule's latest firing waits or runs. Internal.
CREATE FUNCTION queue.schedule_is_busy(s queue.schedule) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM queue.job j WHERE j.id = s.last_job_id)
    AND NOT coalesce((SELECT a.next_run_at IS NULL FROM queue.attempt a
                      WHERE a.job_id = s.last_job_id ORDER BY a.lease_id DESC LIMIT 1), false);

-- Enqueues the job of a slot and writes the run down. Internal.
CREATE FUNCTION queue.fire_slot(
    s queue.schedule, slot timestamptz, at_now timestamptz, outcome text) RETURNS bigint
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    new_id bigint;
BEGIN
    new_id := queue.enqueue(s.kind, s.payload, queue => s.queue, priority => s.priority,
        max_attempts => s.max_attempts, tenant_id => s.tenant_id,
        meta => coalesce(s.meta, '{}'::jsonb) || jsonb_build_object(
            'schedule', s.name, 'slot',
            to_char(fire_slot.slot AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')));
    -- The primary key raises for a slot that was fired: then this job goes, too.
    INSERT INTO queue.schedule_run (schedule_id, slot, at, outcome, job_id)
    VALUES (s.id, fire_slot.slot, fire_slot.at_now, fire_slot.outcome, new_id);
    RETURN new_id;
END
$$;

CREATE FUNCTION queue.run_schedule_now(name text, tenant_id uuid DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    s queue.schedule := queue.lock_schedule(run_schedule_now.name, run_schedule_now.tenant_id);
    at_now timestamptz := clock_timestamp();
    new_id bigint;
BEGIN
    IF s.overlap = 'forbid' AND queue.schedule_is_busy(s) THEN
        RAISE EXCEPTION 'schedule % cannot be run now: job % of its last run is not finished',
            quote_literal(s.name), s.last_job_id USING ERRCODE = 'LQ006',
            HINT = 'Cancel that job, or set the schedule with overlap => ''allow''.';
    END IF;
    new_id := queue.fire_slot(s, at_now, at_now, 'manual');
    UPDATE queue.schedule x SET last_job_id = new_id, runs = x.runs + 1 WHERE x.id = s.id;
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION queue.run_schedule_now IS
    'One job more, paused or not; the slots stay as they are. Returns its id.';

CREATE FUNCTION queue.next_firings(
    name text, n integer DEFAULT 5, tenant_id uuid DEFAULT NULL, after timestamptz DEFAULT NULL)
RETURNS SETOF timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    s queue.schedule;
    slot timestamptz := coalesce(next_firings.after, clock_timestamp());
BEGIN
    IF next_firings.n IS NULL OR next_firings.n NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'n: expected 1 to 1000, got %', coalesce(next_firings.n::text, 'NULL')
            USING ERRCODE = 'LQ001';
    END IF;
    SELECT x.* INTO s FROM queue.schedule x
    WHERE x.name = next_firings.name AND x.tenant_id IS NOT DISTINCT FROM next_firings.tenant_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no schedule %',
            coalesce(quote_literal(left(next_firings.name, 150)), 'NULL') USING ERRCODE = 'LQ005';
    END IF;
    FOR i IN 1 .. next_firings.n LOOP
        slot := queue.cron_next(s.parsed, s.timezone, s.anchor, slot);
        EXIT WHEN slot IS NULL;
        RETURN NEXT slot;
    END LOOP;
END
$$;
COMMENT ON FUNCTION queue.next_firings IS
    'The next n slots, also of a paused schedule: when it would fire.';
