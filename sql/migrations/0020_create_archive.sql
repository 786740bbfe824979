-- breaking: no
-- Retention by outcome, and archives: docs/retention.md and docs/archive.md.

ALTER TABLE queue.kind
    -- Of cancelled jobs. NULL: as of completed ones.
    ADD COLUMN cancelled_retention interval,
    -- Of dead letters. NULL: the queue's.
    ADD COLUMN dead_letter_retention interval,
    -- Where its jobs are copied to before they go (queue.archive). NULL: nowhere.
    ADD COLUMN archive text COLLATE "C",
    ADD CONSTRAINT kind_cancelled_retention_valid CHECK (cancelled_retention >= interval '0'),
    ADD CONSTRAINT kind_dead_letter_retention_valid CHECK (dead_letter_retention >= interval '0'),
    ADD CONSTRAINT kind_archive_valid CHECK (archive ~ '^[a-z0-9_.-]{1,64}$');

-- Archives are rows of one table and not tables of their own: what the schema holds stays known,
-- and whoever may set a kind's archive need not be allowed to create tables.
CREATE TABLE queue.archive (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    -- Of its rows, from when they came. NULL: for ever.
    retention interval,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- What came up to here is gone.
    pruned_until timestamptz NOT NULL DEFAULT '-infinity',
    -- When pruning last began at its oldest row.
    whole_round_at timestamptz NOT NULL DEFAULT '-infinity',
    -- Files are named after it.
    CONSTRAINT archive_name_valid CHECK (name ~ '^[a-z0-9_.-]{1,64}$'),
    CONSTRAINT archive_retention_valid CHECK (retention >= interval '0')
);
COMMENT ON TABLE queue.archive IS 'Where jobs of some kinds are kept after their retention';

CREATE TABLE queue.archived_job (
    archive text COLLATE "C" NOT NULL,
    id bigint NOT NULL,
    created_at timestamptz NOT NULL,
    run_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    archived_at timestamptz NOT NULL,
    priority smallint NOT NULL,
    attempt smallint NOT NULL,
    max_attempts smallint NOT NULL,
    tenant_id uuid,
    queue text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    last_error text,
    payload jsonb NOT NULL,
    output jsonb,
    meta jsonb,
    -- As in a dead letter.
    attempts jsonb NOT NULL,
    -- An id is in one archive. By it alone: an index that shared its first column with another
    -- would be left for that one by plans made while the table was empty.
    CONSTRAINT archived_job_pkey PRIMARY KEY (id),
    CONSTRAINT archived_job_state_valid CHECK (state IN ('completed', 'cancelled', 'dead'))
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.5);
CREATE INDEX archived_job_id_idx ON queue.archived_job (archive, id);
CREATE INDEX archived_job_archived_at_idx ON queue.archived_job (archive, archived_at);
COMMENT ON TABLE queue.archived_job IS 'Jobs that outlived their retention, one row each';

-- Whose data a job holds. The subject itself is not kept: a digest finds it as well.
CREATE TABLE queue.subject (
    job_id bigint NOT NULL,
    subject_hash bytea NOT NULL,
    CONSTRAINT subject_pkey PRIMARY KEY (job_id, subject_hash)
);
CREATE INDEX subject_hash_idx ON queue.subject (subject_hash);
COMMENT ON TABLE queue.subject IS 'Which jobs and archived jobs hold data of whom';

CREATE VIEW queue.archived_jobs WITH (security_invoker = true) AS
SELECT a.archive, a.id, a.tenant_id, a.queue, a.kind, a.state, a.priority::integer AS priority,
       a.attempt::integer AS attempt, a.max_attempts::integer AS max_attempts, a.payload, a.output,
       a.meta, a.run_at, a.created_at, a.finished_at, a.last_error, a.attempts, a.archived_at
FROM queue.archived_job a;
COMMENT ON VIEW queue.archived_jobs IS 'Jobs of all archives, as they were when they went';

CREATE VIEW queue.archives WITH (security_invoker = true) AS
SELECT n.name, n.retention,
       ARRAY(SELECT k.name FROM queue.kind k WHERE k.archive = n.name ORDER BY k.name) AS kinds,
       n.created_at
FROM queue.archive n;

-- Settings.

DROP FUNCTION queue.set_kind_retention(text, interval);
CREATE FUNCTION queue.set_kind_retention(
    kind text, retention interval, cancelled_retention interval DEFAULT NULL,
    dead_letter_retention interval DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    name text;
    given interval;
BEGIN
    PERFORM queue.check_kind(set_kind_retention.kind);
    FOR name, given IN VALUES ('retention', set_kind_retention.retention),
                              ('cancelled_retention', set_kind_retention.cancelled_retention),
                              ('dead_letter_retention', set_kind_retention.dead_letter_retention)
    LOOP
        IF given < interval '0' THEN
            RAISE EXCEPTION '%: expected 0 or more, or NULL for its queue''s, got %', name, given
                USING ERRCODE = 'LQ001';
        END IF;
    END LOOP;
    INSERT INTO queue.kind AS k (name, retention, cancelled_retention, dead_letter_retention)
    VALUES (set_kind_retention.kind, set_kind_retention.retention,
            set_kind_retention.cancelled_retention, set_kind_retention.dead_letter_retention)
    ON CONFLICT (name) DO UPDATE
    SET retention = excluded.retention, cancelled_retention = excluded.cancelled_retention,
        dead_letter_retention = excluded.dead_letter_retention;
END
$$;
COMMENT ON FUNCTION queue.set_kind_retention IS
    'How long finished jobs of the kind, cancelled ones and dead letters stay; NULL: as its queue.';

CREATE FUNCTION queue.check_kind(kind text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF check_kind.kind IS NULL OR check_kind.kind !~ '^[a-z0-9_.-]{1,64}$' THEN
        RAISE EXCEPTION 'kind: expected 1 to 64 of a-z 0-9 _ . -, got %',
            coalesce(quote_literal(left(check_kind.kind, 100)), 'NULL') USING ERRCODE = 'LQ001';
    END IF;
END
$$;

CREATE FUNCTION queue.no_such_archive(archive text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'no archive %',
        coalesce(quote_literal(left(no_such_archive.archive, 100)), 'NULL')
        USING ERRCODE = 'LQ005',
              HINT = 'An archive is made by queue.set_archive(kind, archive); '
                     || 'queue.archives lists them.';
END
$$;

CREATE FUNCTION queue.set_archive(kind text, archive text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    PERFORM queue.check_kind(set_archive.kind);
    IF set_archive.archive !~ '^[a-z0-9_.-]{1,64}$' THEN
        RAISE EXCEPTION 'archive: expected 1 to 64 of a-z 0-9 _ . -, got %',
            quote_literal(left(set_archive.archive, 100)) USING ERRCODE = 'LQ001';
    END IF;
    INSERT INTO queue.archive (name)
    SELECT set_archive.archive WHERE set_archive.archive IS NOT NULL
    ON CONFLICT (name) DO NOTHING;
    INSERT INTO queue.kind AS k (name, archive) VALUES (set_archive.kind, set_archive.archive)
    ON CONFLICT (name) DO UPDATE SET archive = excluded.archive
    WHERE k.archive IS DISTINCT FROM excluded.archive;
END
$$;
COMMENT ON FUNCTION queue.set_archive IS
    'Jobs of the kind go to this archive when their retention is over; NULL: they go.';

CREATE FUNCTION queue.set_archive_retention(archive text, retention interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF set_archive_retention.retention < interval '0' THEN
        RAISE EXCEPTION 'retention: expected 0 or more, or NULL for ever, got %',
            set_archive_retention.retention USING ERRCODE = 'LQ001';
    END IF;
    UPDATE queue.archive n SET retention = set_archive_retention.retention
    WHERE n.name = set_archive_retention.archive;
    IF NOT FOUND THEN
        PERFORM queue.no_such_archive(set_archive_retention.archive);
    END IF;
END
$$;
COMMENT ON FUNCTION queue.set_archive_retention IS
    'How long jobs stay in the archive; NULL: for ever.';

-- Going.

-- Copies jobs to the archives of their kinds. Internal.
CREATE FUNCTION queue.archive_jobs(ids bigint[]) RETURNS void
LANGUAGE sql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
    INSERT INTO queue.archived_job (
        archive, id, created_at, run_at, finished_at, archived_at, priority, attempt, max_attempts,
        tenant_id, queue, kind, state, last_error, payload, output, meta, attempts)
    SELECT k.archive, j.id, j.created_at, j.run_at, e.finished_at, clock_timestamp(), l.priority,
           e.attempt, j.max_attempts, j.tenant_id, q.name, l.kind,
           CASE e.outcome WHEN 'completed' THEN 'completed' WHEN 'cancelled' THEN 'cancelled'
                ELSE 'dead' END,
           CASE WHEN e.outcome <> 'completed' THEN coalesce(e.error, h.last_error) END,
           j.payload, CASE e.outcome WHEN 'completed' THEN e.output END, j.meta, h.attempts
    FROM unnest(archive_jobs.ids) u (id)
    CROSS JOIN LATERAL (SELECT x.* FROM queue.job x WHERE x.id = u.id OFFSET 0) j
    JOIN queue.line l ON l.id = j.line_id
    JOIN queue.kind k ON k.name = l.kind AND k.archive IS NOT NULL
    JOIN queue.queue q ON q.id = l.queue_id
    CROSS JOIN LATERAL (
        SELECT x.outcome, x.attempt, x.finished_at, x.error, x.output FROM queue.attempt x
        WHERE x.job_id = j.id ORDER BY x.lease_id DESC LIMIT 1 OFFSET 0) e
    CROSS JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_object(
                   'attempt', x.attempt, 'outcome', x.outcome, 'started_at', x.started_at,
                   'finished_at', x.finished_at, 'error', x.error, 'worker_id', x.worker_id)
                   ORDER BY x.lease_id) AS attempts,
               (array_agg(x.error ORDER BY x.lease_id DESC)
                   FILTER (WHERE x.error IS NOT NULL))[1] AS last_error
        FROM queue.attempt x WHERE x.job_id = j.id) h
$$;

-- Removes jobs that are locked, have ended and are owed by no lease: those of archived kinds are
-- copied, then all are deleted with what hangs on them. One transaction, so a job is in one place
-- or in the other. Says how many went. Internal.
CREATE FUNCTION queue.remove_jobs(ids bigint[]) RETURNS integer
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    known bigint[];
BEGIN
    IF EXISTS (SELECT FROM queue.kind k WHERE k.archive IS NOT NULL) THEN
        -- A restored dump may give an id twice. Nothing is overwritten: the second job stays.
        known := ARRAY(SELECT a.id FROM queue.archived_job a WHERE a.id = ANY (ids));
        IF known <> '{}' THEN
            ids := ARRAY(SELECT u.id FROM unnest(remove_jobs.ids) u (id) WHERE u.id <> ALL (known));
        END IF;
        PERFORM queue.archive_jobs(ids);
    END IF;
    -- An archived job is still found by its subject.
    known := ARRAY(SELECT s.job_id FROM queue.subject s WHERE s.job_id = ANY (remove_jobs.ids));
    IF known <> '{}' THEN
        DELETE FROM queue.subject s
        WHERE s.job_id = ANY (known)
          AND s.job_id <> ALL (ARRAY(SELECT a.id FROM queue.archived_job a
                                     WHERE a.id = ANY (known)));
    END IF;
    PERFORM queue.forget_jobs(ids);
    DELETE FROM queue.attempt a WHERE a.job_id = ANY (remove_jobs.ids);
    DELETE FROM queue.job j WHERE j.id = ANY (remove_jobs.ids);
    RETURN cardinality(ids);
END
$$;

CREATE OR REPLACE FUNCTION queue.prune_these(
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
            LEFT JOIN queue.kind k ON k.name = x.kind
            WHERE x.job_id = ANY (held)
              AND x.died_at <= prune_these.at_now
                               - coalesce(k.dead_letter_retention, q.dead_letter_retention)
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
        SELECT e.next_run_at, e.finished_at, e.outcome FROM queue.attempt e
        WHERE e.job_id = j.id ORDER BY e.lease_id DESC LIMIT 1 OFFSET 0) a
    WHERE a.next_run_at IS NULL
      AND a.finished_at <= prune_these.at_now
                           - coalesce(CASE WHEN a.outcome = 'cancelled'
                                           THEN k.cancelled_retention END,
                                      k.retention, q.retention)
      AND NOT EXISTS (SELECT FROM queue.dead_letter d WHERE d.job_id = j.id)
      -- While its lease stands, an attempt is what says that the job is no longer owed.
      AND NOT EXISTS (SELECT FROM queue.attempt e JOIN queue.lease s ON s.id = e.lease_id
                      WHERE e.job_id = j.id);
    jobs := CASE WHEN doomed IS NULL THEN 0 ELSE queue.remove_jobs(doomed) END;
END
$$;

-- What is dead and discarded of an archived kind goes to its archive at once: nobody revives it.
-- One that its worker's lease still lists goes when its retention is over.
CREATE OR REPLACE FUNCTION queue.discard(job_ids bigint[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    discarded bigint;
    archived bigint[];
BEGIN
    WITH gone AS (
        DELETE FROM queue.dead_letter d WHERE d.job_id = ANY (discard.job_ids)
        RETURNING d.job_id, d.kind)
    SELECT count(*),
           array_agg(g.job_id) FILTER (WHERE EXISTS (SELECT FROM queue.kind k
               WHERE k.name = g.kind AND k.archive IS NOT NULL))
    INTO discarded, archived FROM gone g;
    IF archived IS NOT NULL THEN
        archived := ARRAY(SELECT j.id FROM queue.job j WHERE j.id = ANY (archived)
                          ORDER BY j.id FOR UPDATE SKIP LOCKED);
        PERFORM queue.remove_jobs(ARRAY(
            SELECT u.id FROM unnest(archived) u (id)
            WHERE NOT EXISTS (SELECT FROM queue.attempt e JOIN queue.lease s ON s.id = e.lease_id
                              WHERE e.job_id = u.id)));
    END IF;
    RETURN discarded;
END
$$;

-- As before; a kind's other retentions count for what is too young, too.
CREATE OR REPLACE FUNCTION queue.prune_jobs(
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
          SELECT least(k.retention, k.cancelled_retention, k.dead_letter_retention)
          FROM queue.kind k) r;
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

-- Deletes what outlived its archive's retention, oldest first, for about time_limit at most. Begins
-- where it last ended, a minute earlier for what committed late, and once a day at the oldest row:
-- an old snapshot keeps what was deleted before.
CREATE FUNCTION queue.prune_archives(
    at_now timestamptz DEFAULT NULL,
    time_limit interval DEFAULT interval '50 milliseconds',
    batch integer DEFAULT 500,
    OUT jobs bigint, OUT round_over boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    began timestamptz := clock_timestamp();
    one queue.archive;
    since timestamptz;
    ids bigint[];
    last_at timestamptz;
BEGIN
    jobs := 0;
    round_over := true;
    at_now := coalesce(prune_archives.at_now, began);
    FOR one IN SELECT n.* FROM queue.archive n WHERE n.retention IS NOT NULL
               ORDER BY n.name FOR UPDATE SKIP LOCKED
    LOOP
        IF one.whole_round_at <= at_now - interval '1 day' OR one.whole_round_at > at_now THEN
            one.whole_round_at := at_now;
            one.pruned_until := '-infinity';
        END IF;
        since := one.pruned_until - interval '1 minute';
        LOOP
            WITH gone AS (
                DELETE FROM queue.archived_job a
                WHERE a.ctid = ANY (ARRAY(
                    SELECT x.ctid FROM queue.archived_job x
                    WHERE x.archive = one.name AND x.archived_at >= since
                      AND x.archived_at <= at_now - one.retention
                    ORDER BY x.archived_at LIMIT prune_archives.batch FOR UPDATE SKIP LOCKED))
                RETURNING a.id, a.archived_at)
            SELECT array_agg(g.id), max(g.archived_at) INTO ids, last_at FROM gone g;
            EXIT WHEN ids IS NULL;
            PERFORM queue.forget_subjects(ids);
            jobs := jobs + cardinality(ids);
            since := greatest(since, last_at);
            one.pruned_until := since;
            round_over := cardinality(ids) < prune_archives.batch;
            EXIT WHEN round_over OR clock_timestamp() >= began + prune_archives.time_limit;
        END LOOP;
        UPDATE queue.archive n
        SET pruned_until = one.pruned_until, whole_round_at = one.whole_round_at
        WHERE n.name = one.name
          AND (n.pruned_until, n.whole_round_at) <> (one.pruned_until, one.whole_round_at);
        EXIT WHEN NOT round_over;
    END LOOP;
END
$$;
COMMENT ON FUNCTION queue.prune_archives IS
    'Deletes archived jobs past their archive''s retention, a bounded time at a call.';

-- Of jobs that are nowhere any more. Internal.
CREATE FUNCTION queue.forget_subjects(ids bigint[]) RETURNS void
LANGUAGE sql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
    DELETE FROM queue.subject s
    WHERE s.job_id = ANY (forget_subjects.ids)
      AND NOT EXISTS (SELECT FROM queue.job j WHERE j.id = s.job_id)
$$;

CREATE FUNCTION queue.remove_archived(archive text, ids bigint[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    gone bigint[];
BEGIN
    IF NOT EXISTS (SELECT FROM queue.archive n WHERE n.name = remove_archived.archive) THEN
        PERFORM queue.no_such_archive(remove_archived.archive);
    END IF;
    WITH removed AS (
        DELETE FROM queue.archived_job a
        WHERE a.archive = remove_archived.archive AND a.id = ANY (remove_archived.ids)
        RETURNING a.id)
    SELECT array_agg(r.id) INTO gone FROM removed r;
    IF gone IS NOT NULL THEN
        PERFORM queue.forget_subjects(gone);
    END IF;
    RETURN coalesce(cardinality(gone), 0);
END
$$;
COMMENT ON FUNCTION queue.remove_archived IS
    'Deletes these jobs from the archive for good, as after an export; says how many there were.';
