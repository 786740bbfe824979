-- breaking: no
-- Bulk operations act on many jobs by one statement each, as replay does: job by job they did some
-- two thousand a second on the third of one connection that they may take.

-- Takes jobs that wait out of their lines. Left out, for the functions that act on one job: jobs
-- with a key, which may wait elsewhere, and what is not where it was when we looked. Internal.
CREATE FUNCTION queue.take_these(job_ids bigint[])
RETURNS TABLE (job_id bigint, line_id integer, attempt smallint, reconcile boolean)
LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH place AS MATERIALIZED (
        SELECT j.id, CASE a.outcome WHEN 'lost' THEN -j.line_id ELSE j.line_id END AS line_id,
               coalesce(a.next_run_at, j.run_at) AS run_at
        FROM unnest(take_these.job_ids) u (id)
        CROSS JOIN LATERAL (SELECT x.* FROM queue.job x WHERE x.id = u.id OFFSET 0) j
        LEFT JOIN LATERAL (SELECT e.outcome, e.next_run_at FROM queue.attempt e
                           WHERE e.job_id = u.id ORDER BY e.lease_id DESC LIMIT 1) a ON true
        WHERE (a.outcome IS NULL OR a.next_run_at IS NOT NULL)
          AND NOT coalesce(j.meta ?| ARRAY['ordering_key', 'concurrency_key'], false)
        ORDER BY j.id),
    gone AS (
        DELETE FROM queue.ready r USING place p
        WHERE r.line_id = p.line_id AND r.run_at = p.run_at AND r.id = p.id
        RETURNING r.id, abs(r.line_id) AS line_id, r.attempt, r.reconcile)
    SELECT g.id, g.line_id, g.attempt, g.reconcile FROM gone g ORDER BY g.id;
END
$$;

-- What of these is left. Internal.
CREATE FUNCTION queue.without(job_ids bigint[], taken bigint[]) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    RETURN ARRAY(SELECT u.id FROM unnest(without.job_ids) u (id)
                 EXCEPT ALL SELECT t.id FROM unnest(without.taken) t (id) ORDER BY 1);
END
$$;

-- Tells those who sleep that jobs of these lines are due; `always` whoever else was told. Internal.
CREATE FUNCTION queue.wake_lines(line_ids integer[], always boolean) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_notify('queue.wake', q.id::text)
    FROM queue.queue q
    WHERE q.id IN (SELECT l.queue_id FROM queue.line l WHERE l.id = ANY (wake_lines.line_ids))
      AND (wake_lines.always OR pg_sequence_last_value(q.doorbell)
                                > extract(epoch FROM clock_timestamp()) * 1000);
END
$$;

-- As queue.cancel() for each, which does what is not simply waiting. Internal.
CREATE FUNCTION queue.cancel_these(job_ids bigint[], reason text) RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    at_now timestamptz := clock_timestamp();
    taken bigint[];
    events bigint[];
BEGIN
    WITH event AS (
        INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, outcome, attempt,
                                   reconcile, error)
        SELECT t.job_id, nextval('queue.lease_id_seq'), at_now, at_now, 'cancelled', t.attempt,
               t.reconcile, left(cancel_these.reason, 16384)
        FROM queue.take_these(cancel_these.job_ids) t
        RETURNING job_id, lease_id)
    SELECT coalesce(array_agg(e.job_id), '{}'), array_agg(e.lease_id) INTO taken, events
    FROM event e;
    IF taken <> '{}' THEN
        PERFORM queue.settle_these(taken, events);
    END IF;
    PERFORM queue.cancel(u.id, cancel_these.reason)
    FROM unnest(queue.without(cancel_these.job_ids, taken)) u (id);
END
$$;

-- Puts dead or cancelled jobs back in line under their own ids with fresh attempts, each when it is
-- due. The caller holds what serialises those who revive them. Internal.
CREATE FUNCTION queue.revive_these(job_ids bigint[], dues timestamptz[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    at_now timestamptz := clock_timestamp();
    refused bigint;
    revived record;
    keyed record;
BEGIN
    SELECT u.id INTO refused
    FROM unnest(revive_these.job_ids) u (id)
    LEFT JOIN LATERAL (SELECT x.payload FROM queue.job x WHERE x.id = u.id OFFSET 0) j ON true
    WHERE j.payload IS NULL OR j.payload = '{"erased": true}'
    ORDER BY u.id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'job % cannot be retried: its content was erased', refused
            USING ERRCODE = 'LQ006';
    END IF;
    -- A job whose effect may have happened is looked at before it is run again.
    WITH event AS (
        INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, next_run_at, outcome,
                                   attempt, reconcile)
        SELECT u.id, nextval('queue.lease_id_seq'), at_now, at_now, u.due, 'replayed', 0,
               CASE WHEN a.outcome = 'unknown' OR a.reconcile THEN true END
        FROM unnest(revive_these.job_ids, revive_these.dues) u (id, due)
        LEFT JOIN LATERAL (SELECT e.outcome, e.reconcile FROM queue.attempt e
                           WHERE e.job_id = u.id ORDER BY e.lease_id DESC LIMIT 1) a ON true
        RETURNING job_id, lease_id, next_run_at, reconcile),
    fact AS MATERIALIZED (
        SELECT e.*, j.line_id,
               coalesce(j.meta ?| ARRAY['ordering_key', 'concurrency_key'], false) AS keyed
        FROM event e
        CROSS JOIN LATERAL (SELECT x.* FROM queue.job x WHERE x.id = e.job_id OFFSET 0) j),
    due AS (
        INSERT INTO queue.ready (id, run_at, line_id, attempt, reconcile)
        SELECT f.job_id, f.next_run_at, f.line_id, 0, f.reconcile FROM fact f WHERE NOT f.keyed)
    SELECT array_agg(f.job_id ORDER BY f.job_id) AS ids,
           array_agg(f.lease_id ORDER BY f.job_id) AS events,
           array_agg(DISTINCT f.line_id) AS lines,
           array_agg(f.job_id ORDER BY f.job_id) FILTER (WHERE f.keyed) AS keyed_ids,
           array_agg(f.next_run_at ORDER BY f.job_id) FILTER (WHERE f.keyed) AS keyed_dues,
           array_agg(f.reconcile ORDER BY f.job_id) FILTER (WHERE f.keyed) AS keyed_reconcile
    INTO revived FROM fact f;
    FOR keyed IN SELECT k.* FROM unnest(revived.keyed_ids, revived.keyed_dues,
                                        revived.keyed_reconcile) k (id, due, reconcile)
    LOOP
        PERFORM queue.put_in_line(keyed.id, keyed.due, 0::smallint, keyed.reconcile);
    END LOOP;
    PERFORM queue.settle_these(revived.ids, revived.events);
    DELETE FROM queue.cancel_request c WHERE c.job_id = ANY (revive_these.job_ids);
    PERFORM queue.wake_lines(revived.lines, false);
END
$$;

-- As queue.retry() for each, which does what is not simply waiting. Internal.
CREATE FUNCTION queue.retry_these(job_ids bigint[]) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    at_now timestamptz := clock_timestamp();
    taken bigint[];
    lines integer[];
    others bigint[];
    ended bigint[];
BEGIN
    WITH held AS MATERIALIZED (
        SELECT t.* FROM queue.take_these(retry_these.job_ids) t),
    event AS (
        INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, next_run_at, outcome,
                                   attempt, reconcile)
        SELECT h.job_id, nextval('queue.lease_id_seq'), at_now, at_now, at_now, 'replayed',
               h.attempt, h.reconcile
        FROM held h),
    due AS (
        INSERT INTO queue.ready (id, run_at, line_id, attempt, reconcile)
        SELECT h.job_id, at_now, h.line_id, h.attempt, h.reconcile FROM held h)
    SELECT coalesce(array_agg(h.job_id), '{}'), array_agg(DISTINCT h.line_id) INTO taken, lines
    FROM held h;
    IF taken <> '{}' THEN
        PERFORM queue.wake_lines(lines, true);
    END IF;
    others := queue.without(retry_these.job_ids, taken);
    -- Serialises revivers of cancelled jobs; what this waited for is seen by the next statement.
    PERFORM FROM queue.job j WHERE j.id = ANY (others) ORDER BY j.id FOR UPDATE;
    WITH letter AS (
        DELETE FROM queue.dead_letter d WHERE d.job_id = ANY (others) RETURNING d.job_id)
    SELECT array_agg(u.id) INTO ended
    FROM unnest(others) u (id)
    LEFT JOIN LATERAL (SELECT e.outcome FROM queue.attempt e
                       WHERE e.job_id = u.id ORDER BY e.lease_id DESC LIMIT 1) a ON true
    WHERE a.outcome = 'cancelled' OR EXISTS (SELECT FROM letter l WHERE l.job_id = u.id);
    IF ended IS NOT NULL THEN
        PERFORM queue.revive_these(ended, array_fill(at_now, ARRAY[cardinality(ended)]));
    END IF;
    PERFORM queue.retry(u.id)
    FROM unnest(queue.without(others, coalesce(ended, '{}'))) u (id);
END
$$;

CREATE OR REPLACE FUNCTION queue.revive(job_id bigint, due timestamptz) RETURNS void
LANGUAGE sql
AS $$
    SELECT queue.revive_these(ARRAY[revive.job_id], ARRAY[revive.due])
$$;

CREATE OR REPLACE FUNCTION queue.replay(
    job_ids bigint[], spacing interval DEFAULT interval '0', start_at timestamptz DEFAULT NULL,
    payload jsonb DEFAULT NULL, queue text DEFAULT NULL) RETURNS TABLE (id bigint, new_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    letter record;
    as_it_is boolean := replay.payload IS NULL AND replay.queue IS NULL;
    -- greatest() passes over a NULL.
    due timestamptz := greatest(clock_timestamp(), replay.start_at);
    gone bigint[] := '{}';
    revived bigint[] := '{}';
    dues timestamptz[] := '{}';
BEGIN
    job_ids := queue.own_jobs(replay.job_ids);
    PERFORM queue.record_action('dead_letters.replay', NULL,
        queue.ids_detail(replay.job_ids)
        || jsonb_build_object('queue', replay.queue, 'edited', replay.payload IS NOT NULL));
    FOR letter IN
        SELECT d.*, EXISTS (SELECT FROM queue.job j WHERE j.id = d.job_id) AS kept
        FROM queue.dead_letter d WHERE d.job_id = ANY (replay.job_ids)
        ORDER BY d.job_id FOR UPDATE OF d SKIP LOCKED
    LOOP
        gone := gone || letter.job_id;
        IF as_it_is AND letter.kept THEN
            revived := revived || letter.job_id;
            dues := dues || due;
            new_id := letter.job_id;
        ELSE
            PERFORM queue.check_replay(letter.job_id, letter.payload, as_it_is => as_it_is);
            new_id := queue.enqueue(letter.kind, coalesce(replay.payload, letter.payload),
                queue => coalesce(replay.queue, letter.queue),
                priority => letter.priority, run_at => due,
                max_attempts => letter.max_attempts, tenant_id => letter.tenant_id,
                meta => coalesce(letter.meta, '{}'::jsonb)
                        - ARRAY['batch_id', 'ordering_key', 'concurrency_key', 'key_concurrency',
                                'limit_key', 'cost']
                        || jsonb_build_object('replay_of', letter.job_id),
                ordering_key => letter.meta ->> 'ordering_key',
                concurrency_key => letter.meta ->> 'concurrency_key',
                key_concurrency => (letter.meta ->> 'key_concurrency')::integer,
                limit_key => letter.meta ->> 'limit_key',
                cost => (letter.meta ->> 'cost')::integer);
            -- The new payload is of the same people.
            INSERT INTO queue.subject (job_id, subject_hash)
            SELECT new_id, s.subject_hash FROM queue.subject s WHERE s.job_id = letter.job_id;
        END IF;
        due := due + replay.spacing;
        id := letter.job_id;
        RETURN NEXT;
    END LOOP;
    IF revived <> '{}' THEN
        PERFORM queue.revive_these(revived, dues);
    END IF;
    DELETE FROM queue.dead_letter d WHERE d.job_id = ANY (gone);
END
$$;

-- Does an action on jobs: on all of them at once, and when one of them is in the way on each by
-- itself. What a job's state no longer allows is skipped; what is not the job's fault (a deadlock,
-- a full disk, a time limit) ends the step, and it is tried again. Internal.
CREATE OR REPLACE FUNCTION queue.act_on_jobs(
    action text, job_ids bigint[], reason text,
    OUT done bigint, OUT skipped bigint, OUT failed bigint, OUT problem text)
LANGUAGE plpgsql
AS $$
DECLARE
    each_id bigint;
    one record;
BEGIN
    skipped := 0;
    failed := 0;
    BEGIN
        done := cardinality(act_on_jobs.job_ids);
        CASE action
            WHEN 'replay' THEN
                SELECT count(*) INTO done FROM queue.replay(act_on_jobs.job_ids);
            WHEN 'discard' THEN
                done := queue.discard(act_on_jobs.job_ids);
            WHEN 'retry' THEN
                PERFORM queue.retry_these(act_on_jobs.job_ids);
            ELSE
                PERFORM queue.cancel_these(act_on_jobs.job_ids, act_on_jobs.reason);
        END CASE;
        skipped := cardinality(act_on_jobs.job_ids) - done;
        RETURN;
    EXCEPTION WHEN OTHERS THEN
        IF left(SQLSTATE, 2) IN ('08', '25', '40', '53', '55', '57', '58', 'XX') THEN
            RAISE;
        ELSIF cardinality(act_on_jobs.job_ids) = 1 THEN
            done := 0;
            IF SQLSTATE IN ('LQ005', 'LQ006') AND action <> 'replay' THEN
                skipped := 1;
            ELSE
                failed := 1;
                problem := left(SQLERRM, 1000);
            END IF;
            RETURN;
        END IF;
    END;
    done := 0;
    FOREACH each_id IN ARRAY act_on_jobs.job_ids LOOP
        one := queue.act_on_jobs(action, ARRAY[each_id], act_on_jobs.reason);
        done := done + one.done;
        skipped := skipped + one.skipped;
        failed := failed + one.failed;
        problem := coalesce(one.problem, problem);
    END LOOP;
END
$$;

-- Pages go along an index in its order; a line whose statistics are old was sorted whole for each.
ALTER FUNCTION queue.find_jobs SET enable_bitmapscan = off;
ALTER FUNCTION queue.count_jobs SET enable_bitmapscan = off;

SELECT queue.apply_rights();
