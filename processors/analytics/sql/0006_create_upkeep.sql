-- breaking: no
-- What runs by itself: retention, and a job per tenant for what is computed over night.

-- Removes what its setting no longer keeps: whole days of events, then at most `most` rows of each
-- table. Returns what went by name; 'more' is true while some is left. Called by the job
-- analytics.prune, once a day by its schedule. Day partitions that are in use stay until the next
-- call: dropping waits a second for readers, and for no one to take in events.
CREATE FUNCTION analytics.prune(most integer DEFAULT 10000, at timestamptz DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET enable_seqscan = off
AS $$
#variable_conflict use_variable
DECLARE
    at_now timestamptz := coalesce(at, clock_timestamp());
    s analytics.setting;
    keep_from date;
    partition text;
    days integer := 0;
    buckets bigint := 0;
    gone bigint;
    size record;
    rejected bigint;
    shares bigint;
    alerts bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('analytics.ingest', 0));
    SELECT x.* INTO s FROM analytics.setting x;
    keep_from := (at_now - s.keep_events)::date;
    BEGIN
        PERFORM set_config('lock_timeout', '1s', true);
        UPDATE analytics.setting x SET events_from = keep_from WHERE x.events_from < keep_from;
        FOR partition IN
            SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'analytics.event'::regclass
              AND c.relname < 'event_' || to_char(keep_from, 'YYYYMMDD')
            ORDER BY c.relname
        LOOP
            EXECUTE format('DROP TABLE analytics.%I', partition);
            days := days + 1;
        END LOOP;
        PERFORM set_config('lock_timeout', '0', true);
    EXCEPTION WHEN lock_not_available THEN
        days := 0;
    END;
    FOR size IN
        SELECT * FROM (VALUES (1::smallint, s.keep_minutes), (5, s.keep_five_minutes),
                              (60, s.keep_hours), (1440, s.keep_days)) v (minutes, keep)
    LOOP
        DELETE FROM analytics.bucket b WHERE b.ctid = ANY (ARRAY(
            SELECT x.ctid FROM analytics.bucket x
            WHERE x.minutes = size.minutes
              AND x.begins_at + size.minutes * interval '1 minute' <= at_now - size.keep
            ORDER BY x.begins_at LIMIT most));
        GET DIAGNOSTICS gone = ROW_COUNT;
        buckets := buckets + gone;
    END LOOP;
    DELETE FROM analytics.rejected r WHERE r.id = ANY (ARRAY(
        SELECT x.id FROM analytics.rejected x
        WHERE x.rejected_at <= at_now - s.keep_rejected ORDER BY x.rejected_at LIMIT most));
    GET DIAGNOSTICS rejected = ROW_COUNT;
    DELETE FROM analytics.attribution_share a WHERE a.ctid = ANY (ARRAY(
        SELECT x.ctid FROM analytics.attribution_share x
        WHERE x.ordered_at <= at_now - s.keep_hours ORDER BY x.ordered_at LIMIT most));
    GET DIAGNOSTICS shares = ROW_COUNT;
    DELETE FROM analytics.alert a WHERE a.id = ANY (ARRAY(
        SELECT x.id FROM analytics.alert x
        WHERE x.fired_at <= at_now - s.keep_alerts ORDER BY x.fired_at LIMIT most));
    GET DIAGNOSTICS alerts = ROW_COUNT;
    RETURN jsonb_build_object('days', days, 'buckets', buckets, 'rejected', rejected,
        'shares', shares, 'alerts', alerts,
        'more', buckets >= most OR rejected >= most OR shares >= most OR alerts >= most);
END
$$;

-- Enqueues one job of the kind for every tenant that has customers; how many.
CREATE FUNCTION analytics.for_each_tenant(kind text, payload jsonb DEFAULT '{}') RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT count(queue.enqueue(for_each_tenant.kind, for_each_tenant.payload, tenant_id =>
        nullif(t.tenant_id, '00000000-0000-0000-0000-000000000000')))
    FROM (WITH RECURSIVE tenant AS (
        (SELECT c.tenant_id FROM analytics.customer c ORDER BY c.tenant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT c.tenant_id FROM analytics.customer c WHERE c.tenant_id > t.tenant_id
                ORDER BY c.tenant_id LIMIT 1)
        FROM tenant t WHERE t.tenant_id IS NOT NULL
    ) SELECT x.tenant_id FROM tenant x WHERE x.tenant_id IS NOT NULL) t
$$;

-- Theirs to change or pause from here on (queue.pause_schedule, qctl schedules).
SELECT queue.schedule('analytics.alerts', '* * * * *', 'analytics.alerts', overlap => 'forbid');
SELECT queue.schedule('analytics.prune', '17 3 * * *', 'analytics.prune', overlap => 'forbid');
SELECT queue.schedule('analytics.scores', '40 3 * * *', 'analytics.scores',
                      '{"tenants": "all"}', overlap => 'forbid');
SELECT queue.schedule('analytics.attribution', '20 4 * * *', 'analytics.attribution',
                      '{"tenants": "all"}', overlap => 'forbid');
