-- breaking: no
-- Who was told that an alert fires is told when it is over. See docs/alerts.md.

ALTER TABLE queue.alert
    -- Channels that took a notice that it fires and none that it is over.
    ADD COLUMN told text[] COLLATE "C" NOT NULL DEFAULT '{}',
    -- When its end was to be told; once it is, one that comes again is news.
    ADD COLUMN end_told_at timestamptz,
    -- {channel: how often it could not be told}: one that is down uses up nobody else's tries.
    ADD COLUMN failed jsonb NOT NULL DEFAULT '{}',
    DROP COLUMN failed_tries;
COMMENT ON COLUMN queue.alert.pending IS
    'Channels still to be told: that it fires, or once it is resolved that it is over';
CREATE INDEX alert_untold_end_idx ON queue.alert (resolved_at)
WHERE resolved_at IS NOT NULL AND end_told_at IS NULL AND told <> '{}';
CREATE INDEX alert_pending_idx ON queue.alert (id) WHERE pending <> '{}';

-- Brings the alerts to what was found just now: raises what is new, notes what goes on, and ends
-- what is not found any more. `firing` is an array of {rule, subject, severity, summary, value,
-- threshold, channels: [..], cool_down: seconds}. The channels are to be told of an alert that
-- nobody has acknowledged when they have not been for its cool-down, and the same holds when it
-- ends and comes again. Of one that has been over for `end_after` those of `end_channels` are told
-- that were told before; from then on it is news when it comes again. One that comes again earlier
-- is the same to them: its end is told when that one is over. NULL: no end is told, which is what
-- processes want that know of none. Returns how many began and ended. For the one process that
-- evaluates.
DROP FUNCTION queue.update_alerts(jsonb, timestamptz);
CREATE FUNCTION queue.update_alerts(
    firing jsonb, now_time timestamptz DEFAULT NULL, end_after interval DEFAULT NULL,
    end_channels text[] DEFAULT NULL)
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
        SET resolved_at = at, pending = '{}', failed = '{}'
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
                          -- Of one that is over and that nobody took a notice of, nobody knows.
                          OR (a.notified_at > at - e.cool_down AND a.end_told_at IS NULL
                              AND (a.resolved_at IS NULL OR a.told <> '{}')))) AS tell
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
            failed = CASE WHEN excluded.notices > 0 THEN '{}' ELSE a.failed END,
            pending = CASE WHEN excluded.notices > 0 THEN excluded.pending ELSE a.pending END
        RETURNING a.raised_at = at AS is_new)
    SELECT count(*) FILTER (WHERE p.is_new) INTO began FROM put p;
    PERFORM queue.tell_alert_ends(at, update_alerts.end_after, update_alerts.end_channels);
    RETURN QUERY SELECT began, ended;
END
$$;

-- What came again takes over who was told of it before, and when; what has been over for long
-- enough is to be told. Internal: of update_alerts.
CREATE FUNCTION queue.tell_alert_ends(at timestamptz, end_after interval, end_channels text[])
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    WITH before AS (
        SELECT o.id, n.id AS heir, o.told, o.end_told_at, o.notified_at FROM queue.alert o
        JOIN queue.alert n ON n.rule = o.rule AND n.subject = o.subject AND n.resolved_at IS NULL
        WHERE o.resolved_at IS NOT NULL AND (o.told <> '{}' OR o.pending <> '{}')),
    -- An end that was not taken yet would be taken for this one's.
    emptied AS (
        UPDATE queue.alert o SET told = '{}', pending = '{}' FROM before b WHERE o.id = b.id),
    passed_on AS (
        SELECT b.heir, array_agg(DISTINCT c.channel) AS told,
               max(b.notified_at) AS notified_at
        FROM before b CROSS JOIN LATERAL unnest(b.told) c (channel)
        WHERE b.end_told_at IS NULL
        GROUP BY b.heir)
    UPDATE queue.alert n
    SET told = ARRAY(SELECT t.channel FROM unnest(n.told) t (channel)
                     UNION SELECT t.channel FROM unnest(p.told) t (channel)),
        notified_at = greatest(n.notified_at, p.notified_at)
    FROM passed_on p WHERE n.id = p.heir;

    IF end_after IS NULL OR end_channels IS NULL THEN
        RETURN;
    END IF;
    WITH lasting AS (
        SELECT DISTINCT o.rule, o.subject FROM queue.alert o
        WHERE o.resolved_at <= tell_alert_ends.at - end_after AND o.end_told_at IS NULL
          AND o.told <> '{}' AND o.told && (end_channels COLLATE "C")
          AND NOT EXISTS (SELECT FROM queue.alert n WHERE n.rule = o.rule
                                                     AND n.subject = o.subject
                                                     AND n.resolved_at IS NULL))
    UPDATE queue.alert a
    SET end_told_at = tell_alert_ends.at, failed = '{}',
        pending = ARRAY(SELECT t.channel FROM unnest(a.told) t (channel)
                        WHERE t.channel = ANY (end_channels COLLATE "C"))
    FROM lasting v
    WHERE a.rule = v.rule AND a.subject = v.subject AND a.end_told_at IS NULL;
END
$$;

-- A channel was told, or could not be: after 20 tries nobody tries it again until the next
-- cool-down. `is_end`: that it is over. A channel that was told that it fires while it ended is
-- told of its end as well.
DROP FUNCTION queue.note_alert_told(bigint, text, boolean);
CREATE FUNCTION queue.note_alert_told(
    id bigint, channel text, told boolean, is_end boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    of_channel text COLLATE "C" := note_alert_told.channel;
    tries integer;
    -- Nothing more is to be done about this notice.
    settled boolean;
BEGIN
    SELECT coalesce((a.failed ->> of_channel)::integer, 0) + (NOT note_alert_told.told)::integer
    INTO tries FROM queue.alert a WHERE a.id = note_alert_told.id FOR UPDATE;
    settled := note_alert_told.told OR tries > 20;
    UPDATE queue.alert a
    SET pending = CASE WHEN settled AND note_alert_told.is_end = (a.resolved_at IS NOT NULL)
                       THEN array_remove(a.pending, of_channel)
                       ELSE a.pending END,
        failed = CASE WHEN note_alert_told.told THEN a.failed - of_channel
                      ELSE a.failed || jsonb_build_object(of_channel, tries) END,
        told = CASE WHEN note_alert_told.told AND NOT note_alert_told.is_end
                    THEN array_remove(a.told, of_channel) || of_channel
                    WHEN settled AND note_alert_told.is_end
                    THEN array_remove(a.told, of_channel)
                    ELSE a.told END,
        end_told_at = CASE WHEN note_alert_told.told AND NOT note_alert_told.is_end
                           THEN NULL ELSE a.end_told_at END
    WHERE a.id = note_alert_told.id;
END
$$;

SELECT queue.apply_rights();
