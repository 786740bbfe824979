-- breaking: no
-- What the one on call looks at first, and what is done to single jobs: overview, failure groups,
-- where a job came from, snooze and clone.

-- The oldest a job may get while it waits, before the queue counts as late; NULL: any.
ALTER TABLE queue.queue ADD COLUMN objective interval
    CONSTRAINT queue_objective_valid CHECK (objective > interval '0');

CREATE FUNCTION queue.set_objective(queue text, objective interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF set_objective.objective <= interval '0' THEN
        RAISE EXCEPTION 'objective: expected more than 0, got %', set_objective.objective
            USING ERRCODE = 'LQ001';
    END IF;
    PERFORM queue.refuse_tenant('objective');
    UPDATE queue.queue q SET objective = set_objective.objective
    WHERE q.name = set_objective.queue;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'unknown queue %', quote_literal(left(set_objective.queue, 100))
            USING ERRCODE = 'LQ002';
    END IF;
    PERFORM queue.record_action('queues.objective', set_objective.queue, jsonb_build_object(
        'seconds', extract(epoch FROM set_objective.objective)));
END
$$;

-- What people said about a failure group. Groups without tenant use the zero UUID.
CREATE TABLE queue.failure_group (
    tenant_id uuid NOT NULL,
    fingerprint text COLLATE "C" NOT NULL,
    note text,
    muted boolean NOT NULL DEFAULT false,
    updated_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT failure_group_pkey PRIMARY KEY (tenant_id, fingerprint)
);
COMMENT ON TABLE queue.failure_group IS 'Notes on failure groups, kept while they have letters';

CREATE FUNCTION queue.note_failure_group(fingerprint text, note text, muted boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    tenant uuid := queue.current_tenant();
BEGIN
    IF NOT EXISTS (SELECT FROM queue.dead_letter d
                   WHERE d.fingerprint = note_failure_group.fingerprint
                     AND (tenant IS NULL OR d.tenant_id = tenant)) THEN
        RAISE EXCEPTION 'no failure group %',
            quote_literal(left(note_failure_group.fingerprint, 64))
            USING ERRCODE = 'LQ005';
    END IF;
    INSERT INTO queue.failure_group AS g (tenant_id, fingerprint, note, muted, updated_by,
                                          updated_at)
    VALUES (coalesce(tenant, '00000000-0000-0000-0000-000000000000'),
            note_failure_group.fingerprint, left(note_failure_group.note, 4096),
            coalesce(note_failure_group.muted, false),
            queue.current_actor(), clock_timestamp())
    ON CONFLICT ON CONSTRAINT failure_group_pkey DO UPDATE
    SET note = excluded.note, muted = excluded.muted, updated_by = excluded.updated_by,
        updated_at = excluded.updated_at;
    PERFORM queue.record_action('failures.note', note_failure_group.fingerprint,
                                jsonb_build_object('muted', note_failure_group.muted));
END
$$;

-- Dead letters that match a filter, grouped by what killed them, at most so many of each group
-- (count_exact tells). The groups are found by jumping from one to the next in the index. Obeys
-- row-level security.
CREATE FUNCTION queue.failure_groups(
    filter jsonb, since timestamptz, buckets integer, most_groups integer, most_letters integer)
RETURNS TABLE (
    fingerprint text, kind text, queue text, queues bigint, tenants bigint, count bigint,
    count_exact boolean, first_died_at timestamptz, last_died_at timestamptz, sample_id bigint,
    reason text, error text, series bigint[])
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    wide interval := (clock_timestamp() - failure_groups.since) / failure_groups.buckets;
    tenant uuid := queue.current_tenant();
    -- A tenant's own groups are among its latest letters: the index is full of others'.
    own text[];
    one text := '';
    seen integer := 0;
    letters text;
BEGIN
    IF tenant IS NOT NULL THEN
        own := ARRAY(SELECT DISTINCT s.fingerprint
                     FROM (SELECT d.fingerprint FROM queue.dead_letter d
                           WHERE d.tenant_id = tenant ORDER BY d.died_at DESC LIMIT 5000) s
                     ORDER BY s.fingerprint);
    END IF;
    letters := format($q$
        SELECT min(s.kind) AS kind, min(s.queue) AS queue, count(DISTINCT s.queue) AS queues,
               count(DISTINCT s.tenant_id) AS tenants, count(*) AS count,
               min(s.died_at) AS first_died_at, max(s.died_at) AS last_died_at,
               (array_agg(s.job_id ORDER BY s.died_at DESC))[1] AS sample_id
        FROM (SELECT d.kind, d.queue, d.tenant_id, d.died_at, d.job_id
              FROM queue.dead_letter d
              WHERE d.fingerprint = $1%s
              ORDER BY d.died_at DESC, d.job_id DESC LIMIT $2) s$q$,
        queue.filter_condition(queue.filter_at(failure_groups.filter, clock_timestamp()),
                               'letter'));
    WHILE seen < failure_groups.most_groups LOOP
        IF own IS NULL THEN
            SELECT d.fingerprint INTO one FROM queue.dead_letter d
            WHERE d.fingerprint > one ORDER BY d.fingerprint LIMIT 1;
        ELSE
            SELECT min(u.fingerprint) INTO one FROM unnest(own) u (fingerprint)
            WHERE u.fingerprint > one;
        END IF;
        EXIT WHEN one IS NULL;
        EXECUTE letters INTO kind, queue, queues, tenants, count, first_died_at, last_died_at,
                             sample_id
        USING one, failure_groups.most_letters;
        CONTINUE WHEN count = 0;
        seen := seen + 1;
        fingerprint := one;
        count_exact := count < failure_groups.most_letters;
        IF NOT count_exact THEN
            SELECT d.died_at INTO first_died_at FROM queue.dead_letter d
            WHERE d.fingerprint = one ORDER BY d.died_at LIMIT 1;
        END IF;
        SELECT d.reason, left(d.error, 500) INTO reason, error
        FROM queue.dead_letter d WHERE d.job_id = sample_id;
        SELECT array_agg(coalesce(b.n, 0) ORDER BY g.n) INTO series
        FROM generate_series(0, failure_groups.buckets - 1) g (n)
        LEFT JOIN (
            SELECT least(failure_groups.buckets - 1, floor(
                       extract(epoch FROM s.died_at - failure_groups.since)
                       / extract(epoch FROM wide)))::integer AS bucket, count(*) AS n
            FROM (SELECT d.died_at FROM queue.dead_letter d
                  WHERE d.fingerprint = one AND d.died_at >= failure_groups.since
                  ORDER BY d.died_at DESC LIMIT failure_groups.most_letters) s
            GROUP BY 1) b ON b.bucket = g.n;
        RETURN NEXT;
    END LOOP;
END
$$;

-- Every queue with what stands in it, in bounded time: exact up to 500 jobs of a line, beyond
-- that estimated from a sample of the line's pages. Rates are those of the last minute, or of
-- what the end of the history covers. Obeys row-level security.
CREATE FUNCTION queue.overview()
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
            ORDER BY r.run_at LIMIT 1) first ON true),
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
    -- Worst first: late, then with jobs waiting and nobody there, then the oldest.
    ORDER BY coalesce(clock_timestamp() - t.oldest > q.objective, false) DESC,
             t.ready > 0 AND coalesce(v.workers, 0) = 0 DESC, t.oldest, q.name;
END
$$;

-- The job that another one follows from: as the next step of a chain, as its replay or as its
-- clone.

CREATE INDEX job_origin_idx ON queue.job ((coalesce(
        meta ->> 'follows', meta ->> 'replay_of', meta ->> 'clone_of')))
    WHERE meta ?| ARRAY['follows', 'replay_of', 'clone_of'];

-- The jobs that are linked with one: from the first of the chain on all that follow, at most so
-- many. `relation` says what a job is to `from_id`. Obeys row-level security. Raises LQ005.
CREATE FUNCTION queue.job_lineage(job_id bigint, most integer DEFAULT 200)
RETURNS TABLE (
    id bigint, from_id bigint, relation text, kind text, queue text, state text, batch_id bigint,
    created_at timestamptz, finished_at timestamptz, last_error text)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    root bigint := job_lineage.job_id;
    above text;
    steps integer := 0;
    found_ids bigint[];
    at_place integer := 1;
BEGIN
    PERFORM FROM queue.job x WHERE x.id = root;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no job %', job_lineage.job_id USING ERRCODE = 'LQ005';
    END IF;
    LOOP
        SELECT coalesce(x.meta ->> 'follows', x.meta ->> 'replay_of', x.meta ->> 'clone_of')
        INTO above FROM queue.job x WHERE x.id = root;
        EXIT WHEN above IS NULL OR above !~ '^[0-9]{1,18}$' OR steps >= 1000
                  OR NOT EXISTS (SELECT FROM queue.job x WHERE x.id = above::bigint);
        root := above::bigint;
        steps := steps + 1;
    END LOOP;
    found_ids := ARRAY[root];
    WHILE at_place <= cardinality(found_ids) AND cardinality(found_ids) < job_lineage.most LOOP
        found_ids := found_ids || ARRAY(
            SELECT x.id FROM queue.job x
            WHERE coalesce(x.meta ->> 'follows', x.meta ->> 'replay_of', x.meta ->> 'clone_of')
                  = found_ids[at_place]::text
              AND x.meta ?| ARRAY['follows', 'replay_of', 'clone_of']
              AND x.id <> ALL (found_ids)
            ORDER BY x.id
            LIMIT job_lineage.most - cardinality(found_ids));
        at_place := at_place + 1;
    END LOOP;
    RETURN QUERY
    SELECT j.id,
           CASE WHEN o.origin ~ '^[0-9]{1,18}$' THEN o.origin::bigint END,
           CASE WHEN j.meta ? 'follows' THEN 'follows' WHEN j.meta ? 'replay_of' THEN 'replay_of'
                WHEN j.meta ? 'clone_of' THEN 'clone_of' END,
           j.kind, j.queue, j.state, j.batch_id, j.created_at, j.finished_at, j.last_error
    FROM unnest(found_ids) WITH ORDINALITY f (id, place)
    CROSS JOIN LATERAL (SELECT y.* FROM queue.jobs y WHERE y.id = f.id OFFSET 0) j
    CROSS JOIN LATERAL (SELECT coalesce(j.meta ->> 'follows', j.meta ->> 'replay_of',
                                        j.meta ->> 'clone_of') AS origin) o
    ORDER BY f.place;
END
$$;

-- How many due jobs of its queue run before a job that is ready, counted up to so many, whoever
-- they are of.
CREATE FUNCTION queue.jobs_ahead(job_id bigint, most integer DEFAULT 1000) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
BEGIN
    PERFORM queue.check_job(jobs_ahead.job_id);
    RETURN (
        SELECT CASE WHEN count(*) > 0 THEN least(jobs_ahead.most, sum(n.ahead)) END
        FROM queue.jobs j
        JOIN queue.queue q ON q.name = j.queue
        JOIN queue.line l ON l.queue_id = q.id AND l.priority <= j.priority
        CROSS JOIN LATERAL (
            SELECT count(*) AS ahead
            FROM (SELECT FROM queue.ready r
                  WHERE r.line_id = l.id AND r.run_at <= now()
                    AND (l.priority < j.priority OR (r.run_at, r.id) < (j.run_at, j.id))
                  LIMIT jobs_ahead.most) x) n
        WHERE j.id = jobs_ahead.job_id AND j.state = 'ready');
END
$$;

-- A waiting job waits on, until then. Raises LQ005, LQ006 for one that does not wait.
CREATE FUNCTION queue.snooze(job_id bigint, until timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    held record;
    at_now timestamptz := clock_timestamp();
BEGIN
    PERFORM queue.check_job(snooze.job_id);
    PERFORM queue.record_action('jobs.snooze', snooze.job_id::text,
                                jsonb_build_object('until', snooze.until));
    IF snooze.until IS NULL OR snooze.until > at_now + interval '3650 days' THEN
        RAISE EXCEPTION 'until: expected a time within ten years, got %', snooze.until
            USING ERRCODE = 'LQ001';
    END IF;
    SELECT t.place, t.attempt, t.reconcile, t.taken INTO held
    FROM queue.take_waiting(snooze.job_id) t;
    IF NOT held.taken THEN
        RAISE EXCEPTION 'job % cannot be snoozed: it does not wait', snooze.job_id
            USING ERRCODE = 'LQ006';
    END IF;
    -- What its latest attempt was decides whether it retries, is a suspect or is reconciled.
    INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, next_run_at, outcome,
                               attempt, reconcile)
    VALUES (snooze.job_id, nextval('queue.lease_id_seq'), at_now, at_now,
            greatest(at_now, snooze.until),
            CASE WHEN (held.place).last_outcome = 'lost' THEN 'lost'
                 ELSE 'snoozed' END::queue.attempt_outcome,
            held.attempt, held.reconcile);
    PERFORM queue.put_in_line(snooze.job_id, greatest(at_now, snooze.until), held.attempt,
                              held.reconcile);
END
$$;

-- A new job like another one, which stays as it is: same kind, queue, tenant and keys, fresh
-- attempts; `payload`, `priority` and `run_at` where given. Raises LQ005; LQ006 when the payload is
-- sealed for the old job.
CREATE FUNCTION queue.clone(
    job_id bigint, payload jsonb DEFAULT NULL, run_at timestamptz DEFAULT NULL,
    priority integer DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    old record;
    made bigint;
BEGIN
    PERFORM queue.check_job(clone.job_id);
    PERFORM queue.record_action('jobs.clone', clone.job_id::text,
                                jsonb_build_object('edited', clone.payload IS NOT NULL));
    SELECT j.kind, j.queue, j.priority, j.max_attempts, j.tenant_id, j.payload, j.meta INTO old
    FROM queue.jobs j WHERE j.id = clone.job_id;
    IF NOT FOUND THEN
        PERFORM queue.no_such_job(clone.job_id);
    END IF;
    IF queue.is_sealed(old.payload) THEN
        RAISE EXCEPTION 'job % cannot be cloned: its payload is sealed for it', clone.job_id
            USING ERRCODE = 'LQ006',
                  HINT = 'Enqueue the work anew from a client that has the keys.';
    END IF;
    made := queue.enqueue(old.kind, coalesce(clone.payload, old.payload), queue => old.queue,
        priority => coalesce(clone.priority, old.priority), run_at => clone.run_at,
        max_attempts => old.max_attempts, tenant_id => old.tenant_id,
        meta => coalesce(old.meta, '{}'::jsonb)
                - ARRAY['batch_id', 'ordering_key', 'concurrency_key', 'key_concurrency',
                        'limit_key', 'cost', 'follows', 'replay_of', 'clone_of', 'schedule',
                        'slot', 'idempotency_key']
                || jsonb_build_object('clone_of', clone.job_id),
        ordering_key => old.meta ->> 'ordering_key',
        concurrency_key => old.meta ->> 'concurrency_key',
        key_concurrency => (old.meta ->> 'key_concurrency')::integer,
        limit_key => old.meta ->> 'limit_key', cost => (old.meta ->> 'cost')::integer);
    PERFORM queue.inherit_subjects(clone.job_id, made);
    RETURN made;
END
$$;

-- Runs a job with another payload, as a new job that names it: a dead one is replayed, a waiting
-- one is cancelled first, a cancelled one stays. Raises LQ005, LQ006 when it runs or has completed.
CREATE FUNCTION queue.retry_edited(job_id bigint, payload jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    made bigint;
    state text;
BEGIN
    PERFORM queue.check_job(retry_edited.job_id);
    PERFORM queue.record_action('jobs.retry', retry_edited.job_id::text,
                                jsonb_build_object('edited', retry_edited.payload IS NOT NULL));
    SELECT r.new_id INTO made
    FROM queue.replay(ARRAY[retry_edited.job_id], payload => retry_edited.payload) r;
    IF made IS NOT NULL THEN
        RETURN made;
    END IF;
    SELECT j.state INTO state FROM queue.jobs j WHERE j.id = retry_edited.job_id;
    IF NOT FOUND THEN
        PERFORM queue.no_such_job(retry_edited.job_id);
    ELSIF state IN ('running', 'completed', 'dead') THEN
        RAISE EXCEPTION 'job % cannot be retried with another payload: it is %',
            retry_edited.job_id, state USING ERRCODE = 'LQ006';
    END IF;
    made := queue.clone(retry_edited.job_id, retry_edited.payload);
    IF state <> 'cancelled' AND NOT queue.cancel(retry_edited.job_id, 'retried as ' || made) THEN
        RAISE EXCEPTION 'job % cannot be retried with another payload: it is running',
            retry_edited.job_id USING ERRCODE = 'LQ006';
    END IF;
    RETURN made;
END
$$;

-- See 0021. What a job follows from, nobody wrote.
CREATE OR REPLACE FUNCTION queue.erased_meta(meta jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN (SELECT jsonb_object_agg(m.key, m.value) FROM jsonb_each(meta) m
        WHERE m.key IN ('batch_id', 'replay_of', 'follows', 'clone_of', 'schedule', 'slot'));

SELECT queue.protect('queue.failure_group', 'tenant_id = queue.current_tenant()');
SELECT queue.allow('operator', 'queue.note_failure_group', 'queue.jobs_ahead', 'queue.snooze',
                   'queue.clone', 'queue.retry_edited');
SELECT queue.apply_rights();
