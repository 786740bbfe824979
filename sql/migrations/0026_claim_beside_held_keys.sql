-- breaking: no
-- A claim under limits no longer takes a job for held back because it was committed while the claim
-- ran (nothing under the limit then started for two seconds), nor others for held back because one
-- key is. Replaces queue.claim_limited of 0017; what is new is `held` and the last answer.

CREATE OR REPLACE FUNCTION queue.claim_limited(
    worker_id bigint, lane integer, queue_id integer, kind_limit text, queue_limit text,
    lines integer[], most_by_line integer[], most integer, at timestamptz DEFAULT NULL)
RETURNS TABLE (lease bigint, id bigint, line_id integer, run_at timestamptz, attempt smallint,
               reconcile boolean, created_at timestamptz, max_attempts smallint, tenant_id text,
               payload text, meta text, limits text, blocked boolean, wait_us bigint)
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
    wanted text[];
    names text[] := '{}';
    level queue.limit_rule[];
    rules queue.limit_rule[] := '{}';
    buckets queue.bucket_in_use[] := '{}';
    marks text[] := '{}';
    c record;
    b queue.bucket_in_use;
    r queue.limit_rule;
    found_at integer;
    mine integer[];
    key text;
    cost integer := 1;
    need double precision;
    slot double precision;
    keyed boolean := false;
    stopped boolean := false;
    weighted boolean;
    watched boolean;
    busy boolean;
    late boolean;
    held boolean := false;
    shut double precision;
    closed double precision;
    seen integer := 0;
    promised double precision := '-infinity';
    beyond double precision := NULL;
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
    shut_places tid[] := '{}';
    shut_slots timestamptz[] := '{}';
    starts queue.ready[] := '{}';
    limits_text text;
    limits_told text[] := '{}';
    new_lease bigint;
    earliest timestamptz;
BEGIN
    IF NOT EXISTS (SELECT FROM queue.queue q
                   WHERE q.id = claim_limited.queue_id AND q.paused_at IS NULL) THEN
        RETURN QUERY SELECT * FROM queue.limited_pause(false, NULL);
        RETURN;
    END IF;
    -- Level by level. In any order: nobody who holds one waits for another.
    wanted := array_remove(ARRAY[claim_limited.kind_limit, nullif(claim_limited.queue_limit,
                                                                  claim_limited.kind_limit)], NULL);
    WHILE wanted <> '{}' LOOP
        level := ARRAY(SELECT x FROM queue.limit_rule x WHERE x.name = ANY (wanted)
                       ORDER BY x.name FOR UPDATE SKIP LOCKED);
        IF cardinality(level) < cardinality(wanted) THEN
            -- Held by another turn: soon. Not defined: nothing starts until somebody defines it.
            RETURN QUERY SELECT * FROM queue.limited_pause(true, CASE WHEN cardinality(level) = (
                    SELECT count(*) FROM queue.limit_rule x WHERE x.name = ANY (wanted))
                THEN 2000000 ELSE 3000 END);
            RETURN;
        END IF;
        rules := rules || level;
        names := names || wanted;
        wanted := '{}';
        FOREACH r IN ARRAY level LOOP
            stopped := stopped OR r.stopped_at IS NOT NULL;
            keyed := keyed OR r.key_from <> '';
            IF r.parent <> ALL (names || wanted) THEN
                wanted := wanted || r.parent;
            END IF;
        END LOOP;
    END LOOP;
    IF stopped THEN
        -- limit_resume wakes; this is for who does not listen.
        RETURN QUERY SELECT * FROM queue.limited_pause(true, 2000000);
        RETURN;
    END IF;
    -- Read under the locks, so that the times of one bucket never step back.
    at_now := coalesce(claim_limited.at, clock_timestamp());
    weighted := EXISTS (SELECT FROM queue.weighted_kind)
                AND EXISTS (SELECT FROM unnest(claim_limited.lines) u (line_id)
                            JOIN queue.line l ON l.id = abs(u.line_id)
                            JOIN queue.weighted_kind w ON w.kind = l.kind);
    FOR i IN 1 .. cardinality(rules) LOOP
        r := rules[i];
        IF r.rate IS NOT NULL THEN
            quantum := least(quantum, greatest(1000, (r.burst - 1) / r.rate * 500000));
        END IF;
        IF r.key_from = '' THEN
            b := queue.open_bucket(r, i, '', at_now, false);
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
            claim_limited.lines, keyed OR weighted, at_now,
            CASE WHEN keyed THEN 500 ELSE claim_limited.most END,
            CASE WHEN keyed THEN 500 ELSE scan_fresh END) LOOP
        seen := seen + 1;
        IF seen = 1 THEN
            -- Only now: these jobs may have been put back by the very turn that reported.
            watched := EXISTS (SELECT FROM queue.limit_tally t
                               WHERE t.limit_name = ANY (names));
            FOR i IN 1 .. cardinality(buckets) LOOP
                b := buckets[i];
                r := rules[b.rule];
                IF watched OR r.breaker_ratio IS NOT NULL THEN
                    SELECT j.shut, j.probe, j.era INTO b.shut, b.probe, b.era
                    FROM queue.judge_reports(r, '', at_now) j;
                    buckets[i] := b;
                    closed := greatest(closed, b.shut);
                END IF;
            END LOOP;
            EXIT WHEN closed IS NOT NULL;
        END IF;
        mine := '{}';
        busy := false;
        late := false;
        shut := NULL;
        slot := '-infinity';
        IF weighted THEN
            cost := queue.limit_cost(c.meta);
        END IF;
        FOR i IN 1 .. cardinality(rules) LOOP
            r := rules[i];
            key := queue.limit_key(r.key_from, c.tenant_id, c.meta);
            found_at := array_position(marks, i || ' ' || key);
            IF found_at IS NULL THEN
                buckets := buckets || queue.open_bucket(
                    r, i, key, at_now, watched OR r.breaker_ratio IS NOT NULL);
                marks := marks || (i || ' ' || key);
                found_at := cardinality(buckets);
            END IF;
            mine := mine || found_at;
            b := buckets[found_at];
            busy := busy OR coalesce(b.spare <= 0, false);
            shut := greatest(shut, b.shut);
            IF r.rate IS NOT NULL THEN
                -- What costs more than a full bucket starts when it is full, and leaves a debt.
                need := least(cost, r.burst) / r.rate * 1000000;
                IF b.used + need > 0.5 THEN
                    late := true;
                    IF c.reserved THEN
                        hint := least(hint, b.used + need);
                    END IF;
                END IF;
                slot := greatest(slot, b.planned + need, b.used + need);
            END IF;
        END LOOP;
        wanting := wanting OR busy;
        held := held OR busy OR shut IS NOT NULL OR (late AND c.reserved);
        -- Without keys the next job finds the same; with keys it may be another's.
        EXIT WHEN (busy OR shut IS NOT NULL OR (late AND c.reserved)) AND NOT keyed;
        IF shut IS NOT NULL THEN
            hint := least(hint, shut);
            shut_places := shut_places || c.place;
            shut_slots := shut_slots || queue.bucket_time(at_now, greatest(shut, 5000000));
            CONTINUE;
        END IF;
        CONTINUE WHEN busy OR (late AND c.reserved);
        IF c.reserved OR slot <= 0.5 THEN
            more := more OR cardinality(starts) >= claim_limited.most;
            EXIT WHEN more;
            CONTINUE WHEN line_left[c.line_no] <= 0;
            line_left[c.line_no] := line_left[c.line_no] - 1;
            starts := starts || ROW(c.id, c.run_at, c.line_id, c.attempt, c.reconcile,
                                    c.reserved)::queue.ready;
            start_places := start_places || c.place;
            IF keyed OR limits_text IS NULL THEN
                -- What the worker must know: an array of [limit, key, whether a slot is held (0
                -- or 1), era of its circuit or null].
                limits_text := (
                    SELECT jsonb_agg(jsonb_build_array(
                               rules[u.i].name, buckets[mine[u.i]].key,
                               CASE WHEN rules[u.i].concurrency IS NULL THEN 0 ELSE 1 END,
                               CASE WHEN rules[u.i].breaker_ratio IS NOT NULL
                                    THEN buckets[mine[u.i]].era END))
                    FROM generate_subscripts(rules, 1) AS u (i));
            END IF;
            limits_told := limits_told || limits_text;
        ELSE
            IF NOT keyed AND slot > horizon THEN
                beyond := slot;
                EXIT;
            END IF;
            put_places := put_places || c.place;
            put_slots := put_slots || queue.bucket_time(at_now, slot);
        END IF;
        FOR i IN 1 .. cardinality(rules) LOOP
            b := buckets[mine[i]];
            need := least(cost, rules[i].burst) / rules[i].rate * 1000000;
            -- A job put back takes tokens of the limits that hold it back, not of those that
            -- would have let it start now: with 20 an hour for each user and 1,000 a minute for
            -- all, one user's thousand must not use up the minute of the others.
            IF NOT c.reserved
               AND (slot <= 0.5 OR greatest(b.planned, b.used) + need > 0.5) THEN
                b.planned := greatest(b.planned, b.used) + cost / rules[i].rate * 1000000;
            END IF;
            IF c.reserved OR slot <= 0.5 THEN
                b.used := b.used + cost / rules[i].rate * 1000000;
                b.spare := b.spare - 1;
                b.started := b.started + 1;
                IF b.probe THEN
                    b.probe := false;
                    b.probe_job := c.id;
                    b.shut := 1000000;
                END IF;
            END IF;
            buckets[mine[i]] := b;
        END LOOP;
    END LOOP;
    IF closed IS NOT NULL THEN
        -- For all keys: all stay in line where they are.
        RETURN QUERY SELECT * FROM queue.limited_pause(
            true, greatest(least(closed, 2000000), 1000)::bigint);
        RETURN;
    END IF;
    -- Jobs of a key that is shut stay where they are, unless there are so many that others behind
    -- them were not met.
    IF seen >= 500 THEN
        put_places := put_places || shut_places;
        put_slots := put_slots || shut_slots;
    END IF;
    PERFORM queue.put_at_slots(claim_limited.worker_id, put_places, put_slots, at_now,
                               names);
    PERFORM queue.close_buckets(rules, buckets, at_now, claim_limited.worker_id,
                                claim_limited.lane, wanting);
    IF cardinality(starts) > 0 THEN
        DELETE FROM queue.ready x WHERE x.ctid = ANY (start_places);
        new_lease := nextval('queue.lease_id_seq');
        INSERT INTO queue.lease (id, worker_id, claimed_at, job_ids, attempts)
        SELECT new_lease, claim_limited.worker_id, at_now, array_agg(u.id), array_agg(u.attempt)
        FROM unnest(starts) u;
        PERFORM queue.start_probe(rules[u.rule].name, u.key, u.era, at_now, new_lease, u.probe_job,
                                  NULL)
        FROM unnest(buckets) u WHERE u.probe_job IS NOT NULL;
        RETURN QUERY
        SELECT new_lease, u.id, u.line_id, u.run_at, u.attempt, u.reconcile, j.created_at,
               j.max_attempts, j.tenant_id::text, j.payload::text, j.meta::text, u.limits,
               NULL::boolean, NULL::bigint
        FROM unnest(starts, limits_told) AS u (id, run_at, line_id, attempt, reconcile, reserved,
                                               limits)
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
    -- What is due and was not among the candidates has been committed since: nothing holds it back.
    IF earliest IS NULL OR earliest > at_now OR NOT held AND cardinality(put_places) = 0 THEN
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
    IF beyond IS NOT NULL THEN
        hint := least(hint, beyond - horizon);
    ELSIF NOT keyed THEN
        SELECT least(hint, max(u.planned + 1000000 / rules[u.rule].rate) - horizon / 2,
                     max(u.shut)) INTO hint
        FROM unnest(buckets) u;
    END IF;
    -- With keys only these jobs wait: who comes next may be another's, and is looked for as ever.
    -- Suspects (negative lines) are asked for one by one, and not again while one is held.
    RETURN QUERY SELECT * FROM queue.limited_pause(
        NOT keyed OR 0 > ANY (claim_limited.lines),
        greatest(least(hint, 2000000), quantum)::bigint);
END
$$;
