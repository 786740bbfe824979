-- breaking: no
-- Acting on all jobs that match a filter, in the background: whoever asks may undo for some seconds
-- and need not stay; workers do it in steps. A step and what is known of it commit together, so
-- that any of them may die at any time and the counts stay exact.

CREATE TABLE queue.operation (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid,
    actor text NOT NULL,
    action text COLLATE "C" NOT NULL,
    -- As it was written, and with its ages made times of then.
    filter text NOT NULL,
    condition jsonb NOT NULL,
    reason text,
    -- Jobs per second; NULL as fast as others are not disturbed.
    rate double precision,
    state text COLLATE "C" NOT NULL DEFAULT 'pending',
    -- At creation; at least so many when not exact.
    matched bigint NOT NULL,
    matched_exact boolean NOT NULL,
    done bigint NOT NULL DEFAULT 0,
    -- Jobs that were elsewhere by then: claimed, finished, taken by somebody else.
    skipped bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    starts_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    cancelled_by text,
    -- Where the next step goes on (queue.find_jobs), and when.
    behind text COLLATE "C",
    next_at timestamptz NOT NULL,
    CONSTRAINT operation_action_valid
        CHECK (action IN ('retry', 'cancel', 'replay', 'discard', 'purge')),
    CONSTRAINT operation_state_valid
        CHECK (state IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
    CONSTRAINT operation_rate_valid CHECK (rate BETWEEN 0.001 AND 100000),
    CONSTRAINT operation_end_valid CHECK ((finished_at IS NULL) = (state IN ('pending', 'running')))
) WITH (fillfactor = 50);
COMMENT ON TABLE queue.operation IS 'Acts on all jobs that match a filter, done by the workers';
CREATE INDEX operation_next_at_idx ON queue.operation (next_at)
    WHERE state IN ('pending', 'running');
CREATE INDEX operation_tenant_id_idx ON queue.operation (tenant_id, id)
    WHERE tenant_id IS NOT NULL;
CREATE INDEX operation_finished_at_idx ON queue.operation (finished_at);

-- A filter narrowed to the jobs that an action is possible for, and to the tenant of the session.
-- Raises LQ001. Internal.
CREATE FUNCTION queue.operation_condition(action text, filter jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    tenant uuid := queue.current_tenant();
    states jsonb := CASE action
        WHEN 'replay' THEN '["dead"]' WHEN 'discard' THEN '["dead"]'
        WHEN 'cancel' THEN '["scheduled", "ready", "retrying", "running"]'
        WHEN 'purge' THEN '["scheduled", "ready", "retrying"]'
        WHEN 'retry' THEN '["scheduled", "retrying", "cancelled", "dead"]' END::jsonb;
BEGIN
    IF states IS NULL THEN
        RAISE EXCEPTION 'action: expected retry, cancel, replay, discard or purge, got %',
            quote_literal(left(action, 100)) USING ERRCODE = 'LQ001';
    ELSIF jsonb_array_length(filter) = 0 THEN
        RAISE EXCEPTION 'filter: expected at least one term, got none'
            USING ERRCODE = 'LQ001', HINT = 'For everything name a state: state:dead';
    ELSIF action = 'retry' AND NOT filter @> '[{"field": "state"}]' THEN
        RAISE EXCEPTION 'filter: expected the states to retry, got none'
            USING ERRCODE = 'LQ001', HINT = 'As state:retrying or state:dead,cancelled';
    END IF;
    RETURN queue.filter_at(filter, clock_timestamp())
        || jsonb_build_array(jsonb_build_object('field', 'state', 'any', (
               SELECT jsonb_agg(jsonb_build_object('eq', s.state))
               FROM jsonb_array_elements_text(states) s (state))))
        -- What dies after this is left alone: replaying ends however fast jobs die again.
        || CASE WHEN states = '["dead"]'
                THEN jsonb_build_array(jsonb_build_object('field', 'died', 'any',
                         jsonb_build_array(jsonb_build_object('le', clock_timestamp()))))
                ELSE '[]'::jsonb END
        || CASE WHEN tenant IS NULL THEN '[]'::jsonb
                ELSE jsonb_build_array(jsonb_build_object(
                    'field', 'tenant', 'any',
                    jsonb_build_array(jsonb_build_object('eq', tenant)))) END;
END
$$;

-- What an operation would act on now.
CREATE FUNCTION queue.count_operation(
    action text, filter jsonb, OUT count bigint, OUT exact boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT c.count, c.exact INTO count, exact
    FROM queue.count_jobs(
        queue.operation_condition(count_operation.action, count_operation.filter), 100000) c;
END
$$;

CREATE FUNCTION queue.create_operation(
    action text, filter jsonb, written text, rate double precision DEFAULT NULL,
    reason text DEFAULT NULL, undo interval DEFAULT interval '10 seconds') RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    condition jsonb := queue.operation_condition(create_operation.action, create_operation.filter);
    matched record;
    made bigint;
BEGIN
    IF NOT coalesce(create_operation.rate BETWEEN 0.001 AND 100000, true) THEN
        RAISE EXCEPTION 'rate: expected 0.001 to 100000 per second, got %', create_operation.rate
            USING ERRCODE = 'LQ001';
    ELSIF NOT coalesce(create_operation.undo BETWEEN interval '0' AND interval '1 day', false) THEN
        RAISE EXCEPTION 'undo: expected 0 to 1 day, got %', create_operation.undo
            USING ERRCODE = 'LQ001';
    END IF;
    SELECT c.count, c.exact INTO matched FROM queue.count_jobs(condition, 100000) c;
    INSERT INTO queue.operation (tenant_id, actor, action, filter, condition, reason, rate, matched,
                                 matched_exact, starts_at, next_at)
    VALUES (queue.current_tenant(), queue.current_actor(), create_operation.action,
            left(create_operation.written, 8192), condition, left(create_operation.reason, 1024),
            create_operation.rate, matched.count, matched.exact,
            clock_timestamp() + create_operation.undo, clock_timestamp() + create_operation.undo)
    RETURNING id INTO made;
    PERFORM queue.record_action('operations.create', made::text, jsonb_build_object(
        'action', create_operation.action, 'filter', left(create_operation.written, 4096),
        'rate', create_operation.rate, 'matched', matched.count,
        'matched_exact', matched.exact));
    RETURN made;
END
$$;
COMMENT ON FUNCTION queue.create_operation IS
    'Workers begin with it when the time to undo is over; see queue.operations';

-- What is done stays done. Raises LQ005 for an unknown operation, LQ006 for one that has ended.
CREATE FUNCTION queue.cancel_operation(operation_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    found_state text;
BEGIN
    SELECT o.state INTO found_state FROM queue.operation o
    WHERE o.id = cancel_operation.operation_id
      AND (queue.current_tenant() IS NULL OR o.tenant_id = queue.current_tenant())
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no operation %', cancel_operation.operation_id USING ERRCODE = 'LQ005';
    ELSIF found_state NOT IN ('pending', 'running') THEN
        RAISE EXCEPTION 'operation % cannot be cancelled: it is %', cancel_operation.operation_id,
            found_state USING ERRCODE = 'LQ006';
    END IF;
    UPDATE queue.operation o
    SET state = 'cancelled', finished_at = clock_timestamp(),
        cancelled_by = queue.current_actor()
    WHERE o.id = cancel_operation.operation_id;
    PERFORM queue.record_action('operations.cancel', cancel_operation.operation_id::text);
END
$$;

CREATE VIEW queue.operations WITH (security_invoker = true) AS
SELECT o.id, o.tenant_id, o.actor, o.action, o.filter, o.reason, o.rate, o.state, o.matched,
       o.matched_exact, o.done, o.skipped, o.failed, o.last_error, o.created_at, o.starts_at,
       o.started_at, o.finished_at, o.cancelled_by
FROM queue.operation o;

-- Does an action on jobs: on all of them at once, and when one of them is in the way on each by
-- itself. What a job's state no longer allows is skipped; what is not the job's fault (a deadlock,
-- a full disk, a time limit) ends the step, and it is tried again. Internal.
CREATE FUNCTION queue.act_on_jobs(
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
        CASE action
            WHEN 'replay' THEN
                SELECT count(*) INTO done FROM queue.replay(act_on_jobs.job_ids);
            WHEN 'discard' THEN
                done := queue.discard(act_on_jobs.job_ids);
            ELSE
                FOREACH each_id IN ARRAY act_on_jobs.job_ids LOOP
                    IF action = 'retry' THEN
                        PERFORM queue.retry(each_id);
                    ELSE
                        PERFORM queue.cancel(each_id, act_on_jobs.reason);
                    END IF;
                END LOOP;
                done := cardinality(act_on_jobs.job_ids);
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

-- Does a step of one operation that is due. `worked`: there was one. `wait_ms`: until the next step
-- of any is due; NULL when there is none. Any number of workers may call it: the row of the
-- operation decides who does.
CREATE FUNCTION queue.run_operations(
    step_budget interval DEFAULT interval '20 milliseconds',
    OUT worked boolean, OUT ended boolean, OUT wait_ms bigint)
LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    begun timestamptz := clock_timestamp();
    o record;
    hit record;
    one record;
    group_ids bigint[] := '{}';
    group_size CONSTANT integer := 25;
    most integer := 500;
    seen integer := 0;
    now_done bigint := 0;
    now_skipped bigint := 0;
    now_failed bigint := 0;
    problem text;
    place text;
BEGIN
    worked := false;
    ended := false;
    SELECT x.* INTO o FROM queue.operation x
    WHERE x.state IN ('pending', 'running') AND x.next_at <= begun
    ORDER BY x.next_at
    LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
        worked := true;
        place := o.behind;
        IF o.rate IS NOT NULL THEN
            most := greatest(0, least(most,
                1 + floor(o.rate * extract(epoch FROM begun - coalesce(o.started_at, begun)))
                - (o.done + o.skipped + o.failed)));
        END IF;
        -- Nothing is found by looking for nothing.
        ended := most > 0;
        FOR hit IN
            SELECT f.id, f.behind_it,
                   row_number() OVER () = count(*) OVER () OR f.id IS NULL AS last
            FROM queue.find_jobs(o.condition, place, greatest(1, most), step_budget,
                                 o.action IN ('replay', 'discard')) f
            WHERE most > 0
        LOOP
            IF hit.id IS NULL THEN
                ended := false;
            ELSE
                group_ids := group_ids || hit.id;
                seen := seen + 1;
            END IF;
            IF cardinality(group_ids) = group_size OR (hit.last AND group_ids <> '{}') THEN
                one := queue.act_on_jobs(o.action, group_ids,
                                         coalesce(o.reason, 'operation ' || o.id));
                group_ids := '{}';
                now_done := now_done + one.done;
                now_skipped := now_skipped + one.skipped;
                now_failed := now_failed + one.failed;
                problem := coalesce(one.problem, problem);
                place := hit.behind_it;
                IF NOT hit.last AND clock_timestamp() > begun + 2 * step_budget THEN
                    ended := false;
                    EXIT;
                END IF;
            ELSIF hit.id IS NULL THEN
                place := hit.behind_it;
            END IF;
        END LOOP;
        ended := ended AND seen < most;
        UPDATE queue.operation x
        SET state = CASE WHEN ended THEN 'completed' ELSE 'running' END,
            started_at = coalesce(x.started_at, begun),
            finished_at = CASE WHEN ended THEN clock_timestamp() END,
            done = x.done + now_done, skipped = x.skipped + now_skipped,
            failed = x.failed + now_failed, last_error = coalesce(problem, x.last_error),
            behind = place,
            -- A third of one worker's maintenance at most, and not before the rate allows more.
            next_at = clock_timestamp() + greatest(
                2 * (clock_timestamp() - begun),
                CASE WHEN x.rate IS NULL THEN interval '0'
                     ELSE make_interval(secs => least(1, greatest(0.02, 1 / x.rate))) END)
        WHERE x.id = o.id;
        IF ended THEN
            PERFORM queue.append_audit(
                o.actor, 'admin', o.tenant_id, 'operations.end', o.id::text, jsonb_build_object(
                    'done', o.done + now_done, 'skipped', o.skipped + now_skipped,
                    'failed', o.failed + now_failed), NULL);
        END IF;
    END IF;
    SELECT CASE WHEN count(*) > 0 THEN ceil(greatest(
               0, extract(epoch FROM min(x.next_at) - clock_timestamp()) * 1000)) END::bigint
    INTO wait_ms
    FROM queue.operation x WHERE x.state IN ('pending', 'running');
END
$$;

-- Deletes operations that ended so long ago, at most so many.
CREATE FUNCTION queue.prune_operations(age interval, most integer) RETURNS bigint
LANGUAGE sql
AS $$
    WITH gone AS (
        DELETE FROM queue.operation o
        WHERE o.id = ANY (ARRAY(
            SELECT x.id FROM queue.operation x
            WHERE x.finished_at < clock_timestamp() - prune_operations.age
            LIMIT prune_operations.most))
        RETURNING o.id)
    SELECT count(*) FROM gone
$$;

SELECT queue.protect('queue.operation', 'tenant_id = queue.current_tenant()'),
       queue.protect('queue.operations', 'true');
SELECT queue.allow('operator', 'queue.count_operation', 'queue.create_operation',
                   'queue.cancel_operation');
SELECT queue.apply_rights();
