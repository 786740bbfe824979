-- breaking: no
-- Limits from outside: tokens through all levels, closing, reporting, resetting, and what is seen.

-- Reserves n tokens at once, of the limit and of those above it, and says when they are there.
-- Nothing is reserved when that is later than at_most from now, or later than now when there are
-- levels above: tokens promised for later would be missing above until then. The time is told all
-- the same. A stopped limit grants nothing and has no time. Of a limit with no level above,
-- reserving waits in line with everybody: a large request is not starved by small ones.
-- A level above with another sort of key gives tokens of its key '', as to a job without the field.
CREATE OR REPLACE FUNCTION queue.limit_reserve(
    name text, n integer DEFAULT 1, key text DEFAULT '', at_most interval DEFAULT NULL,
    OUT granted boolean, OUT slot timestamptz, OUT wait interval)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    rules queue.limit_rule[];
    buckets queue.bucket_in_use[] := '{}';
    own queue.limit_rule;
    r queue.limit_rule;
    b queue.bucket_in_use;
    at_now timestamptz;
    most integer;
    wait_us double precision := 0;
BEGIN
    -- In the order of their names, because here locks are waited for.
    rules := ARRAY(SELECT x FROM queue.limit_rule x
                   WHERE x.name = ANY (queue.limit_chain(ARRAY[limit_reserve.name]))
                   ORDER BY x.name FOR UPDATE);
    SELECT x.* INTO own FROM unnest(rules) x WHERE x.name = limit_reserve.name;
    IF NOT FOUND THEN
        PERFORM queue.no_such_limit(limit_reserve.name);
    END IF;
    SELECT coalesce(min(x.burst), 1000000) INTO most FROM unnest(rules) x;
    IF limit_reserve.n IS NULL OR limit_reserve.n NOT BETWEEN 1 AND most THEN
        RAISE EXCEPTION 'n: expected 1 to % (the burst of limit %), got %',
            most, limit_reserve.name, coalesce(limit_reserve.n::text, 'NULL')
            USING ERRCODE = 'LQ001';
    END IF;
    granted := NOT EXISTS (SELECT FROM unnest(rules) x WHERE x.stopped_at IS NOT NULL);
    IF NOT granted THEN
        RETURN;
    END IF;
    -- Read under the rows' locks, so that the times of one bucket never step back.
    at_now := clock_timestamp();
    FOR i IN 1 .. cardinality(rules) LOOP
        r := rules[i];
        b := queue.open_bucket(
            r, i, CASE WHEN r.name = own.name OR r.key_from <> '' AND r.key_from = own.key_from
                       THEN coalesce(limit_reserve.key, '') ELSE '' END, at_now, true);
        IF b.shut IS NOT NULL THEN
            granted := false;
            wait_us := greatest(wait_us, b.shut);
        END IF;
        wait_us := greatest(wait_us,
                            greatest(b.planned, b.used) + limit_reserve.n / r.rate * 1000000);
        buckets := buckets || b;
    END LOOP;
    slot := queue.bucket_time(at_now, wait_us);
    wait := slot - at_now;
    granted := granted AND (limit_reserve.at_most IS NULL OR wait <= limit_reserve.at_most)
               AND (cardinality(rules) = 1 OR wait_us <= 0.5);
    IF NOT granted THEN
        RETURN;
    END IF;
    FOR i IN 1 .. cardinality(rules) LOOP
        r := rules[i];
        b := buckets[i];
        b.planned := greatest(b.planned, b.used) + limit_reserve.n / r.rate * 1000000;
        b.used := b.used + limit_reserve.n / r.rate * 1000000;
        buckets[i] := b;
        IF b.probe THEN
            -- Who takes tokens holds no lease: without a report another may try after as long.
            PERFORM queue.start_probe(r.name, b.key, b.era, at_now, NULL, NULL,
                                      at_now + r.breaker_cooldown);
        END IF;
    END LOOP;
    PERFORM queue.close_buckets(rules, buckets, at_now, NULL, NULL, false);
END
$$;

CREATE FUNCTION queue.limit_close(
    name text, key text DEFAULT '', retry_after interval DEFAULT interval '30 seconds',
    reason text DEFAULT NULL) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF limit_close.retry_after IS NULL
       OR limit_close.retry_after NOT BETWEEN interval '1 microsecond' AND interval '30 days' THEN
        RAISE EXCEPTION 'retry_after: expected above 0 and at most 30 days, got %',
            coalesce(limit_close.retry_after::text, 'NULL') USING ERRCODE = 'LQ001',
            HINT = 'queue.limit_reset opens a limit again; queue.limit_stop has no end.';
    END IF;
    IF NOT EXISTS (SELECT FROM queue.limit_rule r WHERE r.name = limit_close.name) THEN
        PERFORM queue.no_such_limit(limit_close.name);
    END IF;
    PERFORM queue.note_reports(
        0, pg_backend_pid(), ARRAY[limit_close.name],
        ARRAY[left(coalesce(limit_close.key, ''), 200)], ARRAY[0::bigint], ARRAY[0::bigint],
        ARRAY[0::bigint],
        ARRAY[(extract(epoch FROM limit_close.retry_after) * 1000000)::bigint],
        ARRAY[left(limit_close.reason, 1024)]);
    RETURN (SELECT max(t.closed_until) FROM queue.limit_tally t
            WHERE t.limit_name = limit_close.name
              AND t.key = left(coalesce(limit_close.key, ''), 200));
END
$$;
COMMENT ON FUNCTION queue.limit_close IS
    'Nothing of this key starts before then, anywhere; never sooner than told before.';

CREATE FUNCTION queue.limit_report(
    name text, key text DEFAULT '', requests integer DEFAULT 1, errors integer DEFAULT 0)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    b queue.limit_breaker;
BEGIN
    IF limit_report.requests IS NULL OR limit_report.requests NOT BETWEEN 0 AND 1000000 THEN
        RAISE EXCEPTION 'requests: expected 0 to 1000000, got %',
            coalesce(limit_report.requests::text, 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    IF limit_report.errors IS NULL
       OR limit_report.errors NOT BETWEEN 0 AND limit_report.requests THEN
        RAISE EXCEPTION 'errors: expected 0 to % (the requests), got %', limit_report.requests,
            coalesce(limit_report.errors::text, 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    IF NOT EXISTS (SELECT FROM queue.limit_rule r WHERE r.name = limit_report.name) THEN
        PERFORM queue.no_such_limit(limit_report.name);
    END IF;
    SELECT x.* INTO b FROM queue.limit_breaker x
    WHERE x.limit_name = limit_report.name AND x.key = coalesce(limit_report.key, '');
    -- While a job is the probe, only that job's word counts.
    IF b.state = 'half_open' AND b.probe_lease IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM queue.note_reports(
        0, pg_backend_pid(), ARRAY[limit_report.name],
        ARRAY[left(coalesce(limit_report.key, ''), 200)], ARRAY[coalesce(b.era, 0)],
        ARRAY[limit_report.requests::bigint], ARRAY[limit_report.errors::bigint],
        ARRAY[0::bigint], ARRAY[NULL::text]);
END
$$;
COMMENT ON FUNCTION queue.limit_report IS
    'Requests made under a limit and how many of them failed, for its circuit breaker.';

CREATE OR REPLACE FUNCTION queue.limit_reset(name text, key text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    done bigint;
BEGIN
    PERFORM FROM queue.limit_rule x WHERE x.name = limit_reset.name FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM queue.no_such_limit(limit_reset.name);
    END IF;
    DELETE FROM queue.limit_bucket b
    WHERE b.limit_name = limit_reset.name
      AND (limit_reset.key IS NULL OR b.key = limit_reset.key);
    GET DIAGNOSTICS done = ROW_COUNT;
    DELETE FROM queue.limit_tally t
    WHERE t.limit_name = limit_reset.name
      AND (limit_reset.key IS NULL OR t.key = limit_reset.key);
    -- The row stays for its era: what runs now and tells later is of an earlier one.
    PERFORM queue.set_breaker(b.limit_name, b.key, 'closed', clock_timestamp(), NULL, NULL, NULL,
                              NULL)
    FROM queue.limit_breaker b
    WHERE b.limit_name = limit_reset.name
      AND (limit_reset.key IS NULL OR b.key = limit_reset.key);
    PERFORM pg_notify('queue.wake', 'limit');
    RETURN done;
END
$$;
COMMENT ON FUNCTION queue.limit_reset IS
    'Fills the bucket of a key, or all buckets (key NULL), opens them and closes their circuits.';

DROP VIEW queue.limit_status;
CREATE VIEW queue.limit_status WITH (security_invoker = true) AS
SELECT r.name,
       coalesce(k.key, '') AS key,
       r.burst,
       r.rate,
       r.concurrency,
       r.key_from,
       r.parent,
       CASE WHEN r.rate IS NOT NULL THEN
           greatest(0, floor(-o.planned * r.rate / 1000000 + 0.000001))::integer END AS tokens,
       CASE WHEN o.planned + 1000000 / r.rate > 0 THEN
           queue.bucket_time(now(), o.planned + 1000000 / r.rate) END AS next_token_at,
       queue.slots_held(r.name, coalesce(k.key, '')) AS running,
       r.stopped_at,
       r.stop_reason,
       r.stopped_by,
       c.closed_until,
       c.close_reason,
       -- NULL: no breaker.
       CASE WHEN r.breaker_ratio IS NOT NULL THEN coalesce(x.state, 'closed')::text END AS circuit,
       x.opened_at AS circuit_opened_at,
       CASE x.state WHEN 'open' THEN x.retry_at END AS probe_at,
       x.probe_job,
       r.breaker_ratio,
       r.breaker_min_requests,
       r.breaker_window,
       r.breaker_cooldown,
       r.pinned,
       r.updated_at
FROM queue.limit_rule r
LEFT JOIN LATERAL (
    SELECT b.key FROM queue.limit_bucket b WHERE b.limit_name = r.name
    UNION
    SELECT s.key FROM queue.limit_slot s WHERE s.limit_name = r.name AND s.held > 0
    UNION
    SELECT t.key FROM queue.limit_tally t
    WHERE t.limit_name = r.name AND t.closed_until > now()
    UNION
    SELECT x.key FROM queue.limit_breaker x
    WHERE x.limit_name = r.name AND x.state <> 'closed' AND r.breaker_ratio IS NOT NULL) k ON true
LEFT JOIN queue.limit_bucket b ON b.limit_name = r.name AND b.key = k.key
LEFT JOIN queue.limit_breaker x ON x.limit_name = r.name AND x.key = coalesce(k.key, '')
          AND r.breaker_ratio IS NOT NULL
LEFT JOIN LATERAL (
    SELECT t.closed_until, t.close_reason FROM queue.limit_tally t
    WHERE t.limit_name = r.name AND t.key = coalesce(k.key, '') AND t.closed_until > now()
    ORDER BY t.closed_until DESC LIMIT 1) c ON true
CROSS JOIN LATERAL (
    SELECT queue.bucket_offset(b.planned_at, now(), r.burst, r.rate) AS planned) o;
COMMENT ON VIEW queue.limit_status IS 'Limits with what is left of them, one row per key in use';

-- The first true reason why a job that is due does not start, as far as limits go. Internal.
CREATE OR REPLACE FUNCTION queue.explain_limits(
    queue_name text, kind text, tenant_id uuid, meta jsonb, OUT reason text, OUT detail text,
    OUT until timestamptz)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    r record;
    s record;
    limit_key text;
    named text;
    held integer;
    free_at double precision;
BEGIN
    FOR r IN
        SELECT n.name AS wanted, x.*
        FROM unnest(queue.limit_chain(ARRAY[
                 (SELECT k.limit_name FROM queue.kind k WHERE k.name = explain_limits.kind),
                 (SELECT q.limit_name FROM queue.queue q
                  WHERE q.name = explain_limits.queue_name)])) n(name)
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
        named := format('limit %s%s', r.name,
                        CASE WHEN limit_key = '' THEN '' ELSE ' of key ' || limit_key END);
        SELECT t.closed_until, t.close_reason INTO s
        FROM queue.limit_tally t
        WHERE t.limit_name = r.name AND t.key = limit_key AND t.closed_until > clock_timestamp()
        ORDER BY t.closed_until DESC LIMIT 1;
        IF s.closed_until IS NOT NULL THEN
            reason := 'limit closed';
            until := s.closed_until;
            detail := format('%s: closed until %s%s', named, until,
                             coalesce(': ' || s.close_reason, ''));
            RETURN;
        END IF;
        SELECT b.state, b.opened_at, b.retry_at, b.errors, b.requests, b.probe_job INTO s
        FROM queue.limit_breaker b
        WHERE b.limit_name = r.name AND b.key = limit_key AND b.state <> 'closed'
          AND r.breaker_ratio IS NOT NULL;
        IF s.state IS NOT NULL THEN
            reason := 'circuit open';
            until := CASE WHEN s.state = 'open' AND s.retry_at > clock_timestamp()
                          THEN s.retry_at END;
            detail := format(
                '%s: circuit open since %s (%s of %s requests failed), %s', named, s.opened_at,
                s.errors, s.requests,
                CASE WHEN s.state = 'half_open'
                     THEN coalesce('job ' || s.probe_job, 'somebody') || ' probes'
                     ELSE format('next probe at %s', s.retry_at) END);
            RETURN;
        END IF;
        held := queue.slots_held(r.name, limit_key);
        IF held >= r.concurrency THEN
            reason := 'limit';
            detail := format('%s: %s of %s running', named, held, r.concurrency);
            RETURN;
        END IF;
        SELECT greatest(queue.bucket_offset(b.planned_at, clock_timestamp(), r.burst, r.rate),
                        queue.bucket_offset(b.used_at, clock_timestamp(), r.burst, r.rate))
               + least(queue.limit_cost(explain_limits.meta), r.burst) / r.rate * 1000000
        INTO free_at
        FROM queue.limit_bucket b WHERE b.limit_name = r.name AND b.key = limit_key;
        IF free_at > 0 THEN
            reason := 'limit';
            until := queue.bucket_time(clock_timestamp(), free_at);
            detail := CASE queue.limit_cost(explain_limits.meta)
                WHEN 1 THEN format('%s: no token is free before %s', named, until)
                ELSE format('%s: its %s tokens are not free before %s', named,
                            queue.limit_cost(explain_limits.meta), until) END;
            RETURN;
        END IF;
    END LOOP;
END
$$;
