-- breaking: no
-- Batches: adding up, ending, cancelling, looking and pruning. Workers fold for 50 ms at a time.

-- Cancels what waits of these jobs and asks those that run. Internal.
CREATE FUNCTION queue.cancel_batch_jobs(
    ids bigint[], reason text, OUT cancelled bigint, OUT asked bigint)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    taken bigint[];
    leases bigint[];
    others bigint[];
    other bigint;
    one bigint;
    held record;
BEGIN
    WITH place AS MATERIALIZED (
        SELECT j.id, CASE a.outcome WHEN 'lost' THEN -j.line_id ELSE j.line_id END AS line_id,
               coalesce(a.next_run_at, j.run_at) AS run_at
        FROM unnest(cancel_batch_jobs.ids) u (id)
        CROSS JOIN LATERAL (
            SELECT x.id, x.line_id, x.run_at FROM queue.job x WHERE x.id = u.id OFFSET 0) j
        LEFT JOIN LATERAL (
            SELECT e.outcome, e.next_run_at FROM queue.attempt e
            WHERE e.job_id = j.id ORDER BY e.lease_id DESC LIMIT 1) a ON true
        WHERE a.outcome IS NULL OR a.next_run_at IS NOT NULL),
    gone AS (
        DELETE FROM queue.ready r
        WHERE r.ctid = ANY (ARRAY(
            SELECT s.ctid
            FROM place p
            CROSS JOIN LATERAL (
                SELECT x.ctid FROM queue.ready x
                WHERE x.line_id = p.line_id AND x.run_at = p.run_at AND x.id = p.id
                FOR UPDATE SKIP LOCKED) s))
        RETURNING r.id, r.attempt, r.reconcile),
    written AS (
        INSERT INTO queue.attempt AS a (job_id, lease_id, started_at, finished_at, outcome,
                                        attempt, reconcile, error)
        SELECT g.id, nextval('queue.lease_id_seq'), clock_timestamp(), clock_timestamp(),
               'cancelled', g.attempt, g.reconcile, cancel_batch_jobs.reason
        FROM gone g
        RETURNING a.job_id, a.lease_id)
    SELECT array_agg(w.job_id), array_agg(w.lease_id),
           (SELECT array_agg(p.id) FROM place p WHERE NOT EXISTS (
                SELECT FROM gone g WHERE g.id = p.id))
    INTO taken, leases, others
    FROM written w;
    asked := 0;
    -- Those that run, and those that moved in line meanwhile.
    FOREACH other IN ARRAY coalesce(others, '{}') LOOP
        SELECT t.place, t.attempt, t.reconcile, t.taken INTO held FROM queue.take_waiting(other) t;
        IF held.taken THEN
            INSERT INTO queue.attempt AS a (job_id, lease_id, started_at, finished_at, outcome,
                                            attempt, reconcile, error)
            VALUES (other, nextval('queue.lease_id_seq'), clock_timestamp(), clock_timestamp(),
                    'cancelled', held.attempt, held.reconcile, cancel_batch_jobs.reason)
            RETURNING a.lease_id INTO one;
            taken := taken || other;
            leases := leases || one;
        ELSIF NOT (held.place).final THEN
            INSERT INTO queue.cancel_request (job_id, requested_at, reason)
            VALUES (other, clock_timestamp(), cancel_batch_jobs.reason)
            ON CONFLICT (job_id) DO NOTHING;
            asked := asked + 1;
        END IF;
    END LOOP;
    cancelled := coalesce(cardinality(taken), 0);
    IF cancelled > 0 THEN
        PERFORM queue.settle_these(taken, leases);
    END IF;
    IF asked > 0 THEN
        PERFORM pg_notify('queue.wake', 'cancel');
    END IF;
END
$$;

-- Cancels a batch's jobs part by part until the time is up; the batch's row is locked. Internal.
CREATE FUNCTION queue.cancel_batch_parts(
    batch_id bigint, until timestamptz,
    OUT cancelled bigint, OUT asked bigint, OUT finished boolean)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    b queue.batch;
    part record;
    step record;
BEGIN
    cancelled := 0;
    asked := 0;
    SELECT x.* INTO b FROM queue.batch x WHERE x.id = cancel_batch_parts.batch_id;
    LOOP
        SELECT p.first_id, p.job_ids INTO part FROM queue.batch_part p
        WHERE p.batch_id = b.id AND p.first_id > b.cancel_after
        ORDER BY p.first_id LIMIT 1;
        finished := NOT FOUND;
        EXIT WHEN finished;
        step := queue.cancel_batch_jobs(part.job_ids, b.cancel_reason);
        cancelled := cancelled + step.cancelled;
        asked := asked + step.asked;
        b.cancel_after := part.first_id;
        EXIT WHEN clock_timestamp() >= cancel_batch_parts.until;
    END LOOP;
    UPDATE queue.batch x
    SET cancel_after = CASE WHEN NOT cancel_batch_parts.finished THEN b.cancel_after END
    WHERE x.id = b.id;
    -- The fold is to look again: to go on here, or because that was all.
    INSERT INTO queue.batch_tally (batch_id) VALUES (b.id);
END
$$;

-- Cancels what waits of a batch, asks what runs, and seals it. What takes longer than the limit is
-- gone on with by the workers (the view says cancelling).
CREATE FUNCTION queue.cancel_batch(
    batch_id bigint, reason text DEFAULT NULL,
    time_limit interval DEFAULT interval '500 milliseconds',
    OUT cancelled bigint, OUT asked bigint, OUT finished boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    b queue.batch;
    step record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('queue.batch', cancel_batch.batch_id));
    SELECT x.* INTO b FROM queue.batch x WHERE x.id = cancel_batch.batch_id FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM queue.no_such_batch(cancel_batch.batch_id);
    END IF;
    IF b.finished_at IS NOT NULL THEN
        RAISE EXCEPTION 'batch % cannot be cancelled: it ended at %', b.id, b.finished_at
            USING ERRCODE = 'LQ006';
    END IF;
    UPDATE queue.batch x
    SET sealed_at = coalesce(x.sealed_at, clock_timestamp()),
        cancelled_at = coalesce(x.cancelled_at, clock_timestamp()),
        cancel_reason = coalesce(x.cancel_reason, left(cancel_batch.reason, 16384)),
        cancel_after = 0
    WHERE x.id = b.id;
    step := queue.cancel_batch_parts(b.id, clock_timestamp() + cancel_batch.time_limit);
    cancelled := step.cancelled;
    asked := step.asked;
    finished := step.finished;
    PERFORM pg_notify('queue.wake', 'batches');
END
$$;
COMMENT ON FUNCTION queue.cancel_batch IS
    'Cancels the rest; finished: false when workers go on with it in the background.';

-- Enqueues the callbacks of a batch that has ended, each once in its life. Internal.
CREATE FUNCTION queue.call_back(b queue.batch) RETURNS queue.batch
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    payload jsonb := queue.batch_callback_payload(b);
    meta jsonb := jsonb_build_object('callback_of', b.id);
    succeeded boolean := b.succeeded = b.total;
BEGIN
    IF succeeded AND b.on_success IS NOT NULL AND b.on_success_job_id IS NULL THEN
        b.on_success_job_id := queue.enqueue(b.on_success, payload, queue => b.callback_queue,
            priority => b.callback_priority, tenant_id => b.tenant_id, meta => meta);
    END IF;
    IF NOT succeeded AND b.on_failure IS NOT NULL AND b.on_failure_job_id IS NULL THEN
        b.on_failure_job_id := queue.enqueue(b.on_failure, payload, queue => b.callback_queue,
            priority => b.callback_priority, tenant_id => b.tenant_id, meta => meta);
    END IF;
    IF b.on_finish IS NOT NULL AND b.on_finish_job_id IS NULL THEN
        b.on_finish_job_id := queue.enqueue(b.on_finish, payload, queue => b.callback_queue,
            priority => b.callback_priority, tenant_id => b.tenant_id, meta => meta);
    END IF;
    RETURN b;
END
$$;

-- Looks whether a batch has ended, or has not any more; its row is locked and what was to fold is
-- folded. True: it ended now. Internal.
CREATE FUNCTION queue.judge_batch(batch_id bigint, at_now timestamptz) RETURNS boolean
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    b queue.batch;
    was_over boolean;
BEGIN
    SELECT x.* INTO b FROM queue.batch x WHERE x.id = judge_batch.batch_id;
    was_over := b.finished_at IS NOT NULL;
    IF b.sealed_at IS NULL OR b.succeeded + b.failed + b.cancelled < b.total THEN
        IF was_over THEN
            UPDATE queue.batch x SET finished_at = NULL, expires_at = NULL WHERE x.id = b.id;
        END IF;
        RETURN false;
    END IF;
    b.callback_error := NULL;
    BEGIN
        b := queue.call_back(b);
    EXCEPTION WHEN OTHERS THEN
        -- Only what is wrong with this callback; trouble of the server ends the call.
        IF SQLSTATE ~ '^(08|25|40|42|53|57|58|XX)' THEN
            RAISE;
        END IF;
        b.callback_error := left(SQLERRM, 1000);
    END;
    UPDATE queue.batch x
    SET finished_at = coalesce(x.finished_at, at_now),
        expires_at = coalesce(x.expires_at, at_now + x.retention),
        on_success_job_id = b.on_success_job_id, on_failure_job_id = b.on_failure_job_id,
        on_finish_job_id = b.on_finish_job_id, callback_error = b.callback_error
    WHERE x.id = b.id;
    RETURN NOT was_over;
END
$$;

-- Folds tallies into their batches and ends those that are over, for about time_limit; workers call
-- it. A batch whose row another session holds is passed by (passed). Up to after_id everything is
-- folded: there stand only dead rows, which an old snapshot keeps.
--
-- Up to where that is, is the caller's to find out, because tallies may commit in another order
-- than their ids. drawn is the latest id drawn when this call began, by transactions older than
-- next_xid; once a call begins whose oldest_xid is not below that, they have ended, and that call
-- folds what they left: all up to drawn, or up_to if that is less.
CREATE FUNCTION queue.fold_batches(
    time_limit interval DEFAULT interval '50 milliseconds',
    most integer DEFAULT 2000,
    after_id bigint DEFAULT 0,
    at_now timestamptz DEFAULT NULL,
    OUT folded bigint, OUT ended bigint, OUT problem text, OUT more boolean, OUT passed boolean,
    OUT up_to bigint, OUT drawn bigint, OUT next_xid bigint, OUT oldest_xid bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- By index, whatever the statistics said when the plan was made.
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    until timestamptz := clock_timestamp() + fold_batches.time_limit;
    place bigint := fold_batches.after_id;
    -- The least tally that was passed by.
    left_at bigint;
    touched bigint[];
    held bigint[];
    upto bigint;
    n bigint;
    one bigint;
    here bigint;
BEGIN
    folded := 0;
    ended := 0;
    drawn := coalesce(pg_sequence_last_value('queue.batch_tally_id_seq'), 0);
    SELECT pg_snapshot_xmax(s.seen)::text::bigint, pg_snapshot_xmin(s.seen)::text::bigint
    INTO next_xid, oldest_xid
    FROM (SELECT pg_current_snapshot() AS seen) s;
    LOOP
        SELECT array_agg(DISTINCT t.batch_id), max(t.id) INTO touched, upto
        FROM (SELECT x.id, x.batch_id FROM queue.batch_tally x
              WHERE x.id > place ORDER BY x.id LIMIT fold_batches.most) t;
        more := touched IS NOT NULL;
        EXIT WHEN NOT more OR clock_timestamp() >= until;
        held := ARRAY(SELECT b.id FROM queue.batch b WHERE b.id = ANY (touched)
                      ORDER BY b.id FOR NO KEY UPDATE SKIP LOCKED);
        WITH gone AS (
            DELETE FROM queue.batch_tally x
            WHERE x.id > place AND x.id <= upto
              AND (x.batch_id = ANY (held)
                   OR NOT EXISTS (SELECT FROM queue.batch b WHERE b.id = x.batch_id))
            RETURNING x.batch_id, x.total, x.succeeded, x.failed, x.cancelled),
        sums AS (
            SELECT g.batch_id, count(*) AS n, sum(g.total) AS total, sum(g.succeeded) AS succeeded,
                   sum(g.failed) AS failed, sum(g.cancelled) AS cancelled
            FROM gone g GROUP BY g.batch_id),
        written AS (
            UPDATE queue.batch b
            SET total = b.total + s.total, succeeded = b.succeeded + s.succeeded,
                failed = b.failed + s.failed, cancelled = b.cancelled + s.cancelled
            FROM sums s WHERE b.id = s.batch_id)
        SELECT coalesce(sum(s.n), 0) INTO n FROM sums s;
        folded := folded + n;
        IF cardinality(held) < cardinality(touched) THEN
            SELECT least(left_at, min(x.id)) INTO left_at FROM queue.batch_tally x
            WHERE x.id > place AND x.id <= upto;
        END IF;
        place := upto;
        FOREACH one IN ARRAY held LOOP
            -- To cancel is work of its own, and leaves a tally to go on with.
            IF EXISTS (SELECT FROM queue.batch b WHERE b.id = one AND b.cancel_after IS NOT NULL)
            THEN
                PERFORM queue.cancel_batch_parts(one, until);
                CONTINUE;
            END IF;
            -- What is not folded may say that it is not over. Ahead of us it is met; behind us it
            -- committed late.
            SELECT min(x.id) INTO here FROM queue.batch_tally x
            WHERE x.batch_id = one
              AND EXISTS (SELECT FROM queue.batch b WHERE b.id = one AND b.sealed_at IS NOT NULL
                          AND b.succeeded + b.failed + b.cancelled >= b.total);
            IF here IS NOT NULL THEN
                left_at := CASE WHEN here <= place THEN least(left_at, here) ELSE left_at END;
            ELSIF queue.judge_batch(one, coalesce(fold_batches.at_now, clock_timestamp())) THEN
                ended := ended + 1;
            END IF;
        END LOOP;
    END LOOP;
    -- least() passes over a NULL.
    passed := left_at IS NOT NULL;
    up_to := CASE WHEN more THEN least(place, left_at - 1)
                  ELSE least(greatest(place, drawn), left_at - 1) END;
    IF ended > 0 THEN
        SELECT format('batch %s: %s', b.id, b.callback_error) INTO problem
        FROM queue.batch b WHERE b.callback_error IS NOT NULL ORDER BY b.id DESC LIMIT 1;
    END IF;
END
$$;
COMMENT ON FUNCTION queue.fold_batches IS
    'Adds up what batches have come to and ends them, a bounded time at a call; workers call it.';

-- Deletes batches past their retention, bounded, and has callbacks tried again that could not be
-- enqueued. Returns the rows deleted.
CREATE FUNCTION queue.prune_batches(at_now timestamptz DEFAULT NULL, most integer DEFAULT 1000)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    one bigint;
    n bigint;
    gone bigint := 0;
BEGIN
    FOR one IN
        SELECT b.id FROM queue.batch b
        WHERE b.expires_at <= coalesce(prune_batches.at_now, clock_timestamp())
        ORDER BY b.expires_at LIMIT 20 FOR UPDATE SKIP LOCKED
    LOOP
        DELETE FROM queue.batch_part p
        WHERE p.ctid = ANY (ARRAY(SELECT x.ctid FROM queue.batch_part x WHERE x.batch_id = one
                                  LIMIT prune_batches.most - gone));
        GET DIAGNOSTICS n = ROW_COUNT;
        gone := gone + n;
        DELETE FROM queue.batch_failure f
        WHERE f.ctid = ANY (ARRAY(SELECT x.ctid FROM queue.batch_failure x WHERE x.batch_id = one
                                  LIMIT prune_batches.most - gone));
        GET DIAGNOSTICS n = ROW_COUNT;
        gone := gone + n;
        EXIT WHEN gone >= prune_batches.most;
        DELETE FROM queue.batch b WHERE b.id = one;
        gone := gone + 1;
    END LOOP;
    INSERT INTO queue.batch_tally (batch_id)
    SELECT b.id FROM queue.batch b WHERE b.callback_error IS NOT NULL ORDER BY b.id LIMIT 20;
    RETURN gone;
END
$$;

CREATE TYPE queue.batch_item AS (
    id bigint, state text, kind text, attempts integer, error text, finished_at timestamptz);

-- The jobs of a batch in the order they were added; after: the last one of the page before. Of
-- those that retention has removed only the id is left. The dead are found without reading others.
CREATE FUNCTION queue.batch_items(
    batch_id bigint, state text DEFAULT NULL, after bigint DEFAULT NULL, most integer DEFAULT 100)
RETURNS SETOF queue.batch_item
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    part queue.batch_part;
    from_part bigint := 0;
    found_rows bigint;
    left_rows bigint := batch_items.most;
BEGIN
    IF batch_items.most IS NULL OR batch_items.most NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'most: expected 1 to 10000, got %', coalesce(batch_items.most::text, 'NULL')
            USING ERRCODE = 'LQ001';
    END IF;
    IF batch_items.state NOT IN ('scheduled', 'ready', 'running', 'retrying', 'completed',
                                 'cancelled', 'dead') THEN
        RAISE EXCEPTION 'state: expected scheduled, ready, running, retrying, completed, cancelled '
            'or dead, got %', quote_literal(left(batch_items.state, 50)) USING ERRCODE = 'LQ001';
    END IF;
    IF NOT EXISTS (SELECT FROM queue.batch b WHERE b.id = batch_items.batch_id) THEN
        PERFORM queue.no_such_batch(batch_items.batch_id);
    END IF;
    IF batch_items.state = 'dead' THEN
        RETURN QUERY
        SELECT f.job_id, coalesce(v.state, 'dead'), v.kind, v.attempt, v.last_error, v.finished_at
        FROM (SELECT x.job_id FROM queue.batch_failure x
              WHERE x.batch_id = batch_items.batch_id AND x.job_id > coalesce(batch_items.after, 0)
              ORDER BY x.job_id LIMIT batch_items.most) f
        LEFT JOIN LATERAL (SELECT x.* FROM queue.jobs x WHERE x.id = f.job_id OFFSET 0) v ON true
        ORDER BY f.job_id;
        RETURN;
    END IF;
    IF batch_items.after IS NOT NULL THEN
        SELECT p.first_id INTO from_part FROM queue.batch_part p
        WHERE p.batch_id = batch_items.batch_id AND p.first_id <= batch_items.after
          AND batch_items.after = ANY (p.job_ids)
        ORDER BY p.first_id DESC LIMIT 1;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'after: expected a job of batch %, got %', batch_items.batch_id,
                batch_items.after USING ERRCODE = 'LQ001';
        END IF;
    END IF;
    FOR part IN
        SELECT p.* FROM queue.batch_part p
        WHERE p.batch_id = batch_items.batch_id AND p.first_id >= from_part ORDER BY p.first_id
    LOOP
        RETURN QUERY
        SELECT u.id, v.state, v.kind, v.attempt, v.last_error, v.finished_at
        FROM unnest(part.job_ids) WITH ORDINALITY u (id, place)
        LEFT JOIN LATERAL (SELECT x.* FROM queue.jobs x WHERE x.id = u.id OFFSET 0) v ON true
        WHERE (part.first_id > from_part OR batch_items.after IS NULL
               OR u.place > array_position(part.job_ids, batch_items.after))
          AND (batch_items.state IS NULL OR v.state = batch_items.state)
        ORDER BY u.place LIMIT left_rows;
        GET DIAGNOSTICS found_rows = ROW_COUNT;
        left_rows := left_rows - found_rows;
        EXIT WHEN left_rows <= 0;
    END LOOP;
END
$$;
COMMENT ON FUNCTION queue.batch_items IS
    'A page of a batch''s jobs with state and error; state dead: those that were given up.';
