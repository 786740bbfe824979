-- breaking: no
-- Scores of customers: recency, frequency and money in fifths, a segment, the chance that they
-- stay away, and what they are worth. Computed here alone, set by set, by the job
-- analytics.scores; the formulas are functions of their own, so that each can be tested by itself.

-- The nine segments. Every combination of fifths (1 to 5, 5 the best) has exactly one: the first
-- line that fits.
CREATE FUNCTION analytics.segment(recency integer, frequency integer, money integer) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE
        WHEN recency >= 4 AND frequency >= 4 AND money >= 4 THEN 'Champions'
        WHEN recency >= 3 AND frequency >= 4 THEN 'Loyal'
        WHEN recency <= 2 AND (frequency >= 3 OR money >= 4) THEN 'At Risk'
        WHEN recency >= 4 AND frequency >= 2 THEN 'Potential Loyalists'
        WHEN recency = 5 THEN 'New'
        WHEN recency = 4 THEN 'Recent'
        WHEN recency = 3 THEN 'Promising'
        WHEN recency = 2 THEN 'Hibernating'
        ELSE 'Lost' END
$$;

-- The chance that a customer does not come back: by days since the last purchase, and for every
-- purchase after the first 5 % of that less, down to a half.
CREATE FUNCTION analytics.churn(days integer, orders bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE
AS $$
    SELECT round((CASE WHEN days > 180 THEN 0.8 WHEN days > 90 THEN 0.6 WHEN days > 60 THEN 0.4
                       WHEN days > 30 THEN 0.2 ELSE 0.1 END)
                 * (1 - 0.05 * least(greatest(orders - 1, 0), 10)), 3)
$$;

-- Average order x orders per year x 3 years, in minor units. A customer of less than a year counts
-- as one of a year: two purchases in a week do not promise a hundred a year. A year is 365.25 days.
CREATE FUNCTION analytics.lifetime_value(
    amount numeric, orders bigint, first_at timestamptz, as_of timestamptz) RETURNS numeric
LANGUAGE sql IMMUTABLE
AS $$
    SELECT round(amount * 3 / greatest(1, extract(epoch FROM as_of - first_at) / 31557600))
    WHERE orders > 0
$$;

CREATE TABLE analytics.score (
    tenant_id uuid NOT NULL,
    currency text COLLATE "C" NOT NULL,
    customer uuid NOT NULL,
    as_of timestamptz NOT NULL,
    days_since_last integer NOT NULL,
    orders bigint NOT NULL,
    amount numeric NOT NULL,
    recency smallint NOT NULL CHECK (recency BETWEEN 1 AND 5),
    frequency smallint NOT NULL CHECK (frequency BETWEEN 1 AND 5),
    money smallint NOT NULL CHECK (money BETWEEN 1 AND 5),
    segment text COLLATE "C" NOT NULL,
    churn numeric NOT NULL CHECK (churn BETWEEN 0 AND 1),
    lifetime_value numeric NOT NULL,
    CONSTRAINT score_pkey PRIMARY KEY (tenant_id, currency, customer)
);

-- Scores every customer of a tenant as of a time, in place of what was there. Customers are ranked
-- within their currency, because amounts of two currencies do not compare. A fifth is
-- 1 + floor(5 (rank - 1) / n), where equal values have the rank of the first of them, so that
-- equals are scored equally. Returns how many. Reads the tenant's customers once, sorts them three
-- times. Locks: one at a time per tenant.
CREATE FUNCTION analytics.compute_scores(tenant_id uuid, as_of timestamptz DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_variable
DECLARE
    at_now timestamptz := coalesce(as_of, clock_timestamp());
    scored bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('analytics.scores ' || tenant_id, 0));
    DELETE FROM analytics.score s WHERE s.tenant_id = compute_scores.tenant_id;
    WITH ranked AS (
        SELECT c.currency, c.customer, c.first_at, c.last_at, c.orders, c.amount,
            1 + 5 * (rank() OVER (PARTITION BY c.currency ORDER BY c.last_at) - 1)
                / count(*) OVER (PARTITION BY c.currency) AS recency,
            1 + 5 * (rank() OVER (PARTITION BY c.currency ORDER BY c.orders) - 1)
                / count(*) OVER (PARTITION BY c.currency) AS frequency,
            1 + 5 * (rank() OVER (PARTITION BY c.currency ORDER BY c.amount) - 1)
                / count(*) OVER (PARTITION BY c.currency) AS money,
            greatest(floor(extract(epoch FROM at_now - c.last_at) / 86400), 0)::integer AS days
        FROM analytics.customer c WHERE c.tenant_id = compute_scores.tenant_id
    )
    INSERT INTO analytics.score (
        tenant_id, currency, customer, as_of, days_since_last, orders, amount, recency, frequency,
        money, segment, churn, lifetime_value)
    SELECT compute_scores.tenant_id, r.currency, r.customer, at_now, r.days, r.orders, r.amount,
        r.recency, r.frequency, r.money,
        analytics.segment(r.recency::integer, r.frequency::integer, r.money::integer),
        analytics.churn(r.days, r.orders),
        analytics.lifetime_value(r.amount, r.orders, r.first_at, at_now)
    FROM ranked r;
    GET DIAGNOSTICS scored = ROW_COUNT;
    RETURN scored;
END
$$;

-- A tenant's segments at a glance.
CREATE VIEW analytics.segments WITH (security_invoker = true) AS
SELECT s.tenant_id, s.currency, s.segment, count(*) AS customers, sum(s.amount) AS amount,
    round(avg(s.churn), 3) AS churn, sum(s.lifetime_value) AS lifetime_value
FROM analytics.score s GROUP BY 1, 2, 3;
