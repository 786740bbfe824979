-- breaking: no
-- How long what is finished stays, and how it goes: docs/retention.md.

ALTER TABLE queue.queue
    -- Of finished jobs, from their last attempt's end. NULL: for ever.
    ADD COLUMN retention interval DEFAULT interval '14 days',
    -- Of dead letters, from their death. NULL: for ever.
    ADD COLUMN dead_letter_retention interval DEFAULT interval '90 days',
    ADD CONSTRAINT queue_retention_valid CHECK (retention >= interval '0'),
    ADD CONSTRAINT queue_dead_letter_retention_valid CHECK (dead_letter_retention >= interval '0');
ALTER TABLE queue.kind
    -- NULL: its queue's.
    ADD COLUMN retention interval,
    ADD CONSTRAINT kind_retention_valid CHECK (retention >= interval '0');

-- Pruned rows are given back to new ones by vacuum; a fifth of a history is too long to wait for.
ALTER TABLE queue.job SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE queue.attempt SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE queue.idempotency SET (autovacuum_vacuum_scale_factor = 0.05);

-- How far the walk over finished jobs has come; one row. Its lock makes one worker at a time walk.
CREATE TABLE queue.retention_walk (
    only_row boolean NOT NULL PRIMARY KEY DEFAULT true,
    -- Jobs up to this id were looked at in this round.
    position bigint NOT NULL DEFAULT 0,
    -- The next round begins above it: nothing below was left, but for what committed very late.
    low bigint NOT NULL DEFAULT 0,
    -- The least id this round met and left.
    lowest_left bigint,
    round_started_at timestamptz NOT NULL DEFAULT '-infinity',
    round_ended_at timestamptz NOT NULL DEFAULT '-infinity',
    -- When a round last began at id 0.
    whole_round_at timestamptz NOT NULL DEFAULT '-infinity',
    -- Idempotency keys that expire up to here are gone.
    keys_until timestamptz NOT NULL DEFAULT '-infinity',
    CONSTRAINT retention_walk_only_row CHECK (only_row)
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 500);
INSERT INTO queue.retention_walk DEFAULT VALUES;

CREATE FUNCTION queue.set_retention(queue text, retention interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF set_retention.retention < interval '0' THEN
        RAISE EXCEPTION 'retention: expected 0 or more, or NULL for ever, got %',
            set_retention.retention USING ERRCODE = 'LQ001';
    END IF;
    UPDATE queue.queue q SET retention = set_retention.retention
    WHERE q.name = set_retention.queue;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'unknown queue %', quote_literal(left(set_retention.queue, 100))
            USING ERRCODE = 'LQ002';
    END IF;
END
$$;
COMMENT ON FUNCTION queue.set_retention IS
    'How long finished jobs of the queue stay; NULL: for ever.';

CREATE FUNCTION queue.set_dead_letter_retention(queue text, retention interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF set_dead_letter_retention.retention < interval '0' THEN
        RAISE EXCEPTION 'retention: expected 0 or more, or NULL for ever, got %',
            set_dead_letter_retention.retention USING ERRCODE = 'LQ001';
    END IF;
    UPDATE queue.queue q SET dead_letter_retention = set_dead_letter_retention.retention
    WHERE q.name = set_dead_letter_retention.queue;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'unknown queue %', quote_literal(left(set_dead_letter_retention.queue, 100))
            USING ERRCODE = 'LQ002';
    END IF;
END
$$;
COMMENT ON FUNCTION queue.set_dead_letter_retention IS
    'How long dead letters of the queue stay; NULL: for ever.';

CREATE FUNCTION queue.set_kind_retention(kind text, retention interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF set_kind_retention.retention < interval '0' THEN
        RAISE EXCEPTION 'retention: expected 0 or more, or NULL for its queue''s, got %',
            set_kind_retention.retention USING ERRCODE = 'LQ001';
    END IF;
    INSERT INTO queue.kind AS k (name, retention)
    VALUES (set_kind_retention.kind, set_kind_retention.retention)
    ON CONFLICT (name) DO UPDATE SET retention = excluded.retention;
END
$$;
COMMENT ON FUNCTION queue.set_kind_retention IS
    'How long finished jobs of the kind stay; NULL: as long as its queue says.';

-- Deletes those of the given jobs that may go, with their attempts and what else hangs on them.
-- Their rows are locked before their state is read: whoever revives a cancelled job locks it too,
-- so a job is either back in line before we look or gone before he does. Internal.
CREATE FUNCTION queue.prune_these(
    ids bigint[], at_now timestamptz, OUT jobs integer, OUT letters integer)
LANGUAGE plpgsql
-- By index, whatever the statistics said when the plan was made. A scan that is off and taken all
-- the same looks dear enough to compile for, hence jit.
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    held bigint[];
    expired bigint[];
    doomed bigint[];
BEGIN
    held := ARRAY(SELECT j.id FROM queue.job j WHERE j.id = ANY (prune_these.ids)
                  ORDER BY j.id FOR UPDATE SKIP LOCKED);
    -- A dead letter outlives its retention first, its job after it: replay needs both.
    WITH gone AS (
        DELETE FROM queue.dead_letter d
        WHERE d.job_id = ANY (ARRAY(
            SELECT x.job_id
            FROM queue.dead_letter x
            JOIN queue.queue q ON q.name = x.queue
            WHERE x.job_id = ANY (held)
              AND x.died_at <= prune_these.at_now - q.dead_letter_retention
            ORDER BY x.job_id FOR UPDATE OF x SKIP LOCKED))
        RETURNING d.job_id)
    SELECT array_agg(g.job_id) INTO expired FROM gone g;
    letters := coalesce(cardinality(expired), 0);
    SELECT array_agg(j.id) INTO doomed
    FROM unnest(held) h (id)
    CROSS JOIN LATERAL (SELECT x.id, x.line_id FROM queue.job x WHERE x.id = h.id OFFSET 0) j
    JOIN queue.line l ON l.id = j.line_id
    JOIN queue.queue q ON q.id = l.queue_id
    LEFT JOIN queue.kind k ON k.name = l.kind
    CROSS JOIN LATERAL (
        SELECT e.next_run_at, e.finished_at FROM queue.attempt e
        WHERE e.job_id = j.id ORDER BY e.lease_id DESC LIMIT 1 OFFSET 0) a
    WHERE a.next_run_at IS NULL
      AND a.finished_at <= prune_these.at_now - coalesce(k.retention, q.retention)
      AND NOT EXISTS (SELECT FROM queue.dead_letter d WHERE d.job_id = j.id)
      -- While its lease stands, an attempt is what says that the job is no longer owed.
      AND NOT EXISTS (SELECT FROM queue.attempt e JOIN queue.lease s ON s.id = e.lease_id
                      WHERE e.job_id = j.id);
    jobs := coalesce(cardinality(doomed), 0);
    IF jobs = 0 THEN
        RETURN;
    END IF;
    -- These are locked and may go: whoever wants to keep a copy elsewhere takes it here.
    DELETE FROM queue.attempt a WHERE a.job_id = ANY (doomed);
    DELETE FROM queue.progress p WHERE p.job_id = ANY (doomed);
    DELETE FROM queue.cancel_request c WHERE c.job_id = ANY (doomed);
    DELETE FROM queue.job j WHERE j.id = ANY (doomed);
END
$$;

-- Walks over the jobs by id and deletes what may go, for about time_limit at most; the next call
-- goes on from there. Who finds another at it returns at once. A step reads a bounded range of ids,
-- so that rows deleted before, which an old snapshot keeps in the index, are stepped over a bounded
-- number at a time.
CREATE FUNCTION queue.prune_jobs(
    at_now timestamptz DEFAULT NULL,
    time_limit interval DEFAULT interval '50 milliseconds',
    batch integer DEFAULT 500,
    OUT jobs bigint, OUT letters bigint, OUT examined bigint, OUT round_over boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    began timestamptz := clock_timestamp();
    walk queue.retention_walk;
    last_id bigint := coalesce(pg_sequence_last_value('queue.job_id_seq'), 0);
    -- Nothing created after it can have outlived any retention.
    young timestamptz;
    -- Ids read per step: more where there are none, fewer again where there are some.
    span bigint := 2000;
    ids bigint[];
    all_young boolean;
    pruned record;
BEGIN
    jobs := 0;
    letters := 0;
    examined := 0;
    round_over := false;
    at_now := coalesce(prune_jobs.at_now, began);
    SELECT w.* INTO walk FROM queue.retention_walk w FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT at_now - min(r.least) INTO young
    FROM (SELECT least(q.retention, q.dead_letter_retention) AS least FROM queue.queue q
          UNION ALL
          SELECT k.retention FROM queue.kind k) r;
    IF walk.round_ended_at >= walk.round_started_at THEN
        -- Ids only grow, but one may commit after others that were drawn later. Once a day a round
        -- takes in what committed when the walk had passed.
        IF walk.whole_round_at <= at_now - interval '1 day' OR walk.whole_round_at > at_now THEN
            walk.low := 0;
            walk.whole_round_at := at_now;
        END IF;
        walk.position := walk.low;
        walk.lowest_left := NULL;
        walk.round_started_at := at_now;
        walk.round_ended_at := '-infinity';
    END IF;
    LOOP
        IF young IS NULL OR walk.position >= last_id THEN
            round_over := true;
            EXIT;
        END IF;
        SELECT array_agg(j.id ORDER BY j.id), coalesce(bool_and(j.created_at > young), false)
        INTO ids, all_young
        FROM (SELECT x.id, x.created_at FROM queue.job x
              WHERE x.id > walk.position AND x.id <= walk.position + span
              ORDER BY x.id LIMIT prune_jobs.batch) j;
        IF ids IS NULL THEN
            walk.position := least(walk.position + span, last_id);
            span := least(span * 2, 50000);
        ELSE
            IF all_young THEN
                walk.lowest_left := least(walk.lowest_left, ids[1]);
                round_over := true;
                EXIT;
            END IF;
            pruned := queue.prune_these(ids, at_now);
            jobs := jobs + pruned.jobs;
            letters := letters + pruned.letters;
            examined := examined + cardinality(ids);
            IF pruned.jobs < cardinality(ids) AND walk.lowest_left IS NULL THEN
                SELECT min(x.id) INTO walk.lowest_left FROM queue.job x WHERE x.id = ANY (ids);
            END IF;
            -- A full batch ends before its range does.
            walk.position := CASE WHEN cardinality(ids) < prune_jobs.batch
                THEN least(walk.position + span, last_id) ELSE ids[cardinality(ids)] END;
            span := 2000;
        END IF;
        EXIT WHEN clock_timestamp() >= began + prune_jobs.time_limit;
    END LOOP;
    IF round_over THEN
        walk.round_ended_at := greatest(at_now, walk.round_started_at);
        walk.low := greatest(walk.low, coalesce(walk.lowest_left - 1, walk.position));
    END IF;
    UPDATE queue.retention_walk w
    SET position = walk.position, low = walk.low, lowest_left = walk.lowest_left,
        round_started_at = walk.round_started_at, round_ended_at = walk.round_ended_at,
        whole_round_at = walk.whole_round_at;
END
$$;
COMMENT ON FUNCTION queue.prune_jobs IS
    'Deletes finished jobs past their retention, a bounded time at a call; workers call it.';

-- Deletes idempotency keys past their time to live, oldest first, for about time_limit at most. It
-- begins where it last ended, a minute earlier for those that committed late: an old snapshot keeps
-- what was deleted before.
CREATE FUNCTION queue.prune_keys(
    at_now timestamptz DEFAULT NULL,
    time_limit interval DEFAULT interval '50 milliseconds',
    batch integer DEFAULT 500,
    OUT keys bigint, OUT round_over boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    began timestamptz := clock_timestamp();
    since timestamptz;
    found_keys bigint;
    last_expiry timestamptz;
BEGIN
    keys := 0;
    round_over := false;
    at_now := coalesce(prune_keys.at_now, began);
    SELECT w.keys_until INTO since FROM queue.retention_walk w FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- A clock that was set back.
    IF since > at_now THEN
        since := '-infinity';
    END IF;
    since := since - interval '1 minute';
    LOOP
        WITH gone AS (
            DELETE FROM queue.idempotency i
            WHERE i.ctid = ANY (ARRAY(
                SELECT x.ctid FROM queue.idempotency x
                WHERE x.expires_at >= since AND x.expires_at <= at_now
                ORDER BY x.expires_at LIMIT prune_keys.batch FOR UPDATE SKIP LOCKED))
            RETURNING i.expires_at)
        SELECT count(*), max(g.expires_at) INTO found_keys, last_expiry FROM gone g;
        keys := keys + found_keys;
        since := greatest(since, last_expiry);
        round_over := found_keys < prune_keys.batch;
        EXIT WHEN round_over OR clock_timestamp() >= began + prune_keys.time_limit;
    END LOOP;
    UPDATE queue.retention_walk w SET keys_until = since WHERE keys > 0;
END
$$;
COMMENT ON FUNCTION queue.prune_keys IS
    'Deletes expired idempotency keys, a bounded time at a call; workers call it.';

-- Who keeps the oldest snapshot: rows that died since it was taken cannot be removed. No row when
-- nobody keeps one. What other users' sessions hold is seen by members of pg_read_all_stats.
CREATE FUNCTION queue.oldest_snapshot(
    OUT holder text, OUT seconds double precision, OUT command text)
RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    SELECT h.holder, h.seconds, h.command
    FROM (
        SELECT format('session %s (%s%s of %s, %s)', a.pid,
                      CASE WHEN a.backend_type <> 'client backend' THEN a.backend_type || ' ' END,
                      coalesce(nullif(a.application_name, ''), 'unnamed'), a.usename,
                      coalesce(a.state, 'active')) AS holder,
               extract(epoch FROM clock_timestamp() - a.xact_start)::double precision AS seconds,
               format('SELECT pg_terminate_backend(%s)', a.pid) AS command,
               -- A session that wrote and is idle holds others' snapshots back by its xid.
               greatest(age(a.backend_xmin), age(a.backend_xid)) AS xids
        FROM pg_stat_activity a
        WHERE a.pid <> pg_backend_pid() AND a.backend_type <> 'autovacuum worker'
          AND (a.datname = current_database() OR a.backend_type = 'walsender')
        UNION ALL
        SELECT format('prepared transaction %L of %s', p.gid, p.owner),
               extract(epoch FROM clock_timestamp() - p.prepared),
               format('ROLLBACK PREPARED %L', p.gid), age(p.transaction)
        FROM pg_prepared_xacts p
        WHERE p.database = current_database()
        UNION ALL
        SELECT format('replication slot %s', s.slot_name), NULL,
               format('SELECT pg_drop_replication_slot(%L)', s.slot_name), age(s.xmin)
        FROM pg_replication_slots s) h
    WHERE h.xids IS NOT NULL
    ORDER BY h.xids DESC, h.seconds DESC NULLS LAST
    LIMIT 1
$$;
