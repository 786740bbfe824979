-- breaking: no
-- Events and what is counted of them. One statement, analytics.ingest, writes both: an event is
-- either stored and counted in all four buckets, or neither.

-- The types in the order of their codes. Payloads and views have the names.
CREATE TABLE analytics.event_type (
    code smallint PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE
);
INSERT INTO analytics.event_type (code, name) VALUES
    (1, 'ticket-purchase'), (2, 'ticket-scan'), (3, 'page-view'), (4, 'cart-update'),
    (5, 'venue-update');

-- One row. Set with plain UPDATEs by whoever operates the database; read by prune and ingest.
CREATE TABLE analytics.setting (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    keep_events interval NOT NULL DEFAULT '30 days',
    keep_minutes interval NOT NULL DEFAULT '2 days',       -- buckets of 1 minute
    keep_five_minutes interval NOT NULL DEFAULT '14 days',
    keep_hours interval NOT NULL DEFAULT '400 days',
    keep_days interval NOT NULL DEFAULT '3650 days',
    keep_rejected interval NOT NULL DEFAULT '30 days',
    keep_alerts interval NOT NULL DEFAULT '90 days',
    -- Days before this one are gone and with them the memory of which events were counted, so
    -- nothing is taken in for them any more. Moved by analytics.prune alone.
    events_from date NOT NULL DEFAULT '1970-01-01',
    CONSTRAINT setting_keeps_something CHECK (
        keep_events >= interval '1 day' AND keep_minutes > interval '0'
        AND keep_five_minutes > interval '0' AND keep_hours > interval '0'
        AND keep_days > interval '0' AND keep_rejected > interval '0'
        AND keep_alerts > interval '0')
);
INSERT INTO analytics.setting DEFAULT VALUES;

-- Events as they came, without what identifies a person: `customer` is the first half of
-- HMAC-SHA256 under the installation's key. One partition per day (UTC) of the event's time, made
-- by ingest, dropped by prune. Each partition has a unique index on (tenant_id, event_key): an
-- event is known again within the day it happened.
CREATE TABLE analytics.event (
    tenant_id uuid NOT NULL,
    event_key uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    amount bigint NOT NULL,             -- minor units of `currency`
    quantity integer NOT NULL,
    type smallint NOT NULL,
    customer uuid,
    venue text COLLATE "C" NOT NULL,    -- '' without one, as in the two below
    channel text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    reference text COLLATE "C"          -- order, ticket, cart or page
) PARTITION BY RANGE (occurred_at);

-- Counts and sums by tenant, size, time, type, venue and currency. `minutes` is the size: 1, 5, 60
-- or 1440; buckets begin at multiples of it in UTC. The tenant of jobs without one is all zeros.
CREATE TABLE analytics.bucket (
    tenant_id uuid NOT NULL,
    minutes smallint NOT NULL,
    type smallint NOT NULL,
    begins_at timestamptz NOT NULL,
    venue text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    events bigint NOT NULL,
    quantity bigint NOT NULL,
    amount numeric NOT NULL,            -- numeric: a sum of bigints must not overflow
    CONSTRAINT bucket_pkey PRIMARY KEY (tenant_id, minutes, type, begins_at, venue, currency),
    CONSTRAINT bucket_minutes_valid CHECK (minutes IN (1, 5, 60, 1440))
) WITH (fillfactor = 80);
-- For prune.
CREATE INDEX bucket_age ON analytics.bucket (minutes, begins_at);

-- What is known of a customer's purchases, per currency; outlives the events. Source of scores.
CREATE TABLE analytics.customer (
    tenant_id uuid NOT NULL,
    customer uuid NOT NULL,
    currency text COLLATE "C" NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    orders bigint NOT NULL,
    amount numeric NOT NULL,
    CONSTRAINT customer_pkey PRIMARY KEY (tenant_id, currency, customer)
) WITH (fillfactor = 80);

-- Events that were well formed and are not counted, with the reason: 'late', 'ahead', 'pruned'.
CREATE TABLE analytics.rejected (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rejected_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    tenant_id uuid NOT NULL,
    event_key uuid NOT NULL,
    type smallint NOT NULL,
    occurred_at timestamptz NOT NULL,
    reason text COLLATE "C" NOT NULL
);
CREATE INDEX rejected_age ON analytics.rejected (rejected_at);

-- Makes the partition of a day. Safe beside others that do the same and beside readers: the table
-- is made apart and attached, which does not wait for running statements.
CREATE FUNCTION analytics.open_day(day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name text := 'event_' || to_char(open_day.day, 'YYYYMMDD');
    low text := quote_literal(to_char(open_day.day, 'YYYY-MM-DD') || ' 00:00:00+00');
    high text := quote_literal(to_char(open_day.day + 1, 'YYYY-MM-DD') || ' 00:00:00+00');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('analytics.open_day', 0));
    IF to_regclass('analytics.' || name) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE analytics.%I (LIKE analytics.event, '
                   'CHECK (occurred_at >= %s AND occurred_at < %s))', name, low, high);
    EXECUTE format('CREATE UNIQUE INDEX %I ON analytics.%I (event_key)', name || '_key', name);
    EXECUTE format('ALTER TABLE analytics.event ATTACH PARTITION analytics.%I '
                   'FOR VALUES FROM (%s) TO (%s)', name, low, high);
END
$$;

-- What an event is known by: producers name it by an id of theirs, unique within the tenant.
CREATE FUNCTION analytics.event_key(tenant_id uuid, id text) RETURNS uuid
LANGUAGE sql IMMUTABLE
AS $$
    SELECT encode(substring(
        sha256(convert_to(coalesce(tenant_id, '00000000-0000-0000-0000-000000000000')::text
                          || E'\n' || id, 'UTF8')) FROM 1 FOR 16), 'hex')::uuid
$$;

-- Takes in events: element n of every array is event n, `times` in microseconds since 1970 UTC.
-- Returns how many were stored and counted; the others were known already, or are listed in
-- analytics.rejected because their day is gone. Part of the transaction that finishes their jobs.
-- Index: the partitions' (event_key), in its order; bucket_pkey and customer_pkey in theirs.
-- Locks: one at a time (advisory, to the end of the transaction), because a transaction may hold
-- several of these, and rows locked in order by each are not in order by both.
CREATE FUNCTION analytics.ingest(
    tenants uuid[], keys uuid[], times bigint[], types smallint[], quantities integer[],
    amounts bigint[], customers uuid[], venues text[], channels text[], currencies text[],
    refs text[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET jit = off
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    microseconds_per_day CONSTANT bigint := 86400000000;
    from_day date;
    least_at bigint;
    missing date;
    counted bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('analytics.ingest', 0));
    SELECT s.events_from INTO from_day FROM analytics.setting s;
    least_at := (from_day - date '1970-01-01') * microseconds_per_day;
    FOR missing IN
        SELECT date '1970-01-01' + d.day FROM (
            SELECT DISTINCT (t.at / microseconds_per_day)::integer FROM unnest(times) t (at)
            WHERE t.at >= least_at) d (day)
        WHERE to_regclass('analytics.event_' || to_char(date '1970-01-01' + d.day, 'YYYYMMDD'))
            IS NULL
    LOOP
        PERFORM analytics.open_day(missing);
    END LOOP;
    IF from_day > date '1970-01-01' THEN
        INSERT INTO analytics.rejected (tenant_id, event_key, type, occurred_at, reason)
        SELECT g.tenant, g.key, g.type, timestamptz 'epoch' + g.at * interval '1 microsecond',
            'pruned'
        FROM unnest(tenants, keys, types, times) g (tenant, key, type, at)
        WHERE g.at < least_at;
    END IF;
    WITH stored AS (
        INSERT INTO analytics.event (
            tenant_id, event_key, occurred_at, amount, quantity, type, customer, venue, channel,
            currency, reference)
        SELECT g.tenant, g.key, timestamptz 'epoch' + g.at * interval '1 microsecond',
            g.amount, g.quantity, g.type, g.customer, g.venue, g.channel, g.currency, g.reference
        FROM unnest(tenants, keys, times, types, quantities, amounts, customers, venues, channels,
                    currencies, refs) g (
            tenant, key, at, type, quantity, amount, customer, venue, channel, currency,
            reference)
        WHERE g.at >= least_at
        ORDER BY g.key
        ON CONFLICT DO NOTHING
        RETURNING tenant_id, occurred_at, amount, quantity, type, customer, venue, currency
    ), minute AS (
        SELECT s.tenant_id, s.type, date_trunc('minute', s.occurred_at) AS begins_at, s.venue,
            s.currency, count(*) AS events, sum(s.quantity) AS quantity, sum(s.amount) AS amount
        FROM stored s GROUP BY 1, 2, 3, 4, 5
    ), bucketed AS (
        INSERT INTO analytics.bucket AS b (
            tenant_id, minutes, type, begins_at, venue, currency, events, quantity, amount)
        SELECT m.tenant_id, size.minutes, m.type,
            date_bin(size.minutes * interval '1 minute', m.begins_at, timestamptz 'epoch'),
            m.venue, m.currency, sum(m.events), sum(m.quantity), sum(m.amount)
        FROM minute m, (VALUES (1::smallint), (5), (60), (1440)) size (minutes)
        GROUP BY 1, 2, 3, 4, 5, 6
        ON CONFLICT (tenant_id, minutes, type, begins_at, venue, currency) DO UPDATE
        SET events = b.events + excluded.events, quantity = b.quantity + excluded.quantity,
            amount = b.amount + excluded.amount
    ), purchased AS (
        INSERT INTO analytics.customer AS c (
            tenant_id, customer, currency, first_at, last_at, orders, amount)
        SELECT s.tenant_id, s.customer, s.currency, min(s.occurred_at), max(s.occurred_at),
            count(*), sum(s.amount)
        FROM stored s WHERE s.type = 1 AND s.customer IS NOT NULL
        GROUP BY 1, 2, 3
        ON CONFLICT (tenant_id, currency, customer) DO UPDATE
        SET first_at = least(c.first_at, excluded.first_at),
            last_at = greatest(c.last_at, excluded.last_at),
            orders = c.orders + excluded.orders, amount = c.amount + excluded.amount
    )
    SELECT coalesce(sum(m.events), 0) INTO counted FROM minute m;
    RETURN counted;
END
$$;

-- Lists events that the processor did not take in: too old, or too far ahead of the clock.
CREATE FUNCTION analytics.reject(
    tenants uuid[], keys uuid[], types smallint[], times bigint[], reasons text[]) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH listed AS (
        INSERT INTO analytics.rejected (tenant_id, event_key, type, occurred_at, reason)
        SELECT g.tenant, g.key, g.type, timestamptz 'epoch' + g.at * interval '1 microsecond',
            g.reason
        FROM unnest(tenants, keys, types, times, reasons) g (tenant, key, type, at, reason)
        RETURNING id
    )
    SELECT count(*) FROM listed
$$;
