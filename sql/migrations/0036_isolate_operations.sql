-- breaking: no
-- Bulk operations run with the owner's rights, as what they call does: a worker whose role is the
-- engine's may not write to the audit by itself. A step that fails is the matter of its operation
-- alone; the others and the worker's maintenance go on. See docs/bulk-operations.md.

-- One step: acts on the next jobs of an operation whose row the caller has locked, and notes how
-- far it came. Returns whether that was all. Internal.
CREATE FUNCTION queue.step_operation(o queue.operation, step_budget interval) RETURNS boolean
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    begun timestamptz := clock_timestamp();
    first_step timestamptz := coalesce(o.started_at, begun);
    ended boolean;
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
    place text := o.behind;
BEGIN
    IF o.rate IS NOT NULL THEN
        most := greatest(0, least(most,
            1 + floor(o.rate * extract(epoch FROM begun - first_step))
            - (o.done + o.skipped + o.failed)));
    END IF;
    -- Nothing is found by looking for nothing.
    ended := most > 0;
    FOR hit IN
        SELECT f.id, f.behind_it,
               row_number() OVER () = count(*) OVER () OR f.id IS NULL AS last,
               -- Jobs that were retried, failed and wait again come by a second time, as the
               -- search goes by when they are due.
               o.action = 'retry' AND EXISTS (
                   SELECT FROM queue.attempt a
                   WHERE a.job_id = f.id AND a.finished_at > first_step) AS again
        FROM queue.find_jobs(o.condition, place, greatest(1, most), step_budget,
                             o.action IN ('replay', 'discard')) f
        WHERE most > 0
    LOOP
        IF hit.id IS NULL THEN
            ended := false;
        ELSE
            seen := seen + 1;
            IF NOT hit.again THEN
                group_ids := group_ids || hit.id;
            END IF;
        END IF;
        IF cardinality(group_ids) = group_size OR hit.last THEN
            IF group_ids <> '{}' THEN
                one := queue.act_on_jobs(o.action, group_ids,
                                         coalesce(o.reason, 'operation ' || o.id));
                group_ids := '{}';
                now_done := now_done + one.done;
                now_skipped := now_skipped + one.skipped;
                now_failed := now_failed + one.failed;
                problem := coalesce(one.problem, problem);
            END IF;
            place := hit.behind_it;
            IF NOT hit.last AND clock_timestamp() > begun + 2 * step_budget THEN
                ended := false;
                EXIT;
            END IF;
        END IF;
    END LOOP;
    ended := ended AND seen < most;
    UPDATE queue.operation x
    SET state = CASE WHEN ended THEN 'completed' ELSE 'running' END,
        started_at = first_step,
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
    RETURN ended;
END
$$;

-- Does a step of one operation that is due. `worked`: there was one. `wait_ms`: until the next step
-- of any is due; NULL when there is none. Any number of workers may call it: the row of the
-- operation decides who does. What passes (a deadlock, a row somebody holds, a full disk) is tried
-- again in 5 seconds; anything else ends the operation as failed.
CREATE OR REPLACE FUNCTION queue.run_operations(
    step_budget interval DEFAULT interval '20 milliseconds',
    OUT worked boolean, OUT ended boolean, OUT wait_ms bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off SET lock_timeout = '1s'
AS $$
#variable_conflict use_column
DECLARE
    o queue.operation;
    passes boolean;
    problem text;
BEGIN
    worked := false;
    ended := false;
    SELECT x.* INTO o FROM queue.operation x
    WHERE x.state IN ('pending', 'running') AND x.next_at <= clock_timestamp()
    ORDER BY x.next_at
    LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
        worked := true;
        BEGIN
            ended := queue.step_operation(o, step_budget);
        EXCEPTION WHEN query_canceled OR OTHERS THEN
            passes := left(SQLSTATE, 2) IN ('08', '25', '40', '53', '55', '57', '58', 'XX');
            problem := left(SQLERRM, 1000);
        END;
        IF problem IS NOT NULL THEN
            ended := NOT passes;
            UPDATE queue.operation x
            SET state = CASE WHEN passes THEN x.state ELSE 'failed' END,
                finished_at = CASE WHEN NOT passes THEN clock_timestamp() END,
                last_error = problem, next_at = clock_timestamp() + interval '5 seconds'
            WHERE x.id = o.id;
            IF NOT passes THEN
                PERFORM queue.append_audit(
                    o.actor, 'admin', o.tenant_id, 'operations.end', o.id::text,
                    jsonb_build_object('done', o.done, 'skipped', o.skipped, 'failed', o.failed,
                                       'problem', problem), NULL);
            END IF;
        END IF;
    END IF;
    SELECT CASE WHEN count(*) > 0 THEN ceil(greatest(
               0, extract(epoch FROM min(x.next_at) - clock_timestamp()) * 1000)) END::bigint
    INTO wait_ms
    FROM queue.operation x WHERE x.state IN ('pending', 'running');
END
$$;
SELECT queue.apply_rights();
