-- breaking: no
-- Firing what is due. Time is the database's: a worker's clock only decides when it asks.

-- From which slot on a schedule fires whose next slot is older than its grace: what is between is
-- passed over. Internal.
CREATE FUNCTION queue.first_to_fire(s queue.schedule, at_now timestamptz) RETURNS timestamptz
LANGUAGE plpgsql
AS $$
DECLARE
    -- Slots from here on are late, before it they are missed.
    grace_began timestamptz := date_trunc('second', at_now) - s.misfire_grace;
    before timestamptz := s.next_at - interval '1 second';
    first timestamptz;
    earlier timestamptz;
BEGIN
    IF s.next_at >= grace_began THEN
        RETURN s.next_at;
    END IF;
    IF s.misfire = 'skip' THEN
        RETURN queue.cron_next(s.parsed, s.timezone, s.anchor, grace_began - interval '1 second');
    END IF;
    IF s.misfire = 'collapse' THEN
        RETURN queue.cron_last(s.parsed, s.timezone, s.anchor, before, at_now);
    END IF;
    -- Those within the grace fire beside the newest missed ones.
    first := queue.cron_last(s.parsed, s.timezone, s.anchor, before,
                             grace_began - interval '1 second');
    FOR i IN 2 .. s.backfill_max LOOP
        earlier := queue.cron_last(s.parsed, s.timezone, s.anchor, before,
                                   first - interval '1 second');
        EXIT WHEN earlier IS NULL;
        first := earlier;
    END LOOP;
    RETURN first;
END
$$;

-- Fires what is due of one schedule, whose row is locked. Internal.
CREATE FUNCTION queue.fire_schedule(
    s queue.schedule, at_now timestamptz, OUT fired integer, OUT skipped integer)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    due timestamptz := queue.first_to_fire(s, at_now);
    passed timestamptz := s.last_slot;
BEGIN
    fired := 0;
    skipped := 0;
    IF due IS NULL OR due > s.next_at THEN
        passed := queue.cron_last(s.parsed, s.timezone, s.anchor,
            s.next_at - interval '1 second', coalesce(due - interval '1 second', at_now));
        INSERT INTO queue.schedule_run (schedule_id, slot, at, outcome, until)
        VALUES (s.id, s.next_at, at_now, 'missed', passed)
        ON CONFLICT (schedule_id, slot) DO NOTHING;
        skipped := 1;
    END IF;
    -- A bound on one transaction: what is left is due at the next call.
    WHILE due <= at_now AND fired + skipped < 2000 LOOP
        IF EXISTS (SELECT FROM queue.schedule_run r
                   WHERE r.schedule_id = s.id AND r.slot = due) THEN
            -- The clock was set back and the schedule set anew: this one has been.
            NULL;
        ELSIF s.overlap = 'forbid' AND queue.schedule_is_busy(s) THEN
            INSERT INTO queue.schedule_run (schedule_id, slot, at, outcome)
            VALUES (s.id, due, at_now, 'overlap');
            skipped := skipped + 1;
        ELSE
            s.last_job_id := queue.fire_slot(s, due, at_now, 'fired');
            fired := fired + 1;
        END IF;
        passed := due;
        due := queue.cron_next(s.parsed, s.timezone, s.anchor, due);
    END LOOP;
    UPDATE queue.schedule x
    SET next_at = due, last_slot = passed, last_job_id = s.last_job_id,
        runs = x.runs + fired, error = NULL
    WHERE x.id = s.id;
    -- Now and then, and not each time, the runs before the latest hundred go.
    IF (s.runs + fired) / 50 > s.runs / 50 OR skipped > 0 THEN
        DELETE FROM queue.schedule_run r
        WHERE r.schedule_id = s.id AND r.slot < (
            SELECT y.slot FROM queue.schedule_run y WHERE y.schedule_id = s.id
            ORDER BY y.slot DESC OFFSET 99 LIMIT 1);
    END IF;
END
$$;

-- A slot that cannot be fired is written down and the schedule goes on with its next one: what is
-- wrong with it may be cured, and it must not keep the others from firing. Internal.
CREATE FUNCTION queue.fail_schedule(s queue.schedule, at_now timestamptz, problem text) RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    slot timestamptz;
    said text := problem;
BEGIN
    BEGIN
        slot := queue.cron_next(s.parsed, s.timezone, s.anchor, at_now);
    EXCEPTION WHEN OTHERS THEN
        -- As when the server no longer knows the zone: there is none until it is set anew.
        said := SQLERRM;
    END;
    INSERT INTO queue.schedule_run AS r (schedule_id, slot, at, outcome, error)
    VALUES (s.id, s.next_at, at_now, 'failed', left(said, 1000))
    ON CONFLICT (schedule_id, slot) DO NOTHING;
    UPDATE queue.schedule x
    SET next_at = slot, last_slot = s.next_at, error = left(said, 1000) WHERE x.id = s.id;
END
$$;

-- Fires schedules that are due, oldest first, for about time_limit at most; workers call it. Each
-- within a savepoint of its own, and few of them, because a transaction with more than 64 makes
-- everybody's snapshots dearer. after_at and after_id say where an earlier call ended: what was
-- fired leaves dead entries in the index, which an old snapshot keeps there. Before it may stand
-- what another session had locked and did not fire after all, so the last call begins at the start.
CREATE FUNCTION queue.fire_schedules(
    at_now timestamptz DEFAULT NULL,
    time_limit interval DEFAULT interval '50 milliseconds',
    batch integer DEFAULT 50,
    after_at timestamptz DEFAULT '-infinity',
    after_id bigint DEFAULT 0,
    OUT fired bigint, OUT skipped bigint, OUT failed bigint, OUT problem text,
    OUT last_at timestamptz, OUT last_id bigint, OUT next_at timestamptz, OUT wait_us bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- By index, whatever the statistics said when the plan was made.
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    began timestamptz := clock_timestamp();
    s queue.schedule;
    one record;
BEGIN
    fired := 0;
    skipped := 0;
    failed := 0;
    at_now := coalesce(fire_schedules.at_now, began);
    last_at := fire_schedules.after_at;
    last_id := fire_schedules.after_id;
    FOR s IN
        SELECT x.* FROM queue.schedule x
        WHERE (x.next_at, x.id) > (fire_schedules.after_at, fire_schedules.after_id)
          AND x.next_at <= at_now
        ORDER BY x.next_at, x.id LIMIT fire_schedules.batch FOR UPDATE SKIP LOCKED
    LOOP
        BEGIN
            one := queue.fire_schedule(s, at_now);
            fired := fired + one.fired;
            skipped := skipped + one.skipped;
        EXCEPTION WHEN OTHERS THEN
            -- Only what is wrong with this schedule; trouble of the server ends the call.
            IF SQLSTATE ~ '^(08|25|40|42|53|57|58|XX)' THEN
                RAISE;
            END IF;
            failed := failed + 1;
            problem := format('schedule %L: %s', s.name, SQLERRM);
            PERFORM queue.fail_schedule(s, at_now, SQLERRM);
        END;
        last_at := s.next_at;
        last_id := s.id;
        EXIT WHEN clock_timestamp() >= began + fire_schedules.time_limit;
    END LOOP;
    -- The first condition says no more than the second, but only from it does the planner see that
    -- next_at is not NULL, which the index is about.
    SELECT x.next_at INTO next_at FROM queue.schedule x
    WHERE x.next_at >= last_at AND (x.next_at, x.id) > (last_at, last_id)
    ORDER BY x.next_at, x.id LIMIT 1;
    wait_us := extract(epoch FROM next_at - at_now) * 1000000;
END
$$;
COMMENT ON FUNCTION queue.fire_schedules IS
    'Fires due schedules, a bounded time at a call; wait_us: until the next one, NULL for never.';
