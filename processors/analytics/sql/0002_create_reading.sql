-- breaking: no
-- Producing events by SQL and reading what was counted.

-- Enqueues one event in the caller's transaction: it is counted if and only if that commits.
-- `data` has what its type asks for (docs/processors/analytics.md); `id` makes it countable once
-- however often it is tracked. Returns the job's id.
CREATE FUNCTION analytics.track(
    type text, data jsonb DEFAULT '{}', id text DEFAULT NULL, at timestamptz DEFAULT NULL,
    tenant_id uuid DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_variable
BEGIN
    IF NOT EXISTS (SELECT FROM analytics.event_type t WHERE t.name = track.type) THEN
        RAISE EXCEPTION 'type: expected ticket-purchase, ticket-scan, page-view, cart-update or '
            'venue-update, got %', coalesce(quote_literal(left(type, 64)), 'NULL')
            USING ERRCODE = 'LQ001';
    END IF;
    IF jsonb_typeof(data) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'data: expected a JSON object, got %', coalesce(jsonb_typeof(data), 'NULL')
            USING ERRCODE = 'LQ001';
    END IF;
    RETURN queue.enqueue('analytics.event', data || jsonb_strip_nulls(jsonb_build_object(
        'type', type, 'id', id,
        'at', (extract(epoch FROM coalesce(at, clock_timestamp())) * 1000)::bigint)),
        tenant_id => tenant_id);
END
$$;

-- The same for an array of events, each an object with its `type`; jobs of 500 each.
CREATE FUNCTION analytics.track_many(events jsonb, tenant_id uuid DEFAULT NULL)
RETURNS SETOF bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
    IF jsonb_typeof(events) IS DISTINCT FROM 'array' THEN
        RAISE EXCEPTION 'events: expected a JSON array, got %',
            coalesce(jsonb_typeof(events), 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    RETURN QUERY
    SELECT queue.enqueue('analytics.batch',
        jsonb_build_object('events', jsonb_agg(e.event ORDER BY e.n)), tenant_id => tenant_id)
    FROM jsonb_array_elements(events) WITH ORDINALITY e (event, n)
    GROUP BY (e.n - 1) / 500 ORDER BY min(e.n);
END
$$;

CREATE VIEW analytics.buckets WITH (security_invoker = true) AS
SELECT b.tenant_id, b.minutes, t.name AS type, b.begins_at, b.venue, b.currency, b.events,
    b.quantity, b.amount
FROM analytics.bucket b JOIN analytics.event_type t ON t.code = b.type;

-- What was not counted and why, by day of arrival.
CREATE VIEW analytics.rejections WITH (security_invoker = true) AS
SELECT r.tenant_id, (r.rejected_at AT TIME ZONE 'UTC')::date AS day, t.name AS type, r.reason,
    count(*) AS events, min(r.occurred_at) AS earliest, max(r.occurred_at) AS latest
FROM analytics.rejected r JOIN analytics.event_type t ON t.code = r.type
GROUP BY 1, 2, 3, 4;

-- How many different customers (by hash) had such an event; exact, from the events themselves, so
-- only as far back as they are kept. Events without a customer are not counted.
CREATE FUNCTION analytics.distinct_customers(
    tenant_id uuid, type text, since timestamptz, until timestamptz) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT count(DISTINCT e.customer) FROM analytics.event e
    JOIN analytics.event_type t ON t.code = e.type
    WHERE e.tenant_id = distinct_customers.tenant_id AND t.name = distinct_customers.type
      AND e.occurred_at >= since AND e.occurred_at < until
$$;

-- The buckets of a day against a plain recount of its events: every row is a difference, so none
-- is what it should be. For a day whose buckets of the size are still kept. Reads the whole day.
CREATE FUNCTION analytics.check_buckets(day date)
RETURNS TABLE (tenant_id uuid, minutes smallint, type smallint, begins_at timestamptz, venue text,
               currency text, events_counted bigint, events_stored bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
    SELECT coalesce(b.tenant_id, e.tenant_id), coalesce(b.minutes, e.minutes),
        coalesce(b.type, e.type), coalesce(b.begins_at, e.begins_at), coalesce(b.venue, e.venue),
        coalesce(b.currency, e.currency), coalesce(b.events, 0), coalesce(e.events, 0)
    FROM (
        SELECT s.tenant_id, size.minutes, s.type, to_timestamp(
                floor(extract(epoch FROM s.occurred_at) / (60 * size.minutes)) * 60 * size.minutes)
            AS begins_at, s.venue, s.currency, count(*) AS events, sum(s.quantity) AS quantity,
            sum(s.amount) AS amount
        FROM analytics.event s, (VALUES (1::smallint), (5), (60), (1440)) size (minutes)
        WHERE s.occurred_at >= check_buckets.day AND s.occurred_at < check_buckets.day + 1
        GROUP BY 1, 2, 3, 4, 5, 6) e
    FULL JOIN (
        SELECT b.* FROM analytics.bucket b
        WHERE b.begins_at >= check_buckets.day AND b.begins_at < check_buckets.day + 1) b
    ON b.tenant_id = e.tenant_id AND b.minutes = e.minutes AND b.type = e.type
       AND b.begins_at = e.begins_at AND b.venue = e.venue AND b.currency = e.currency
    WHERE (b.events, b.quantity, b.amount) IS DISTINCT FROM (e.events, e.quantity, e.amount)
$$;
