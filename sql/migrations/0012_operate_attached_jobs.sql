-- breaking: no
-- What 0003 made, for jobs with attachments: a job may wait in the line of its key instead of the
-- ordinary one, and what an operator does to it is settled as the end of a run is.

CREATE OR REPLACE VIEW queue.jobs WITH (security_invoker = true) AS
SELECT j.id,
       j.tenant_id,
       q.name AS queue,
       l.kind,
       CASE
           WHEN a.outcome = 'completed' THEN 'completed'
           WHEN a.outcome = 'cancelled' THEN 'cancelled'
           WHEN a.job_id IS NOT NULL AND a.next_run_at IS NULL THEN 'dead'
           WHEN r.id IS NULL AND w.job_id IS NULL THEN 'running'
           WHEN coalesce(r.run_at, w.run_at) <= now() THEN 'ready'
           WHEN a.outcome IN ('failed', 'unknown', 'lost') THEN 'retrying'
           ELSE 'scheduled'
       END AS state,
       l.priority,
       CASE
           WHEN w.job_id IS NOT NULL THEN w.attempt
           WHEN a.job_id IS NULL THEN CASE WHEN r.id IS NULL THEN 1 ELSE 0 END
           WHEN a.next_run_at IS NOT NULL AND r.id IS NULL
                -- Running: a snooze or a lost worker used up no attempt.
                THEN CASE WHEN a.outcome IN ('snoozed', 'lost') THEN a.attempt
                          ELSE a.attempt + 1 END
           WHEN r.id IS NOT NULL THEN r.attempt
           ELSE a.attempt
       END::integer AS attempt,
       j.max_attempts::integer AS max_attempts,
       j.payload,
       CASE WHEN a.outcome = 'completed' THEN a.output END AS output,
       greatest(coalesce(a.next_run_at, j.run_at), h.ready_at) AS run_at,
       j.created_at,
       CASE WHEN a.next_run_at IS NULL THEN a.finished_at END AS finished_at,
       CASE
           WHEN a.outcome = 'completed' THEN NULL
           WHEN a.error IS NOT NULL THEN a.error
           WHEN a.job_id IS NOT NULL THEN
               (SELECT e.error FROM queue.attempt e
                WHERE e.job_id = j.id AND e.error IS NOT NULL ORDER BY e.lease_id DESC LIMIT 1)
       END AS last_error,
       j.meta,
       (j.meta ->> 'batch_id')::bigint AS batch_id
FROM queue.job j
JOIN queue.line l ON l.id = j.line_id
JOIN queue.queue q ON q.id = l.queue_id
LEFT JOIN LATERAL (
    SELECT e.job_id, e.outcome, e.next_run_at, e.finished_at, e.attempt, e.error, e.output
    FROM queue.attempt e
    WHERE e.job_id = j.id
    ORDER BY e.lease_id DESC
    LIMIT 1) a ON true
-- Only for jobs with keys; others do not pay for it.
LEFT JOIN LATERAL (
    SELECT max(x.ready_at) AS ready_at
    FROM queue.key_hold x
    WHERE x.job_id = j.id AND j.meta ?| ARRAY['ordering_key', 'concurrency_key']) h ON true
LEFT JOIN LATERAL (
    SELECT x.job_id, x.run_at, x.attempt
    FROM queue.key_wait x
    WHERE x.job_id = j.id AND j.meta ?| ARRAY['ordering_key', 'concurrency_key']) w ON true
LEFT JOIN queue.ready r
    ON r.line_id = CASE a.outcome WHEN 'lost' THEN -j.line_id ELSE j.line_id END
       AND r.run_at = greatest(coalesce(a.next_run_at, j.run_at), h.ready_at) AND r.id = j.id;

CREATE OR REPLACE VIEW queue.queue_stats WITH (security_invoker = true) AS
SELECT q.name AS queue,
       coalesce(w.ready, 0) AS ready,
       coalesce(w.scheduled, 0) AS scheduled,
       coalesce(w.retrying, 0) AS retrying,
       coalesce(u.running, 0) AS running,
       coalesce(d.dead, 0) AS dead,
       w.oldest_ready_at,
       q.paused_at IS NOT NULL AS paused,
       q.pause_reason,
       q.paused_by,
       q.paused_at
FROM queue.queue q
LEFT JOIN (
    SELECT l.queue_id,
           count(*) FILTER (WHERE r.run_at <= now()) AS ready,
           count(*) FILTER (WHERE r.run_at > now() AND r.attempt = 0) AS scheduled,
           count(*) FILTER (WHERE r.run_at > now() AND r.attempt > 0) AS retrying,
           min(r.run_at) FILTER (WHERE r.run_at <= now()) AS oldest_ready_at
    FROM queue.waiting r JOIN queue.line l ON l.id = abs(r.line_id)
    GROUP BY l.queue_id) w ON w.queue_id = q.id
LEFT JOIN (
    SELECT l.queue_id, count(*) AS running
    FROM queue.lease s
    CROSS JOIN LATERAL unnest(s.job_ids) t(job_id)
    JOIN queue.job j ON j.id = t.job_id
    JOIN queue.line l ON l.id = j.line_id
    WHERE NOT EXISTS (SELECT FROM queue.attempt a
                      WHERE a.job_id = t.job_id AND a.lease_id = s.id)
    GROUP BY l.queue_id) u ON u.queue_id = q.id
LEFT JOIN (
    SELECT x.queue, count(*) AS dead FROM queue.dead_letter x GROUP BY x.queue) d
    ON d.queue = q.name;

CREATE OR REPLACE FUNCTION queue.find_place(job_id bigint) RETURNS queue.place
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    place queue.place;
BEGIN
    SELECT CASE a.outcome WHEN 'lost' THEN -j.line_id ELSE j.line_id END,
           greatest(coalesce(a.next_run_at, j.run_at), (
               SELECT max(h.ready_at) FROM queue.key_hold h
               WHERE h.job_id = j.id AND j.meta ?| ARRAY['ordering_key', 'concurrency_key'])),
           a.outcome, a.attempt,
           a.outcome IS NOT NULL AND a.next_run_at IS NULL
    INTO place
    FROM queue.job j
    LEFT JOIN LATERAL (SELECT e.outcome, e.next_run_at, e.attempt FROM queue.attempt e
                       WHERE e.job_id = j.id ORDER BY e.lease_id DESC LIMIT 1) a ON true
    WHERE j.id = find_place.job_id;
    IF NOT FOUND THEN
        PERFORM queue.no_such_job(find_place.job_id);
    END IF;
    RETURN place;
END
$$;

-- Takes a waiting job out of line, or out of that of its key. See 0003.
CREATE OR REPLACE FUNCTION queue.take_waiting(
    job_id bigint, OUT place queue.place, OUT attempt smallint, OUT reconcile boolean,
    OUT taken boolean)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    before queue.place;
BEGIN
    LOOP
        place := queue.find_place(take_waiting.job_id);
        DELETE FROM queue.ready r
        WHERE r.line_id = place.line_id AND r.run_at = place.run_at
          AND r.id = take_waiting.job_id
        RETURNING r.attempt, r.reconcile INTO attempt, reconcile;
        taken := FOUND;
        IF NOT taken THEN
            DELETE FROM queue.key_wait w WHERE w.job_id = take_waiting.job_id
            RETURNING w.attempt, w.reconcile INTO attempt, reconcile;
            taken := FOUND;
        END IF;
        EXIT WHEN taken OR place.final OR before IS NOT DISTINCT FROM place;
        before := place;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION queue.cancel(job_id bigint, reason text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- Sessions keep plans; one made while the line was empty must not read all of it later.
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    held record;
    at_now timestamptz := clock_timestamp();
    event bigint;
BEGIN
    SELECT t.place, t.attempt, t.reconcile, t.taken INTO held
    FROM queue.take_waiting(cancel.job_id) t;
    IF held.taken THEN
        event := nextval('queue.lease_id_seq');
        INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, outcome, attempt,
                                   reconcile, error)
        VALUES (cancel.job_id, event, at_now, at_now, 'cancelled',
                held.attempt, held.reconcile, left(cancel.reason, 16384));
        PERFORM queue.settle_these(ARRAY[cancel.job_id], ARRAY[event]);
        RETURN true;
    END IF;
    IF (held.place).final THEN
        RAISE EXCEPTION 'job % cannot be cancelled: it is %', cancel.job_id,
            CASE (held.place).last_outcome WHEN 'completed' THEN 'completed'
                 WHEN 'cancelled' THEN 'cancelled' ELSE 'dead' END
            USING ERRCODE = 'LQ006';
    END IF;
    INSERT INTO queue.cancel_request AS c (job_id, requested_at, reason)
    VALUES (cancel.job_id, at_now, left(cancel.reason, 16384))
    ON CONFLICT (job_id) DO NOTHING;
    PERFORM pg_notify('queue.wake', 'cancel');
    RETURN false;
END
$$;

-- Puts a dead or cancelled job back in line under its own id with fresh attempts. Internal.
CREATE OR REPLACE FUNCTION queue.revive(job_id bigint, due timestamptz) RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    j record;
    open_effect boolean;
    event bigint := nextval('queue.lease_id_seq');
BEGIN
    SELECT x.line_id, l.queue_id, q.doorbell, x.payload = '{"erased": true}' AS erased
    INTO STRICT j
    FROM queue.job x JOIN queue.line l ON l.id = x.line_id JOIN queue.queue q ON q.id = l.queue_id
    WHERE x.id = revive.job_id;
    IF j.erased THEN
        RAISE EXCEPTION 'job % cannot be retried: its content was erased', revive.job_id
            USING ERRCODE = 'LQ006';
    END IF;
    -- A job whose effect may have happened is looked at before it is run again.
    SELECT CASE WHEN a.outcome = 'unknown' OR a.reconcile THEN true END INTO open_effect
    FROM queue.attempt a WHERE a.job_id = revive.job_id ORDER BY a.lease_id DESC LIMIT 1;
    INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, next_run_at, outcome,
                               attempt, reconcile)
    VALUES (revive.job_id, event, clock_timestamp(), clock_timestamp(), due, 'replayed', 0,
            open_effect);
    PERFORM queue.put_in_line(revive.job_id, due, 0::smallint, open_effect);
    PERFORM queue.settle_these(ARRAY[revive.job_id], ARRAY[event]);
    DELETE FROM queue.cancel_request c WHERE c.job_id = revive.job_id;
    IF pg_sequence_last_value(j.doorbell) > extract(epoch FROM clock_timestamp()) * 1000 THEN
        PERFORM pg_notify('queue.wake', j.queue_id::text);
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION queue.retry(job_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    held record;
    now_at queue.place;
    at_now timestamptz := clock_timestamp();
BEGIN
    SELECT t.place, t.attempt, t.reconcile, t.taken INTO held
    FROM queue.take_waiting(retry.job_id) t;
    IF held.taken THEN
        INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, next_run_at, outcome,
                                   attempt, reconcile)
        VALUES (retry.job_id, nextval('queue.lease_id_seq'), at_now, at_now, at_now, 'replayed',
                held.attempt, held.reconcile);
        PERFORM queue.put_in_line(retry.job_id, at_now, held.attempt, held.reconcile);
        PERFORM pg_notify('queue.wake', (SELECT l.queue_id::text FROM queue.line l
                                         WHERE l.id = abs((held.place).line_id)));
        RETURN;
    END IF;
    IF NOT (held.place).final OR (held.place).last_outcome = 'completed' THEN
        RAISE EXCEPTION 'job % cannot be retried: it is %', retry.job_id,
            CASE WHEN (held.place).final THEN 'completed' ELSE 'running' END
            USING ERRCODE = 'LQ006';
    END IF;
    -- Serialises revivers of one job: a dead letter's row decides, a cancelled job's fact does.
    -- While we waited it may have been revived, have run and have ended otherwise: look again.
    PERFORM FROM queue.job j WHERE j.id = retry.job_id FOR UPDATE;
    now_at := queue.find_place(retry.job_id);
    IF NOT now_at.final OR now_at.last_outcome = 'completed' THEN
        RAISE EXCEPTION 'job % cannot be retried: it is already %', retry.job_id,
            CASE WHEN now_at.final THEN 'completed' ELSE 'back in line' END
            USING ERRCODE = 'LQ006';
    END IF;
    IF now_at.last_outcome <> 'cancelled' THEN
        DELETE FROM queue.dead_letter d WHERE d.job_id = retry.job_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'job % cannot be retried: its dead letter was discarded', retry.job_id
                USING ERRCODE = 'LQ006';
        END IF;
    END IF;
    PERFORM queue.revive(retry.job_id, at_now);
END
$$;

-- See 0003. A new job has the keys of its ancestor, but is no item of its batch.
CREATE OR REPLACE FUNCTION queue.replay(
    job_ids bigint[], spacing interval DEFAULT interval '0', start_at timestamptz DEFAULT NULL,
    payload jsonb DEFAULT NULL, queue text DEFAULT NULL)
RETURNS TABLE (id bigint, new_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    letter record;
    -- greatest() passes over a NULL.
    first_at timestamptz := greatest(clock_timestamp(), replay.start_at);
    done integer := 0;
BEGIN
    FOR letter IN
        SELECT d.* FROM queue.dead_letter d WHERE d.job_id = ANY (replay.job_ids)
        ORDER BY d.job_id FOR UPDATE SKIP LOCKED
    LOOP
        PERFORM queue.check_replay(letter.job_id, letter.payload,
            as_it_is => replay.payload IS NULL AND replay.queue IS NULL);
        DELETE FROM queue.dead_letter d WHERE d.job_id = letter.job_id;
        IF replay.payload IS NULL AND replay.queue IS NULL
           AND EXISTS (SELECT FROM queue.job j WHERE j.id = letter.job_id) THEN
            PERFORM queue.revive(letter.job_id, first_at + done * replay.spacing);
            new_id := letter.job_id;
        ELSE
            new_id := queue.enqueue(letter.kind, coalesce(replay.payload, letter.payload),
                queue => coalesce(replay.queue, letter.queue),
                priority => letter.priority, run_at => first_at + done * replay.spacing,
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
        id := letter.job_id;
        done := done + 1;
        RETURN NEXT;
    END LOOP;
END
$$;

-- The first true reason why a job is not running.
CREATE OR REPLACE FUNCTION queue.explain(
    job_id bigint, OUT reason text, OUT detail text, OUT until timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    j record;
    q record;
    held record;
    free record;
    ahead bigint;
    key text;
BEGIN
    SELECT x.id, x.tenant_id, x.meta, x.queue, x.kind, x.state, x.priority, x.run_at, x.attempt,
           x.last_error, x.finished_at INTO j
    FROM queue.jobs x WHERE x.id = explain.job_id;
    IF NOT FOUND THEN
        PERFORM queue.no_such_job(explain.job_id);
    END IF;
    IF j.state IN ('completed', 'cancelled', 'dead') THEN
        reason := j.state;
        detail := format('%s at %s%s', j.state, j.finished_at, coalesce(': ' || j.last_error, ''));
        RETURN;
    END IF;
    IF j.state = 'running' THEN
        reason := 'running';
        SELECT format('attempt %s on worker %s (%s), claimed %s%s', j.attempt, w.id, w.name,
                      s.claimed_at,
                      CASE WHEN EXISTS (SELECT FROM queue.cancel_request c
                                        WHERE c.job_id = explain.job_id)
                           THEN ', asked to cancel' ELSE '' END)
        INTO detail
        FROM queue.lease s LEFT JOIN queue.worker w ON w.id = s.worker_id
        WHERE explain.job_id = ANY (s.job_ids) ORDER BY s.id DESC LIMIT 1;
        RETURN;
    END IF;
    IF j.state IN ('scheduled', 'retrying') THEN
        reason := j.state;
        until := j.run_at;
        SELECT a.output ->> 'limit' AS name INTO held
        FROM queue.attempt a WHERE a.job_id = explain.job_id AND a.outcome = 'snoozed'
             AND a.next_run_at = j.run_at;
        IF held.name IS NOT NULL THEN
            reason := 'limit';
            detail := format('limit %s: its slot is at %s%s', held.name, j.run_at,
                (SELECT '; ' || x.detail
                 FROM queue.explain_limits(j.queue, j.kind, j.tenant_id, j.meta) x
                 WHERE x.reason IN ('limit stopped', 'limit closed', 'circuit open')));
            RETURN;
        END IF;
        detail := CASE j.state
            WHEN 'scheduled' THEN format('not due before %s', j.run_at)
            ELSE format('attempt %s failed, next at %s: %s', j.attempt, j.run_at, j.last_error) END;
        RETURN;
    END IF;
    SELECT x.paused_at, x.paused_by, x.pause_reason INTO q
    FROM queue.queue x WHERE x.name = j.queue;
    IF q.paused_at IS NOT NULL THEN
        reason := 'queue paused';
        detail := format('queue %s paused by %s at %s%s', j.queue, q.paused_by, q.paused_at,
                         coalesce(': ' || q.pause_reason, ''));
        RETURN;
    END IF;
    key := queue.explain_key(explain.job_id);
    IF key IS NOT NULL THEN
        reason := 'key';
        detail := key;
        RETURN;
    END IF;
    SELECT x.reason, x.detail, x.until INTO held
    FROM queue.explain_limits(j.queue, j.kind, j.tenant_id, j.meta) x;
    IF held.reason IS NOT NULL THEN
        reason := held.reason;
        detail := held.detail;
        until := held.until;
        RETURN;
    END IF;
    SELECT count(*) AS serving, count(*) FILTER (WHERE j.kind = ANY (w.kinds)) AS handling,
           sum((w.slots -> j.queue ->> 'running')::bigint) AS running,
           sum((w.slots -> j.queue ->> 'concurrency')::bigint) AS concurrency
    INTO free
    FROM queue.worker w
    WHERE j.queue = ANY (w.queues) AND w.state = 'running'
      AND w.beat_at > clock_timestamp() - make_interval(secs => w.lease_ms / 1000.0);
    IF free.serving = 0 THEN
        reason := 'no live worker';
        detail := format('no live worker serves queue %s', j.queue);
    ELSIF free.handling = 0 THEN
        reason := 'unhandled kind';
        detail := format('%s live workers serve queue %s, none handles kind %s', free.serving,
                         j.queue, j.kind);
    ELSE
        SELECT count(*) INTO ahead FROM (
            SELECT FROM queue.ready r JOIN queue.line l ON l.id = abs(r.line_id)
            JOIN queue.queue x ON x.id = l.queue_id
            WHERE x.name = j.queue AND r.run_at <= clock_timestamp()
              AND (l.priority < j.priority
                   OR (l.priority = j.priority AND (r.run_at, r.id) < (j.run_at, j.id)))
            LIMIT 10000) first;
        IF free.running >= free.concurrency THEN
            reason := 'concurrency';
            detail := format('all slots of queue %s are busy: %s of %s; %s%s jobs ahead', j.queue,
                free.running, free.concurrency, CASE WHEN ahead = 10000 THEN 'over ' ELSE '' END,
                ahead);
        ELSE
            reason := 'in line';
            detail := format('%s%s jobs ahead in queue %s',
                CASE WHEN ahead = 10000 THEN 'over ' ELSE '' END, ahead, j.queue);
        END IF;
    END IF;
END
$$;

-- Cancels waiting jobs of a queue up to an id, at most so many a call. Jobs being claimed at this
-- moment are left out: they run. Internal.
CREATE FUNCTION queue.purge(queue text, up_to bigint, most integer) RETURNS SETOF bigint
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    lines integer[];
    gone record;
BEGIN
    lines := ARRAY(SELECT unnest(ARRAY[l.id, -l.id])
                   FROM queue.line l JOIN queue.queue q ON q.id = l.queue_id
                   WHERE q.name = purge.queue);
    WITH from_line AS (
        DELETE FROM queue.ready
        WHERE ctid = ANY (ARRAY(
            SELECT r.ctid FROM queue.ready r
            WHERE r.line_id = ANY (lines) AND r.id <= purge.up_to
            LIMIT purge.most
            FOR UPDATE SKIP LOCKED))
        RETURNING id, attempt, reconcile),
    from_keys AS (
        DELETE FROM queue.key_wait
        WHERE ctid = ANY (ARRAY(
            SELECT w.ctid FROM queue.key_wait w
            WHERE w.line_id = ANY (lines) AND w.job_id <= purge.up_to
            LIMIT purge.most
            FOR UPDATE SKIP LOCKED))
        RETURNING job_id AS id, attempt, reconcile),
    noted AS (
        INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, outcome, attempt,
                                   reconcile, error)
        SELECT g.id, nextval('queue.lease_id_seq'), now(), now(), 'cancelled', g.attempt,
               g.reconcile, 'queue purged'
        FROM (SELECT * FROM from_line UNION ALL SELECT * FROM from_keys) g
        RETURNING job_id, lease_id)
    SELECT array_agg(n.job_id) AS jobs, array_agg(n.lease_id) AS leases INTO gone FROM noted n;
    PERFORM queue.settle_these(gone.jobs, gone.leases);
    RETURN QUERY SELECT unnest(gone.jobs);
END
$$;
