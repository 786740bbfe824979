-- breaking: no
-- What reports and levels cost stays bounded whoever asks, and tenants are shown nothing that is of
-- the installation. See docs/tenancy.md and docs/filters.md.

-- One tenant's letters of a failure group, where the index by fingerprint is full of others'.
CREATE INDEX dead_letter_tenant_fingerprint_idx
    ON queue.dead_letter (tenant_id, fingerprint, died_at, job_id) WHERE tenant_id IS NOT NULL;

-- Dead letters that match a filter, grouped by what killed them, at most so many of each group
-- (count_exact tells). The groups are found by jumping from one to the next in the index. Of a
-- group the filter is asked of the newest three times `most_letters`; groups that are not reached
-- within half a second are left out. Obeys row-level security.
CREATE OR REPLACE FUNCTION queue.failure_groups(
    filter jsonb, since timestamptz, buckets integer, most_groups integer, most_letters integer)
RETURNS TABLE (
    fingerprint text, kind text, queue text, queues bigint, tenants bigint, count bigint,
    count_exact boolean, first_died_at timestamptz, last_died_at timestamptz, sample_id bigint,
    reason text, error text, series bigint[])
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    deadline timestamptz := clock_timestamp() + interval '500 milliseconds';
    wide interval := (clock_timestamp() - failure_groups.since) / failure_groups.buckets;
    tenant uuid := queue.current_tenant();
    -- Names the tenant where there is one: the policy alone leads to no index.
    own text := CASE WHEN tenant IS NULL THEN 'true'
                     ELSE format('d.tenant_id = %L', tenant) END;
    condition text := queue.filter_condition(
        queue.filter_at(failure_groups.filter, clock_timestamp()), 'letter');
    looked_at CONSTANT integer := 3 * failure_groups.most_letters;
    one text := '';
    seen integer := 0;
    more boolean;
BEGIN
    WHILE seen < failure_groups.most_groups AND clock_timestamp() < deadline LOOP
        EXECUTE format($q$
            SELECT d.fingerprint FROM queue.dead_letter d
            WHERE %s AND d.fingerprint > $1 ORDER BY d.fingerprint LIMIT 1$q$, own)
        INTO one USING one;
        EXIT WHEN one IS NULL;
        EXECUTE format($q$
            SELECT min(s.kind), min(s.queue), count(DISTINCT s.queue), count(DISTINCT s.tenant_id),
                   count(*), min(s.died_at), max(s.died_at),
                   (array_agg(s.job_id ORDER BY s.died_at DESC))[1]
            FROM (SELECT d.kind, d.queue, d.tenant_id, d.died_at, d.job_id
                  FROM (SELECT * FROM queue.dead_letter d
                        WHERE %s AND d.fingerprint = $1
                        ORDER BY d.died_at DESC, d.job_id DESC LIMIT $3) d
                  WHERE true%s
                  ORDER BY d.died_at DESC, d.job_id DESC LIMIT $2) s$q$, own, condition)
        INTO kind, queue, queues, tenants, count, first_died_at, last_died_at, sample_id
        USING one, failure_groups.most_letters, looked_at;
        CONTINUE WHEN count = 0;
        seen := seen + 1;
        fingerprint := one;
        EXECUTE format($q$
            SELECT EXISTS (SELECT FROM queue.dead_letter d
                           WHERE %s AND d.fingerprint = $1 OFFSET $2)$q$, own)
        INTO more USING one, looked_at;
        count_exact := count < failure_groups.most_letters AND NOT more;
        IF NOT count_exact THEN
            EXECUTE format($q$
                SELECT d.died_at FROM queue.dead_letter d
                WHERE %s AND d.fingerprint = $1 ORDER BY d.died_at LIMIT 1$q$, own)
            INTO first_died_at USING one;
        END IF;
        SELECT d.reason, left(d.error, 500) INTO reason, error
        FROM queue.dead_letter d WHERE d.job_id = sample_id;
        EXECUTE format($q$
            SELECT array_agg(coalesce(b.n, 0) ORDER BY g.n)
            FROM generate_series(0, $2 - 1) g (n)
            LEFT JOIN (
                SELECT least($2 - 1, floor(extract(epoch FROM s.died_at - $3)
                                           / extract(epoch FROM $4)))::integer AS bucket,
                       count(*) AS n
                FROM (SELECT d.died_at FROM queue.dead_letter d
                      WHERE %s AND d.fingerprint = $1 AND d.died_at >= $3
                      ORDER BY d.died_at DESC LIMIT $5) s
                GROUP BY 1) b ON b.bucket = g.n$q$, own)
        INTO series
        USING one, failure_groups.buckets, failure_groups.since, wide,
              failure_groups.most_letters;
        RETURN NEXT;
    END LOOP;
END
$$;

-- Array of {name, labels, value}. At most 1000 levels are kept: beyond that new ones are left out,
-- and those that are known go on changing.
CREATE OR REPLACE FUNCTION queue.put_levels(levels jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH told AS (
        SELECT DISTINCT ON (l.name, l.labels) l.name, l.labels, l.value
        FROM jsonb_to_recordset(put_levels.levels)
             l (name text, labels jsonb, value double precision)
        ORDER BY l.name, l.labels),
    placed AS (
        SELECT t.*, v.name IS NOT NULL AS known,
               row_number() OVER (PARTITION BY v.name IS NOT NULL ORDER BY t.name, t.labels)
                   AS nth
        FROM told t LEFT JOIN queue.level v ON v.name = t.name AND v.labels = t.labels)
    INSERT INTO queue.level AS v (name, labels, value, at)
    SELECT p.name, p.labels, p.value, clock_timestamp()
    FROM placed p
    WHERE p.known OR p.nth <= 1000 - (SELECT count(*) FROM queue.level)
    ORDER BY p.name, p.labels
    ON CONFLICT ON CONSTRAINT level_pkey DO UPDATE
    SET value = excluded.value, at = excluded.at
$$;

-- A tenant sees the subscriptions of its own that a topic would reach; those of the installation
-- it is also served by are not shown, as in queue.subscriptions.
CREATE OR REPLACE FUNCTION queue.subscribers(
    topic text, payload jsonb DEFAULT NULL, tenant_id uuid DEFAULT NULL)
RETURNS SETOF queue.subscriptions
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT v.*
    FROM queue.match_topic(queue.topic_words('topic', subscribers.topic, false),
                           queue.own_tenant(subscribers.tenant_id)) m
    JOIN queue.subscriptions v ON v.id = m.id
    WHERE (subscribers.payload IS NULL OR m.filter IS NULL
           OR coalesce(subscribers.payload @@ m.filter, false))
      AND (queue.current_tenant() IS NULL OR v.tenant_id = queue.current_tenant())
    ORDER BY v.id
$$;

-- JWTs are of the installation, not of a tenant. Again is no change, but the later end counts.
CREATE OR REPLACE FUNCTION queue.revoke_jwt(jti_hash bytea, expires_at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    PERFORM queue.refuse_tenant('revocations');
    IF NOT coalesce(revoke_jwt.expires_at < clock_timestamp() + interval '100 years', false) THEN
        RAISE EXCEPTION 'expires_at: expected a time within 100 years, got %',
            coalesce(revoke_jwt.expires_at::text, 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    INSERT INTO queue.revoked_jwt AS r (jti_hash, expires_at)
    VALUES (revoke_jwt.jti_hash, revoke_jwt.expires_at)
    ON CONFLICT ON CONSTRAINT revoked_jwt_pkey
    DO UPDATE SET expires_at = greatest(r.expires_at, excluded.expires_at);
END
$$;
SELECT queue.apply_rights();
