-- breaking: no
-- Rules over the buckets, evaluated every minute by the job analytics.alerts, and what they fired.

CREATE TABLE analytics.alert_rule (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    type smallint NOT NULL REFERENCES analytics.event_type (code),
    venue text COLLATE "C",             -- NULL: all
    currency text COLLATE "C",          -- NULL: all
    measure text COLLATE "C" NOT NULL,
    condition text COLLATE "C" NOT NULL,
    direction text COLLATE "C" NOT NULL,
    span interval NOT NULL,
    value numeric NOT NULL,
    actions jsonb NOT NULL,
    cool_down interval NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    checked_at timestamptz,
    fired_at timestamptz,
    last_value numeric,
    error text,                         -- why the latest evaluation failed
    CONSTRAINT alert_rule_name_key UNIQUE (tenant_id, name),
    CONSTRAINT alert_rule_name_valid CHECK (name ~ '^[A-Za-z0-9_. :/-]{1,128}$'),
    CONSTRAINT alert_rule_measure_valid CHECK (measure IN ('events', 'quantity', 'amount')),
    CONSTRAINT alert_rule_condition_valid CHECK (condition IN ('threshold', 'anomaly', 'trend')),
    CONSTRAINT alert_rule_direction_valid CHECK (direction IN ('above', 'below')),
    CONSTRAINT alert_rule_span_valid CHECK (span IN ('1 hour', '24 hours', '7 days')),
    CONSTRAINT alert_rule_cool_down_valid CHECK (
        cool_down BETWEEN interval '1 minute' AND interval '30 days')
);

CREATE TABLE analytics.alert (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    rule_id bigint NOT NULL,
    rule text COLLATE "C" NOT NULL,
    fired_at timestamptz NOT NULL,
    value numeric NOT NULL,
    expected numeric NOT NULL,          -- the bound, the mean, or the period before
    jobs bigint[] NOT NULL,             -- what was enqueued
    acknowledged_at timestamptz
);
CREATE INDEX alert_age ON analytics.alert (fired_at);

-- Sets a rule by name. Actions: up to 10 of
--   {"kind": "email.send" | "sms.send" | "webhook.deliver" | "analytics.slack", "payload": {...}}
-- whose payloads may say {{rule}}, {{measure}}, {{value}}, {{expected}}, {{span}} and {{at}}.
-- A `venue` or `currency` left NULL means all of them.
CREATE FUNCTION analytics.set_alert_rule(
    tenant_id uuid, name text, type text, condition text, span interval, value numeric,
    actions jsonb, measure text DEFAULT 'events', direction text DEFAULT 'above',
    venue text DEFAULT NULL, currency text DEFAULT NULL, cool_down interval DEFAULT '1 hour',
    enabled boolean DEFAULT true) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    owner uuid := coalesce(tenant_id, '00000000-0000-0000-0000-000000000000');
    code smallint;
    rule_id bigint;
BEGIN
    SELECT t.code INTO code FROM analytics.event_type t WHERE t.name = set_alert_rule.type;
    IF code IS NULL THEN
        RAISE EXCEPTION 'type: expected a type of event, got %',
            coalesce(quote_literal(left(type, 64)), 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    IF jsonb_typeof(actions) IS DISTINCT FROM 'array' OR jsonb_array_length(actions) > 10
       OR jsonb_path_exists(actions, '$[*] ? (!exists(@.kind) || @.kind != "email.send" &&
           @.kind != "sms.send" && @.kind != "webhook.deliver" && @.kind != "analytics.slack" ||
           !exists(@.payload) || @.payload.type() != "object")') THEN
        RAISE EXCEPTION 'actions: expected an array of at most 10 {"kind", "payload"}, the kind '
            'one of email.send, sms.send, webhook.deliver, analytics.slack'
            USING ERRCODE = 'LQ001';
    END IF;
    IF condition = 'anomaly' AND value <= 0 THEN
        RAISE EXCEPTION 'value: expected more than 0 standard deviations, got %', value
            USING ERRCODE = 'LQ001';
    END IF;
    INSERT INTO analytics.alert_rule AS r (tenant_id, name, type, venue, currency, measure,
        condition, direction, span, value, actions, cool_down, enabled)
    VALUES (owner, name, code, venue, currency, measure, condition, direction, span, value,
        actions, cool_down, enabled)
    ON CONFLICT ON CONSTRAINT alert_rule_name_key DO UPDATE
    SET type = excluded.type, venue = excluded.venue, currency = excluded.currency,
        measure = excluded.measure, condition = excluded.condition,
        direction = excluded.direction, span = excluded.span, value = excluded.value,
        actions = excluded.actions, cool_down = excluded.cool_down, enabled = excluded.enabled
    RETURNING r.id INTO rule_id;
    RETURN rule_id;
EXCEPTION WHEN check_violation OR not_null_violation THEN
    RAISE EXCEPTION 'alert rule: expected a measure (events, quantity, amount), a condition '
        '(threshold, anomaly, trend), a direction (above, below), a span (1 hour, 24 hours, '
        '7 days), a cool-down of 1 minute to 30 days and a name of 1 to 128 letters, digits, '
        'spaces and _.:/-, got something else: %', SQLERRM USING ERRCODE = 'LQ001';
END
$$;

CREATE FUNCTION analytics.remove_alert_rule(tenant_id uuid, name text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
    DELETE FROM analytics.alert_rule r
    WHERE r.tenant_id = coalesce(remove_alert_rule.tenant_id,
                                 '00000000-0000-0000-0000-000000000000')
      AND r.name = remove_alert_rule.name;
    RETURN FOUND;
END
$$;

CREATE FUNCTION analytics.acknowledge_alert(id bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
    UPDATE analytics.alert a SET acknowledged_at = clock_timestamp()
    WHERE a.id = acknowledge_alert.id AND a.acknowledged_at IS NULL;
    RETURN FOUND;
END
$$;

-- What a rule measures in [since, until): from five-minute buckets for an hour, from hours else.
-- Index: bucket_pkey (tenant, size, type, time).
CREATE FUNCTION analytics.measured(
    r analytics.alert_rule, since timestamptz, until timestamptz, minutes smallint)
RETURNS numeric
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(sum(CASE r.measure WHEN 'events' THEN b.events WHEN 'quantity' THEN b.quantity
                                       ELSE b.amount END), 0)
    FROM analytics.bucket b
    WHERE b.tenant_id = r.tenant_id AND b.minutes = measured.minutes AND b.type = r.type
      AND b.begins_at >= since AND b.begins_at < until
      AND (r.venue IS NULL OR b.venue = r.venue)
      AND (r.currency IS NULL OR b.currency = r.currency)
$$;

-- What a rule sees at a time, over the latest whole span:
--   threshold  the measure against the rule's value
--   trend      the change against the span before, in percent, against the value; nothing while
--              that was zero
--   anomaly    the standard score z = (x - mean) / deviation of the measure against the same span
--              of the 14 days before (1 hour, 24 hours) or 8 weeks (7 days), where the deviation
--              is the sample's, at least 1 (NIST/SEMATECH e-Handbook of Statistical Methods,
--              1.3.5.17). Nothing before 5 of them lie after the rule's first bucket.
CREATE FUNCTION analytics.judge(
    r analytics.alert_rule, at timestamptz,
    OUT value numeric, OUT expected numeric, OUT fires boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_variable
DECLARE
    size smallint := CASE WHEN r.span = interval '1 hour' AND r.condition <> 'anomaly'
                          THEN 5 ELSE 60 END;
    until timestamptz := date_bin(size * interval '1 minute', at, timestamptz 'epoch');
    step interval := CASE WHEN r.span = interval '7 days' THEN interval '7 days'
                          ELSE interval '1 day' END;
    samples integer := CASE WHEN r.span = interval '7 days' THEN 8 ELSE 14 END;
    begun timestamptz;
    deviation numeric;
    found bigint;
    score numeric;
BEGIN
    value := analytics.measured(r, until - r.span, until, size);
    IF r.condition = 'threshold' THEN
        expected := r.value;
        fires := CASE r.direction WHEN 'above' THEN value > r.value ELSE value < r.value END;
        RETURN;
    END IF;
    IF r.condition = 'trend' THEN
        expected := analytics.measured(r, until - 2 * r.span, until - r.span, size);
        score := 100 * (value - expected) / nullif(expected, 0);
        fires := coalesce(CASE r.direction WHEN 'above' THEN score > r.value
                                           ELSE score < -r.value END, false);
        RETURN;
    END IF;
    SELECT min(b.begins_at) INTO begun FROM analytics.bucket b
    WHERE b.tenant_id = r.tenant_id AND b.minutes = 60 AND b.type = r.type;
    SELECT avg(x.value), coalesce(stddev_samp(x.value), 0), count(*)
    INTO expected, deviation, found
    FROM (SELECT analytics.measured(r, until - n * step - r.span, until - n * step, size)
          FROM generate_series(1, samples) n
          WHERE until - n * step - r.span >= begun) x (value);
    score := (value - expected) / greatest(deviation, 1);
    fires := found >= 5 AND CASE r.direction WHEN 'above' THEN score > r.value
                                             ELSE score < -r.value END;
    expected := round(coalesce(expected, 0), 2);
END
$$;

CREATE FUNCTION analytics.fire_alert(
    r analytics.alert_rule, at timestamptz, value numeric, expected numeric) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    alert_id bigint := nextval(pg_get_serial_sequence('analytics.alert', 'id'));
    action record;
    body text;
    jobs bigint[] := '{}';
BEGIN
    FOR action IN
        SELECT a.item ->> 'kind' AS kind, (a.item -> 'payload')::text AS payload, a.n
        FROM jsonb_array_elements(r.actions) WITH ORDINALITY a (item, n) ORDER BY a.n
    LOOP
        -- None of what is put in can end a JSON string: names have no quotes or backslashes.
        body := replace(action.payload, '{{rule}}', r.name);
        body := replace(body, '{{measure}}', r.measure);
        body := replace(body, '{{value}}', value::text);
        body := replace(body, '{{expected}}', expected::text);
        body := replace(body, '{{span}}', CASE r.span WHEN interval '1 hour' THEN '1h'
                                                      WHEN interval '7 days' THEN '7d'
                                                      ELSE '24h' END);
        body := replace(body, '{{at}}',
                        to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'));
        jobs := jobs || queue.enqueue(action.kind, body::jsonb,
            tenant_id => nullif(r.tenant_id, '00000000-0000-0000-0000-000000000000'),
            idempotency_key => format('analytics.alert:%s:%s', alert_id, action.n));
    END LOOP;
    INSERT INTO analytics.alert (id, tenant_id, rule_id, rule, fired_at, value, expected, jobs)
    OVERRIDING SYSTEM VALUE
    VALUES (alert_id, r.tenant_id, r.id, r.name, at, value, expected, jobs);
END
$$;

-- Evaluates the enabled rules (of one tenant, or all) that are not cooling down and fires those
-- whose condition holds: the alert and its jobs are of this transaction, so of the finish of the
-- job that calls this. A rule that fails says so in its `error` and does not keep others from
-- firing. Returns how many fired. Locks the rules in the order of their ids; passes over those
-- that somebody else has.
CREATE FUNCTION analytics.check_alerts(
    tenant_id uuid DEFAULT NULL, at timestamptz DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    at_now timestamptz := coalesce(at, clock_timestamp());
    r analytics.alert_rule;
    seen record;
    fired bigint := 0;
BEGIN
    FOR r IN
        SELECT x.* FROM analytics.alert_rule x
        WHERE x.enabled
          AND (check_alerts.tenant_id IS NULL OR x.tenant_id = check_alerts.tenant_id)
          AND (x.fired_at IS NULL OR x.fired_at + x.cool_down <= at_now)
        ORDER BY x.id FOR NO KEY UPDATE SKIP LOCKED
    LOOP
        BEGIN
            SELECT j.* INTO seen FROM analytics.judge(r, at_now) j;
            IF seen.fires THEN
                PERFORM analytics.fire_alert(r, at_now, seen.value, seen.expected);
                fired := fired + 1;
            END IF;
            UPDATE analytics.alert_rule x
            SET checked_at = at_now, last_value = seen.value, error = NULL,
                fired_at = CASE WHEN seen.fires THEN at_now ELSE x.fired_at END
            WHERE x.id = r.id;
        EXCEPTION WHEN OTHERS THEN
            UPDATE analytics.alert_rule x SET checked_at = at_now, error = SQLERRM
            WHERE x.id = r.id;
        END;
    END LOOP;
    RETURN fired;
END
$$;
