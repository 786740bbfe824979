-- breaking: no
-- Claiming under limits, and why a limited job is not running.
--
-- A turn reserves for its whole batch while it holds the row of the limit, and in the statement
-- that takes the jobs out of line: tokens and jobs cannot come apart, whatever crashes. Jobs whose
-- slot is now start; the others go back in line at exactly their slot, once, marked as reserved,
-- and cost no further token when they come due. Nobody waits for the row of a limit: who finds it
-- held looks again a moment later.

-- One bucket as a claim works on it: offsets in µs from the time of the claim, see bucket_offset.
CREATE TYPE queue.bucket_in_use AS (
    rule integer, key text, planned double precision, used double precision, spare integer,
    started integer);

CREATE FUNCTION queue.open_bucket(r queue.limit_rule, rule integer, key text, now_at timestamptz)
RETURNS queue.bucket_in_use
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    b record;
    found_one queue.bucket_in_use;
BEGIN
    found_one.rule := open_bucket.rule;
    found_one.key := open_bucket.key;
    found_one.started := 0;
    IF r.rate IS NOT NULL THEN
        SELECT x.planned_at, x.used_at INTO b FROM queue.limit_bucket x
        WHERE x.limit_name = r.name AND x.key = open_bucket.key;
        found_one.planned := queue.bucket_offset(b.planned_at, now_at, r.burst, r.rate);
        found_one.used := queue.bucket_offset(b.used_at, now_at, r.burst, r.rate);
    END IF;
    IF r.concurrency IS NOT NULL THEN
        found_one.spare := r.concurrency - queue.slots_held(r.name, open_bucket.key);
    END IF;
    RETURN found_one;
END
$$;

CREATE FUNCTION queue.limit_key(key_from text, tenant_id uuid, meta jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE key_from
           WHEN '' THEN ''
           WHEN 'tenant' THEN coalesce(tenant_id::text, '')
           -- Bounded: it becomes part of an index entry.
           ELSE left(coalesce(meta ->> substr(key_from, 6), ''), 200) END;

-- Jobs due in some lines that may be looked at: first those that come due on a slot they reserved,
-- then those without one. Locked.
CREATE FUNCTION queue.limited_candidates(
    lines integer[], keyed boolean, now_at timestamptz, most_reserved integer, most_fresh integer,
    OUT reserved boolean, OUT line_no bigint, OUT place tid, OUT id bigint, OUT line_id integer,
    OUT run_at timestamptz, OUT attempt smallint, OUT reconcile boolean, OUT tenant_id uuid,
    OUT meta jsonb)
RETURNS SETOF record
LANGUAGE sql
AS $$
    SELECT c.reserved, c.line_no, c.place, c.id, c.line_id, c.run_at, c.attempt, c.reconcile,
           j.tenant_id, j.meta
    FROM (
        SELECT true AS reserved, w.line_no, r.*
        FROM unnest(limited_candidates.lines) WITH ORDINALITY AS w (line_id, line_no)
        CROSS JOIN LATERAL (
            SELECT x.ctid AS place, x.id, x.line_id, x.run_at, x.attempt, x.reconcile
            FROM queue.ready x
            WHERE x.line_id = w.line_id AND x.reserved AND x.run_at <= now_at
            ORDER BY x.run_at, x.id
            LIMIT limited_candidates.most_reserved
            FOR UPDATE SKIP LOCKED) r
        UNION ALL
        SELECT false, w.line_no, r.*
        FROM unnest(limited_candidates.lines) WITH ORDINALITY AS w (line_id, line_no)
        CROSS JOIN LATERAL (
            SELECT x.ctid AS place, x.id, x.line_id, x.run_at, x.attempt, x.reconcile
            FROM queue.ready x
            WHERE x.line_id = w.line_id AND x.reserved IS NULL AND x.run_at <= now_at
            ORDER BY x.run_at, x.id
            LIMIT limited_candidates.most_fresh
            FOR UPDATE SKIP LOCKED) r) c
    -- OFFSET 0: see sql/queries/claim.sql.
    LEFT JOIN LATERAL (
        SELECT y.tenant_id, y.meta FROM queue.job y WHERE y.id = c.id OFFSET 0) j
        ON limited_candidates.keyed
$$;

CREATE FUNCTION queue.claim_limited(
    worker_id bigint, lane integer, queue_id integer, kind_limit text, queue_limit text,
    lines integer[], most_by_line integer[], most integer, at timestamptz DEFAULT NULL)
RETURNS TABLE (lease bigint, id bigint, line_id integer, run_at timestamptz, attempt smallint,
               reconcile boolean, created_at timestamptz, max_attempts smallint, tenant_id text,
               payload text, meta text, kind_key text, queue_key text, blocked boolean,
               wait_us bigint)
LANGUAGE plpgsql
-- With a backlog the planner takes the candidates for many and would compile for 40 ms.
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    -- Jobs are given slots up to this far ahead (µs) and again when half of that is used up: a
    -- long backlog is not rewritten up front, and a change of the rate is felt soon. Not so with
    -- keys: there the job behind may be another key's, so each is given its slot when it is met.
    horizon constant double precision := 1000000;
    at_now timestamptz;
    rules queue.limit_rule[];
    buckets queue.bucket_in_use[] := '{}';
    marks text[] := '{}';
    c record;
    b queue.bucket_in_use;
    r queue.limit_rule;
    found_at integer;
    mine integer[];
    keys text[];
    gap double precision;
    slot double precision;
    keyed boolean;
    busy boolean;
    late boolean;
    promised double precision := '-infinity';
    hint double precision := 'infinity';
    -- The shortest time between two looks: what the burst makes good, 1 to 20 ms.
    quantum double precision := 20000;
    more boolean := false;
    wanting boolean := false;
    line_left integer[] := claim_limited.most_by_line;
    scan_fresh integer := 500;
    start_places tid[] := '{}';
    put_places tid[] := '{}';
    put_slots timestamptz[] := '{}';
    starts queue.ready[] := '{}';
    kind_keys text[] := '{}';
    queue_keys text[] := '{}';
    new_lease bigint;
    earliest timestamptz;
BEGIN
    IF NOT EXISTS (SELECT FROM queue.queue q
                   WHERE q.id = claim_limited.queue_id AND q.paused_at IS NULL) THEN
        RETURN QUERY SELECT * FROM queue.limited_pause(false, NULL);
        RETURN;
    END IF;
    rules := ARRAY(SELECT x FROM queue.limit_rule x
                   WHERE x.name IN (claim_limited.kind_limit, claim_limited.queue_limit)
                   ORDER BY x.name FOR UPDATE SKIP LOCKED);
    IF cardinality(rules) < (SELECT count(DISTINCT n.name) FROM unnest(
            ARRAY[claim_limited.kind_limit, claim_limited.queue_limit]) n(name)) THEN
        -- Held by another turn: soon. Not defined: nothing starts until somebody defines it.
        RETURN QUERY SELECT * FROM queue.limited_pause(true, CASE WHEN cardinality(rules) = (
                SELECT count(*) FROM queue.limit_rule x
                WHERE x.name IN (claim_limited.kind_limit, claim_limited.queue_limit))
            THEN 2000000 ELSE 3000 END);
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM unnest(rules) x WHERE x.stopped_at IS NOT NULL) THEN
        -- limit_resume wakes; this is for who does not listen.
        RETURN QUERY SELECT * FROM queue.limited_pause(true, 2000000);
        RETURN;
    END IF;
    -- Read under the locks, so that the times of one bucket never step back.
    at_now := coalesce(claim_limited.at, clock_timestamp());
    keyed := EXISTS (SELECT FROM unnest(rules) x WHERE x.key_from <> '');
    FOR i IN 1 .. cardinality(rules) LOOP
        r := rules[i];
        IF r.rate IS NOT NULL THEN
            quantum := least(quantum, greatest(1000, (r.burst - 1) * 500000 / r.rate));
        END IF;
        IF r.key_from = '' THEN
            b := queue.open_bucket(r, i, '', at_now);
            buckets := buckets || b;
            marks := marks || (i || ' ');
            promised := greatest(promised, b.planned + 1000000 / r.rate);
            -- As many as can start, or when tokens are short as can be given a slot: what is
            -- looked at is locked, which is work.
            scan_fresh := least(scan_fresh, CASE
                WHEN coalesce(-b.planned * r.rate / 1000000 >= claim_limited.most, true)
                THEN claim_limited.most
                ELSE greatest(1, floor((horizon - b.planned) * r.rate / 1000000)) END::integer);
        END IF;
    END LOOP;
    IF NOT keyed AND promised > horizon / 2 THEN
        scan_fresh := 0;
    END IF;
    FOR c IN SELECT * FROM queue.limited_candidates(
            claim_limited.lines, keyed, at_now,
            CASE WHEN keyed THEN 500 ELSE claim_limited.most END,
            CASE WHEN keyed THEN 500 ELSE scan_fresh END) LOOP
        mine := '{}';
        keys := '{}';
        busy := false;
        late := false;
        slot := '-infinity';
        FOR i IN 1 .. cardinality(rules) LOOP
            r := rules[i];
            keys := keys || queue.limit_key(r.key_from, c.tenant_id, c.meta);
            found_at := array_position(marks, i || ' ' || keys[i]);
            IF found_at IS NULL THEN
                buckets := buckets || queue.open_bucket(r, i, keys[i], at_now);
                marks := marks || (i || ' ' || keys[i]);
                found_at := cardinality(buckets);
            END IF;
            mine := mine || found_at;
            b := buckets[found_at];
            busy := busy OR coalesce(b.spare <= 0, false);
            IF r.rate IS NOT NULL THEN
                gap := 1000000 / r.rate;
                IF b.used + gap > 0.5 THEN
                    late := true;
                    IF c.reserved THEN
                        hint := least(hint, b.used + gap);
                    END IF;
                END IF;
                slot := greatest(slot, b.planned + gap, b.used + gap);
            END IF;
        END LOOP;
        wanting := wanting OR busy;
        -- Without keys the next job finds the same; with keys it may be another's.
        EXIT WHEN (busy OR (late AND c.reserved)) AND NOT keyed;
        CONTINUE WHEN busy OR (late AND c.reserved);
        IF c.reserved OR slot <= 0.5 THEN
            more := more OR cardinality(starts) >= claim_limited.most;
            EXIT WHEN more;
            CONTINUE WHEN line_left[c.line_no] <= 0;
            line_left[c.line_no] := line_left[c.line_no] - 1;
            starts := starts || ROW(c.id, c.run_at, c.line_id, c.attempt, c.reconcile,
                                    c.reserved)::queue.ready;
            start_places := start_places || c.place;
            kind_keys := kind_keys || (SELECT keys[u.i] FROM generate_subscripts(rules, 1) u(i)
                WHERE rules[u.i].name = claim_limited.kind_limit
                  AND rules[u.i].concurrency IS NOT NULL);
            queue_keys := queue_keys || (SELECT keys[u.i] FROM generate_subscripts(rules, 1) u(i)
                WHERE rules[u.i].name = claim_limited.queue_limit
                  AND rules[u.i].concurrency IS NOT NULL);
        ELSE
            EXIT WHEN NOT keyed AND slot > horizon;
            put_places := put_places || c.place;
            put_slots := put_slots || queue.bucket_time(at_now, slot);
        END IF;
        FOR i IN 1 .. cardinality(rules) LOOP
            b := buckets[mine[i]];
            gap := 1000000 / rules[i].rate;
            -- A job put back takes a token of the limits that hold it back, not of those that
            -- would have let it start now: with 20 an hour for each user and 1,000 a minute for
            -- all, one user's thousand must not use up the minute of the others.
            IF NOT c.reserved
               AND (slot <= 0.5 OR greatest(b.planned, b.used) + gap > 0.5) THEN
                b.planned := greatest(b.planned, b.used) + gap;
            END IF;
            IF c.reserved OR slot <= 0.5 THEN
                b.used := b.used + gap;
                b.spare := b.spare - 1;
                b.started := b.started + 1;
            END IF;
            buckets[mine[i]] := b;
        END LOOP;
    END LOOP;
    PERFORM queue.put_at_slots(claim_limited.worker_id, put_places, put_slots, at_now,
                               ARRAY(SELECT x.name FROM unnest(rules) x));
    PERFORM queue.close_buckets(rules, buckets, at_now, claim_limited.worker_id,
                                claim_limited.lane, wanting);
    IF cardinality(starts) > 0 THEN
        DELETE FROM queue.ready x WHERE x.ctid = ANY (start_places);
        new_lease := nextval('queue.lease_id_seq');
        INSERT INTO queue.lease (id, worker_id, claimed_at, job_ids, attempts)
        SELECT new_lease, claim_limited.worker_id, at_now, array_agg(u.id), array_agg(u.attempt)
        FROM unnest(starts) u;
        RETURN QUERY
        SELECT new_lease, u.id, u.line_id, u.run_at, u.attempt, u.reconcile, j.created_at,
               j.max_attempts, j.tenant_id::text, j.payload::text, j.meta::text, u.kind_key,
               u.queue_key, NULL::boolean, NULL::bigint
        FROM unnest(starts, kind_keys, queue_keys) AS u (id, run_at, line_id, attempt, reconcile,
                                                         reserved, kind_key, queue_key)
        CROSS JOIN LATERAL (SELECT y.* FROM queue.job y WHERE y.id = u.id OFFSET 0) j;
    END IF;
    -- With keys, what is behind those just put back has not been met yet.
    IF more OR cardinality(starts) >= claim_limited.most
       OR keyed AND cardinality(put_places) > 0 THEN
        RETURN QUERY SELECT * FROM queue.limited_pause(false, 0);
        RETURN;
    END IF;
    SELECT min(f.run_at) INTO earliest
    FROM unnest(claim_limited.lines) AS w (line_id)
    CROSS JOIN LATERAL (SELECT x.run_at FROM queue.ready x WHERE x.line_id = w.line_id
                        ORDER BY x.run_at, x.id LIMIT 1) f;
    IF earliest IS NULL OR earliest > at_now THEN
        RETURN QUERY SELECT * FROM queue.limited_pause(
            false, greatest(extract(epoch FROM earliest - at_now) * 1000000, quantum)::bigint);
        RETURN;
    END IF;
    SELECT least(hint, min(extract(epoch FROM f.run_at - at_now) * 1000000)::double precision)
    INTO hint
    FROM unnest(claim_limited.lines) AS w (line_id)
    CROSS JOIN LATERAL (SELECT x.run_at FROM queue.ready x
                        WHERE x.line_id = w.line_id AND x.reserved AND x.run_at > at_now
                        ORDER BY x.run_at, x.id LIMIT 1) f;
    -- A slot set free is told; this is for who does not listen.
    IF wanting THEN
        hint := least(hint, 250000);
    END IF;
    IF NOT keyed THEN
        SELECT least(hint, max(u.planned + 1000000 / rules[u.rule].rate) - horizon / 2) INTO hint
        FROM unnest(buckets) u;
    END IF;
    RETURN QUERY SELECT * FROM queue.limited_pause(
        true, greatest(least(hint, 2000000), quantum)::bigint);
END
$$;

-- The last row of a claim: whether jobs wait that may not start, and when to look again.
CREATE FUNCTION queue.limited_pause(blocked boolean, wait_us bigint)
RETURNS TABLE (lease bigint, id bigint, line_id integer, run_at timestamptz, attempt smallint,
               reconcile boolean, created_at timestamptz, max_attempts smallint, tenant_id text,
               payload text, meta text, kind_key text, queue_key text, is_blocked boolean,
               look_us bigint)
LANGUAGE sql
AS $$
    SELECT NULL::bigint, NULL::bigint, NULL::integer, NULL::timestamptz, NULL::smallint,
           NULL::boolean, NULL::timestamptz, NULL::smallint, NULL::text, NULL::text, NULL::text,
           NULL::text, NULL::text, limited_pause.blocked, limited_pause.wait_us
$$;

-- Back in line at their slots. The attempt row says why and keeps the place computable; no attempt
-- is used up.
CREATE FUNCTION queue.put_at_slots(
    worker_id bigint, places tid[], slots timestamptz[], now_at timestamptz, limits text[])
RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
    IF cardinality(put_at_slots.places) = 0 THEN
        RETURN;
    END IF;
    WITH taken AS (
        DELETE FROM queue.ready x
        USING unnest(put_at_slots.places, put_at_slots.slots) AS u (place, slot)
        WHERE x.ctid = u.place AND x.ctid = ANY (put_at_slots.places)
        RETURNING x.id, x.line_id, x.attempt, x.reconcile, u.slot),
    noted AS (
        INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, next_run_at,
                                   worker_id, outcome, attempt, reconcile, output)
        SELECT t.id, nextval('queue.lease_id_seq'), now_at, now_at, t.slot,
               put_at_slots.worker_id, 'snoozed', t.attempt + 1, t.reconcile,
               jsonb_build_object('limit', array_to_string(put_at_slots.limits, ', '))
        FROM taken t)
    INSERT INTO queue.ready (id, run_at, line_id, attempt, reconcile, reserved)
    SELECT t.id, t.slot, t.line_id, t.attempt, t.reconcile, true FROM taken t;
END
$$;

-- Writes down what a claim took from its buckets.
CREATE FUNCTION queue.close_buckets(
    rules queue.limit_rule[], buckets queue.bucket_in_use[], now_at timestamptz,
    worker_id bigint, lane integer, wanting boolean)
RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO queue.limit_bucket AS x (limit_name, key, planned_at, used_at)
    SELECT close_buckets.rules[u.rule].name, u.key,
           queue.bucket_time(now_at, u.planned), queue.bucket_time(now_at, u.used)
    FROM unnest(close_buckets.buckets) u
    WHERE u.planned IS NOT NULL
      -- Looked at only: a full bucket needs no row, the others have theirs.
      AND greatest(u.planned, u.used) > -close_buckets.rules[u.rule].burst * 1000000
                      / close_buckets.rules[u.rule].rate
    ON CONFLICT ON CONSTRAINT limit_bucket_pkey DO UPDATE
    SET planned_at = excluded.planned_at, used_at = excluded.used_at
    WHERE excluded.planned_at > x.planned_at + interval '1 microsecond'
       OR excluded.used_at > x.used_at + interval '1 microsecond';
    INSERT INTO queue.limit_slot AS x (limit_name, key, worker_id, lane, held)
    SELECT close_buckets.rules[u.rule].name, u.key, close_buckets.worker_id, close_buckets.lane,
           u.started
    FROM unnest(close_buckets.buckets) u
    WHERE u.spare IS NOT NULL AND u.started > 0
    ON CONFLICT ON CONSTRAINT limit_slot_pkey DO UPDATE SET held = x.held + excluded.held;
    IF wanting THEN
        UPDATE queue.limit_rule r SET wanted_until = now_at + interval '5 seconds'
        FROM unnest(close_buckets.rules) u
        WHERE r.name = u.name AND r.concurrency IS NOT NULL
          AND coalesce(r.wanted_until, '-infinity') < now_at + interval '2500 milliseconds';
    END IF;
END
$$;

-- The first true reason why a job that is due does not start, as far as limits go. Internal.
CREATE FUNCTION queue.explain_limits(
    queue_name text, kind text, tenant_id uuid, meta jsonb, OUT reason text, OUT detail text,
    OUT until timestamptz)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    r record;
    limit_key text;
    held integer;
    free_at double precision;
BEGIN
    FOR r IN
        SELECT n.name AS wanted, x.*
        FROM (SELECT DISTINCT u.name FROM unnest(ARRAY[
                  (SELECT k.limit_name FROM queue.kind k WHERE k.name = explain_limits.kind),
                  (SELECT q.limit_name FROM queue.queue q
                   WHERE q.name = explain_limits.queue_name)]) u(name)
              WHERE u.name IS NOT NULL) n
        LEFT JOIN queue.limit_rule x ON x.name = n.name
        ORDER BY n.name
    LOOP
        IF r.name IS NULL THEN
            reason := 'unknown limit';
            detail := format('limit %s is not defined: qctl limits set %s', r.wanted, r.wanted);
            RETURN;
        END IF;
        IF r.stopped_at IS NOT NULL THEN
            reason := 'limit stopped';
            detail := format('limit %s stopped by %s at %s%s', r.name, r.stopped_by, r.stopped_at,
                             coalesce(': ' || r.stop_reason, ''));
            RETURN;
        END IF;
        limit_key := queue.limit_key(r.key_from, explain_limits.tenant_id, explain_limits.meta);
        held := queue.slots_held(r.name, limit_key);
        IF held >= r.concurrency THEN
            reason := 'limit';
            detail := format('limit %s%s: %s of %s running', r.name,
                             CASE WHEN limit_key = '' THEN '' ELSE ' of key ' || limit_key END,
                             held, r.concurrency);
            RETURN;
        END IF;
        SELECT greatest(queue.bucket_offset(b.planned_at, clock_timestamp(), r.burst, r.rate),
                        queue.bucket_offset(b.used_at, clock_timestamp(), r.burst, r.rate))
               + 1000000 / r.rate
        INTO free_at
        FROM queue.limit_bucket b WHERE b.limit_name = r.name AND b.key = limit_key;
        IF free_at > 0 THEN
            reason := 'limit';
            until := queue.bucket_time(clock_timestamp(), free_at);
            detail := format('limit %s%s: no token is free before %s', r.name,
                             CASE WHEN limit_key = '' THEN '' ELSE ' of key ' || limit_key END,
                             until);
            RETURN;
        END IF;
    END LOOP;
END
$$;
