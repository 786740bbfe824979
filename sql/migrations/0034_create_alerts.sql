-- breaking: no
-- Alerts: what a rule found wrong, until it is right again, and who was told. See docs/alerts.md.

CREATE TABLE queue.alert (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule text COLLATE "C" NOT NULL,
    -- What it is about: a queue, a limit; empty when there is one of it only.
    subject text COLLATE "C" NOT NULL,
    severity text COLLATE "C" NOT NULL,
    summary text NOT NULL,
    value double precision,
    threshold double precision,
    raised_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    resolved_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    note text,
    notified_at timestamptz,
    notices integer NOT NULL DEFAULT 0,
    -- Channels that are to be told and have not been.
    pending text[] COLLATE "C" NOT NULL DEFAULT '{}',
    failed_tries integer NOT NULL DEFAULT 0,
    CONSTRAINT alert_severity_valid CHECK (severity IN ('critical', 'warning', 'info'))
);
-- One that goes on is one alert, however often it is seen.
CREATE UNIQUE INDEX alert_open_key ON queue.alert (rule, subject) WHERE resolved_at IS NULL;
CREATE INDEX alert_resolved_at_idx ON queue.alert (resolved_at) WHERE resolved_at IS NOT NULL;
COMMENT ON TABLE queue.alert IS 'What rules found wrong; kept for 7 days after it was right again';

CREATE VIEW queue.alerts WITH (security_invoker = true) AS
SELECT a.id, a.rule, a.subject, a.severity,
       CASE WHEN a.resolved_at IS NOT NULL THEN 'resolved'
            WHEN a.acknowledged_at IS NOT NULL THEN 'acknowledged'
            ELSE 'firing' END AS state,
       a.summary, a.value, a.threshold, a.raised_at, a.seen_at, a.resolved_at, a.acknowledged_at,
       a.acknowledged_by, a.note, a.notified_at, a.notices, a.pending
FROM queue.alert a;
COMMENT ON VIEW queue.alerts IS 'Alerts, those that go on and those that are over';

-- Brings the alerts to what was found just now: raises what is new, notes what goes on, and ends
-- what is not found any more. `firing` is an array of {rule, subject, severity, summary, value,
-- threshold, channels: [..], cool_down: seconds}. The channels are to be told of an alert that
-- nobody has acknowledged when they have not been for its cool-down, and the same holds when it
-- ends and comes again. Returns how many began and ended. For the one process that evaluates.
CREATE FUNCTION queue.update_alerts(firing jsonb, now_time timestamptz DEFAULT NULL)
RETURNS TABLE (raised bigint, resolved bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    at timestamptz := coalesce(update_alerts.now_time, clock_timestamp());
    began bigint;
    ended bigint;
BEGIN
    WITH gone AS (
        UPDATE queue.alert a
        SET resolved_at = at, pending = '{}'
        WHERE a.resolved_at IS NULL
          AND NOT EXISTS (SELECT FROM jsonb_to_recordset(update_alerts.firing)
                                      f (rule text, subject text)
                          WHERE f.rule = a.rule AND coalesce(f.subject, '') = a.subject)
        RETURNING 1)
    SELECT count(*) INTO ended FROM gone;
    WITH each AS (
        SELECT f.rule, coalesce(f.subject, '') AS subject, f.severity, f.summary, f.value,
               f.threshold, coalesce(f.channels, '{}') AS channels,
               make_interval(secs => coalesce(f.cool_down, 3600)) AS cool_down
        FROM jsonb_to_recordset(update_alerts.firing) f (
            rule text, subject text, severity text, summary text, value double precision,
            threshold double precision, channels text[], cool_down double precision)),
    due AS (
        SELECT e.*, cardinality(e.channels) > 0 AND NOT EXISTS (
                   SELECT FROM queue.alert a
                   WHERE a.rule = e.rule AND a.subject = e.subject
                     AND ((a.resolved_at IS NULL AND a.acknowledged_at IS NOT NULL)
                          OR a.notified_at > at - e.cool_down)) AS tell
        FROM each e),
    put AS (
        INSERT INTO queue.alert AS a (
            rule, subject, severity, summary, value, threshold, raised_at, seen_at, notified_at,
            notices, pending)
        SELECT d.rule, d.subject, d.severity, d.summary, d.value, d.threshold, at, at,
               CASE WHEN d.tell THEN at END, d.tell::integer,
               CASE WHEN d.tell THEN d.channels ELSE '{}' END
        FROM due d
        ON CONFLICT (rule, subject) WHERE resolved_at IS NULL DO UPDATE
        SET severity = excluded.severity, summary = excluded.summary, value = excluded.value,
            threshold = excluded.threshold, seen_at = excluded.seen_at,
            notified_at = coalesce(excluded.notified_at, a.notified_at),
            notices = a.notices + excluded.notices,
            failed_tries = CASE WHEN excluded.notices > 0 THEN 0 ELSE a.failed_tries END,
            pending = CASE WHEN excluded.notices > 0 THEN excluded.pending ELSE a.pending END
        RETURNING a.raised_at = at AS is_new)
    SELECT count(*) FILTER (WHERE p.is_new) INTO began FROM put p;
    RETURN QUERY SELECT began, ended;
END
$$;

-- A channel was told, or could not be: after so many tries nobody tries again until the next
-- cool-down.
CREATE FUNCTION queue.note_alert_told(id bigint, channel text, told boolean) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE queue.alert a
    SET pending = CASE WHEN note_alert_told.told OR a.failed_tries >= 20
                       THEN array_remove(a.pending, note_alert_told.channel COLLATE "C")
                       ELSE a.pending END,
        failed_tries = a.failed_tries + (NOT note_alert_told.told)::integer
    WHERE a.id = note_alert_told.id
$$;

-- Somebody knows: no channel is told any more while it goes on. Returns the alert.
CREATE FUNCTION queue.acknowledge_alert(id bigint, by_whom text, note text DEFAULT NULL)
RETURNS SETOF queue.alerts
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    PERFORM queue.refuse_tenant('alerts');
    IF octet_length(coalesce(acknowledge_alert.note, '')) > 1000
       OR octet_length(coalesce(acknowledge_alert.by_whom, '')) > 200 THEN
        RAISE EXCEPTION 'note and name: expected at most 1000 and 200 bytes'
            USING ERRCODE = 'LQ001';
    END IF;
    PERFORM FROM queue.alert a WHERE a.id = acknowledge_alert.id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no alert %', acknowledge_alert.id USING ERRCODE = 'LQ005';
    END IF;
    UPDATE queue.alert a
    SET acknowledged_at = coalesce(a.acknowledged_at, clock_timestamp()),
        acknowledged_by = coalesce(a.acknowledged_by, acknowledge_alert.by_whom),
        note = coalesce(acknowledge_alert.note, a.note), pending = '{}'
    WHERE a.id = acknowledge_alert.id AND a.resolved_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'alert % is over', acknowledge_alert.id USING ERRCODE = 'LQ006';
    END IF;
    PERFORM queue.record_action('alerts.acknowledge', acknowledge_alert.id::text);
    RETURN QUERY SELECT a.* FROM queue.alerts a WHERE a.id = acknowledge_alert.id;
END
$$;
COMMENT ON FUNCTION queue.acknowledge_alert IS
    'Somebody takes care of it: no more notices while it goes on.';

-- Removes alerts that were over more than 7 days ago, at most so many.
CREATE FUNCTION queue.prune_alerts(now_time timestamptz, most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH old AS (
        SELECT a.id FROM queue.alert a
        WHERE a.resolved_at < coalesce(prune_alerts.now_time, now()) - interval '7 days'
        ORDER BY a.resolved_at
        LIMIT prune_alerts.most),
    gone AS (
        DELETE FROM queue.alert a USING old o WHERE a.id = o.id RETURNING 1)
    SELECT count(*) FROM gone
$$;

-- They are of the whole installation: who is kept to one tenant sees none.
SELECT queue.protect('queue.alert', 'false'), queue.protect('queue.alerts', 'true');
SELECT queue.allow('operator', 'queue.acknowledge_alert');
SELECT queue.apply_rights();
