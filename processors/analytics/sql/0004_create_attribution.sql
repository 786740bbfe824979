-- breaking: no
-- Which channel a purchase is credited to, by five models. Computed here alone, by the job
-- analytics.attribution.

-- Weights of the model 'channel', in hundredths. Channels that are not listed weigh as 'direct'.
CREATE TABLE analytics.channel_weight (
    channel text COLLATE "C" PRIMARY KEY,
    weight integer NOT NULL CHECK (weight BETWEEN 1 AND 1000000)
);
INSERT INTO analytics.channel_weight (channel, weight) VALUES
    ('organic', 30), ('paid_search', 25), ('social', 20), ('email', 15), ('direct', 10);

-- What of a purchase each channel is credited with. The rows of a purchase and model add up to its
-- amount; `orders` is the share of the purchase itself, so that it can be counted by channel.
CREATE TABLE analytics.attribution_share (
    tenant_id uuid NOT NULL,
    ordered_at timestamptz NOT NULL,
    event_key uuid NOT NULL,
    model text COLLATE "C" NOT NULL,
    channel text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    amount bigint NOT NULL,
    orders numeric NOT NULL,
    CONSTRAINT attribution_share_pkey PRIMARY KEY (
        tenant_id, ordered_at, event_key, model, channel),
    CONSTRAINT attribution_share_model_valid CHECK (
        model IN ('first', 'last', 'linear', 'time_decay', 'channel'))
);
CREATE INDEX attribution_share_age ON analytics.attribution_share (ordered_at);

-- Credits the purchases of a tenant made in [since, until), in place of what was there; touches go
-- back `lookback` from each purchase.
--
-- A purchase's touches are the page views and cart updates of its customer that name a channel, up
-- to its own time, and its own channel as the last. Without any it is 'direct'. A touch may be
-- credited for several purchases. Weight of a touch, w:
--   first, last  1 for that touch, else 0 (at the same time by event key, the purchase itself last)
--   linear       1
--   time_decay   2 ^ (-age / 7 days), the exponential decay of half-life 7 days, in billionths
--   channel      analytics.channel_weight
-- A channel's share is amount x (sum of its w) / (sum of all w), rounded down; the minor units left
-- go one each to the largest remainders (Hamilton's method), in a tie by name. All in integers, so
-- the shares add up to the amount to the last unit.
-- Returns the purchases credited. Locks: one at a time per tenant. Reads the partitions from
-- `since - lookback` on.
CREATE FUNCTION analytics.attribute(
    tenant_id uuid, since timestamptz, until timestamptz, lookback interval DEFAULT '30 days')
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET jit = off
-- Days of events have no statistics yet when they are read first: one row is expected, and loops
-- inside loops are planned.
SET enable_nestloop = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_variable
DECLARE
    credited bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('analytics.attribution ' || tenant_id, 0));
    DELETE FROM analytics.attribution_share a
    WHERE a.tenant_id = attribute.tenant_id AND a.ordered_at >= since AND a.ordered_at < until;
    WITH purchase AS MATERIALIZED (
        SELECT e.event_key, e.occurred_at, e.amount, e.currency, e.customer, e.channel
        FROM analytics.event e
        WHERE e.tenant_id = attribute.tenant_id AND e.type = 1
          AND e.occurred_at >= since AND e.occurred_at < until
    ), touch AS (
        SELECT p.event_key, t.channel, t.occurred_at AS at, false AS own, t.event_key AS touch_key,
            p.occurred_at AS ordered_at
        FROM purchase p JOIN analytics.event t
          ON t.customer = p.customer AND t.occurred_at <= p.occurred_at
             AND t.occurred_at > p.occurred_at - lookback
        WHERE t.tenant_id = attribute.tenant_id AND t.type IN (3, 4) AND t.channel <> ''
          AND t.occurred_at > since - lookback AND t.occurred_at < until
        UNION ALL
        SELECT p.event_key, p.channel, p.occurred_at, true, p.event_key, p.occurred_at
        FROM purchase p WHERE p.channel <> ''
    ), touched AS (
        SELECT t.event_key, t.channel, t.at, t.ordered_at,
            row_number() OVER (PARTITION BY t.event_key ORDER BY t.at, t.own, t.touch_key) AS n,
            count(*) OVER (PARTITION BY t.event_key) AS touches
        FROM touch t
        UNION ALL
        SELECT p.event_key, 'direct', p.occurred_at, p.occurred_at, 1, 1
        FROM purchase p WHERE NOT EXISTS (SELECT FROM touch t WHERE t.event_key = p.event_key)
    ), weighed AS (
        SELECT t.event_key, m.model, t.channel, sum(CASE m.model
            WHEN 'first' THEN (t.n = 1)::integer
            WHEN 'last' THEN (t.n = t.touches)::integer
            WHEN 'linear' THEN 1
            WHEN 'time_decay' THEN round(1e9::float8 * power(2::float8,
                -extract(epoch FROM t.ordered_at - t.at)::float8 / 604800))::bigint
            ELSE coalesce(w.weight, 10) END) AS weight
        FROM touched t
        CROSS JOIN (VALUES ('first'), ('last'), ('linear'), ('time_decay'), ('channel')) m (model)
        LEFT JOIN analytics.channel_weight w ON w.channel = t.channel
        GROUP BY 1, 2, 3
    ), divided AS (
        SELECT w.event_key, w.model, w.channel, p.occurred_at, p.currency, p.amount,
            w.weight, sum(w.weight) OVER one AS total,
            div(p.amount * w.weight, sum(w.weight) OVER one) AS floored,
            mod(p.amount * w.weight, sum(w.weight) OVER one) AS remainder
        FROM weighed w JOIN purchase p ON p.event_key = w.event_key
        WHERE w.weight > 0
        WINDOW one AS (PARTITION BY w.event_key, w.model)
    )
    INSERT INTO analytics.attribution_share (
        tenant_id, ordered_at, event_key, model, channel, currency, amount, orders)
    SELECT attribute.tenant_id, d.occurred_at, d.event_key, d.model, d.channel, d.currency,
        d.floored + (row_number() OVER (PARTITION BY d.event_key, d.model
                                        ORDER BY d.remainder DESC, d.channel)
                     <= d.amount - sum(d.floored) OVER (PARTITION BY d.event_key, d.model)
                    )::integer,
        round(d.weight / d.total, 6)
    FROM divided d;
    SELECT count(DISTINCT a.event_key) INTO credited FROM analytics.attribution_share a
    WHERE a.tenant_id = attribute.tenant_id AND a.ordered_at >= since AND a.ordered_at < until;
    RETURN credited;
END
$$;

CREATE VIEW analytics.attribution WITH (security_invoker = true) AS
SELECT a.tenant_id, (a.ordered_at AT TIME ZONE 'UTC')::date AS day, a.model, a.channel, a.currency,
    sum(a.amount) AS amount, sum(a.orders) AS orders
FROM analytics.attribution_share a GROUP BY 1, 2, 3, 4, 5;

-- The same for one day (UTC), so many days ago; 0 is today.
CREATE FUNCTION analytics.attribute_day(tenant_id uuid, days_ago integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
    SELECT analytics.attribute(
        attribute_day.tenant_id, (current_date - days_ago)::timestamptz,
        (current_date - days_ago + 1)::timestamptz)
$$;
