-- breaking: no
-- Events: published in the producer's transaction, fanned out into one job per endpoint that
-- hears them, logged attempt by attempt, replayed, pruned.

-- What was published and heard by an endpoint, enabled or not: what a second publish of the same
-- event is told by, and what a replay sends again.
CREATE TABLE webhooks.event (
    owner uuid NOT NULL,
    id text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    type text COLLATE "C" NOT NULL,
    data jsonb NOT NULL,
    CONSTRAINT event_pkey PRIMARY KEY (owner, id)
);
CREATE INDEX event_by_time ON webhooks.event (owner, at);
-- Pruning reads the oldest, whoever owns them. (A BRIN index never forgets what was in a page.)
CREATE INDEX event_age ON webhooks.event (at);

-- One row per attempt, written with the end of its run. Neither URL nor headers nor the body that
-- was sent (the event has it); of the answer the beginning, only when it was no success.
CREATE TABLE webhooks.delivery (
    endpoint_id bigint NOT NULL,
    at timestamptz NOT NULL,
    event_id text COLLATE "C" NOT NULL,
    job_id bigint NOT NULL,
    attempt integer NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    status integer,
    duration_ms integer,
    request_bytes integer,
    next_at timestamptz,
    error text,
    answer text,
    CONSTRAINT delivery_outcome CHECK (
        outcome IN ('delivered', 'failed', 'throttled', 'refused', 'gone', 'skipped'))
);
CREATE INDEX delivery_by_endpoint ON webhooks.delivery (endpoint_id, at);
CREATE INDEX delivery_age ON webhooks.delivery (at);

-- One job for this endpoint. Its key keeps all but a few of an endpoint's jobs out of the line, so
-- that a backlog of one stands before nobody else; its limit key has the circuit. Internal.
CREATE FUNCTION webhooks.enqueue_event(e webhooks.endpoint, ev webhooks.event) RETURNS bigint
LANGUAGE plpgsql
AS $$
BEGIN
    RETURN queue.enqueue(
        'webhook.event',
        jsonb_build_object(
            'endpoint', e.id, 'event', ev.type, 'event_id', ev.id,
            'at', to_char(ev.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            'data', ev.data),
        tenant_id => e.tenant_id, max_attempts => cardinality(e.waits) + 1,
        limit_key => 'endpoint:' || e.id,
        ordering_key => CASE WHEN e.ordered THEN 'webhook:' || e.id END,
        concurrency_key => CASE WHEN NOT e.ordered THEN 'webhook:' || e.id END,
        key_concurrency => CASE WHEN NOT e.ordered THEN e.concurrency END);
END
$$;

-- Publishes an event of a tenant (NULL: of none) in the caller's transaction: one job for each
-- enabled endpoint that hears it. Returns how many. A second publish of an event_id makes none and
-- returns 0 (LQ004 when type or data are others), also from two transactions at once. Without
-- event_id every call is an event of its own.
--   type      words of A-Z a-z 0-9 _ - with dots between, at most 255 bytes (LQ001)
--   data      JSON of at most 20,000 bytes (LQ003), as Standard Webhooks asks for
--   event_id  1 to 128 of A-Z a-z 0-9 _ : -; receivers get it as webhook-id
CREATE FUNCTION webhooks.publish(
    tenant_id uuid, type text, data jsonb, event_id text DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    ev webhooks.event;
    old webhooks.event;
    e webhooks.endpoint;
    patterns text[];
    hearing bigint[];
    made integer := 0;
BEGIN
    PERFORM webhooks.check_type(publish.type);
    patterns := webhooks.patterns_of(publish.type);
    IF publish.data IS NULL THEN
        RAISE EXCEPTION 'data: expected JSON, got NULL' USING ERRCODE = 'LQ008';
    END IF;
    IF octet_length(publish.data::text) > 20000 THEN
        RAISE EXCEPTION 'data: expected at most 20000 bytes, got %',
            octet_length(publish.data::text) USING ERRCODE = 'LQ003',
            HINT = 'Send what changed and an id to ask for the rest by.';
    END IF;
    IF publish.event_id IS NOT NULL AND publish.event_id !~ '^[A-Za-z0-9_:-]{1,128}$' THEN
        RAISE EXCEPTION 'event_id: expected 1 to 128 of A-Z a-z 0-9 _ : -, got %',
            quote_literal(left(publish.event_id, 150)) USING ERRCODE = 'LQ001';
    END IF;
    ev.owner := webhooks.owner_of(publish.tenant_id);
    SELECT array_agg(DISTINCT f.endpoint_id) INTO hearing FROM webhooks.filter f
    WHERE f.owner = ev.owner AND f.pattern = ANY (patterns);
    IF hearing IS NULL THEN
        RETURN 0;
    END IF;
    ev.id := coalesce(publish.event_id, 'evt_' || replace(gen_random_uuid()::text, '-', ''));
    ev.at := clock_timestamp();
    ev.type := publish.type;
    ev.data := publish.data;
    INSERT INTO webhooks.event (owner, id, at, type, data)
    VALUES (ev.owner, ev.id, ev.at, ev.type, ev.data)
    ON CONFLICT ON CONSTRAINT event_pkey DO NOTHING;
    IF NOT FOUND THEN
        SELECT v.* INTO STRICT old FROM webhooks.event v
        WHERE v.owner = ev.owner AND v.id = ev.id;
        IF old.type <> ev.type OR old.data <> ev.data THEN
            RAISE EXCEPTION 'event_id: % was published with another type or other data', ev.id
                USING ERRCODE = 'LQ004';
        END IF;
        RETURN 0;
    END IF;
    FOR e IN SELECT t.* FROM webhooks.endpoint t
             WHERE t.id = ANY (hearing) AND t.state = 'enabled' ORDER BY t.id LOOP
        PERFORM webhooks.enqueue_event(e, ev);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION webhooks.publish IS
    'One delivery job for each endpoint that hears the event, in this transaction.';

-- Sends events of [from_time, to_time) that the endpoint's filters hear to it again, the oldest
-- first, each with the id and the bytes it had. Returns how many jobs were made; at most `most`,
-- and as many calls as it takes, each from where the last one ended.
--   only_failed  events that were never delivered to it and are not waiting for their next attempt;
--                also those published while it was disabled or not there
-- LQ005, LQ006 while the endpoint is disabled.
CREATE FUNCTION webhooks.replay(
    tenant_id uuid,
    endpoint bigint,
    from_time timestamptz,
    to_time timestamptz DEFAULT NULL,
    only_failed boolean DEFAULT true,
    most integer DEFAULT 10000) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    e webhooks.endpoint := webhooks.lock_endpoint(replay.tenant_id, replay.endpoint);
    ev webhooks.event;
    made integer := 0;
    at_now timestamptz := clock_timestamp();
BEGIN
    IF replay.from_time IS NULL OR replay.most IS NULL OR replay.most NOT BETWEEN 1 AND 100000 THEN
        RAISE EXCEPTION 'replay: expected from_time and most of 1 to 100000'
            USING ERRCODE = 'LQ001';
    END IF;
    IF e.state <> 'enabled' THEN
        RAISE EXCEPTION 'endpoint % is disabled', e.id
            USING ERRCODE = 'LQ006', HINT = 'webhooks.endpoint_enable(tenant_id, endpoint)';
    END IF;
    FOR ev IN
        WITH seen AS MATERIALIZED (
            SELECT d.event_id FROM webhooks.delivery d
            WHERE d.endpoint_id = e.id AND d.at >= replay.from_time
              AND (d.outcome = 'delivered' OR d.next_at > at_now))
        SELECT v.* FROM webhooks.event v
        WHERE v.owner = webhooks.owner_of(e.tenant_id) AND v.at >= replay.from_time
          AND v.at < coalesce(replay.to_time, at_now)
          AND webhooks.patterns_of(v.type) && e.events
          AND (NOT replay.only_failed
               OR NOT EXISTS (SELECT FROM seen s WHERE s.event_id = v.id))
        ORDER BY v.at, v.id LIMIT replay.most
    LOOP
        PERFORM webhooks.enqueue_event(e, ev);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION webhooks.replay IS 'Sends events of a range of time to an endpoint again.';

-- Sends one event to an endpoint again, whatever its filters say. LQ005, LQ006. Returns the job.
CREATE FUNCTION webhooks.resend(tenant_id uuid, endpoint bigint, event_id text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    e webhooks.endpoint := webhooks.lock_endpoint(resend.tenant_id, resend.endpoint);
    ev webhooks.event;
BEGIN
    IF e.state <> 'enabled' THEN
        RAISE EXCEPTION 'endpoint % is disabled', e.id
            USING ERRCODE = 'LQ006', HINT = 'webhooks.endpoint_enable(tenant_id, endpoint)';
    END IF;
    SELECT v.* INTO ev FROM webhooks.event v
    WHERE v.owner = webhooks.owner_of(e.tenant_id) AND v.id = resend.event_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no event % of this tenant',
            coalesce(quote_literal(left(resend.event_id, 150)), 'NULL') USING ERRCODE = 'LQ005';
    END IF;
    RETURN webhooks.enqueue_event(e, ev);
END
$$;
COMMENT ON FUNCTION webhooks.resend IS 'Sends one event to an endpoint again; returns the job.';

-- An attempt, as the worker writes it with the end of its run. wait_ms: until the next one, NULL
-- when there is none. Internal.
CREATE FUNCTION webhooks.record_delivery(
    endpoint bigint, event_id text, job_id bigint, attempt integer, outcome text, status integer,
    duration_ms integer, request_bytes integer, wait_ms bigint, error text, answer text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
    INSERT INTO webhooks.delivery (endpoint_id, at, event_id, job_id, attempt, outcome, status,
                                   duration_ms, request_bytes, next_at, error, answer)
    VALUES (endpoint, clock_timestamp(), event_id, job_id, attempt, outcome, status, duration_ms,
            request_bytes, clock_timestamp() + wait_ms * interval '1 ms', left(error, 500),
            left(answer, 1024));
END
$$;

-- Disables an endpoint, unless something was delivered to it since (NULL: in any case), and
-- publishes the topic webhook.disabled. False when it stays as it is. Internal.
CREATE FUNCTION webhooks.give_up(endpoint bigint, since timestamptz, reason text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    tenant uuid;
BEGIN
    IF give_up.since IS NOT NULL AND EXISTS (
        SELECT FROM webhooks.delivery d
        WHERE d.endpoint_id = give_up.endpoint AND d.at >= give_up.since
          AND d.outcome = 'delivered') THEN
        RETURN false;
    END IF;
    UPDATE webhooks.endpoint e
    SET state = 'disabled', reason = left(give_up.reason, 500), changed_at = clock_timestamp()
    WHERE e.id = give_up.endpoint AND e.state = 'enabled'
    RETURNING e.tenant_id INTO tenant;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM queue.publish(
        'webhook.disabled',
        jsonb_build_object('endpoint', give_up.endpoint, 'tenant_id', tenant,
                           'reason', left(give_up.reason, 500), 'at', clock_timestamp()),
        tenant_id => tenant);
    RETURN true;
END
$$;

-- Removes events and log older than `keep`, and removed endpoints without log, at most `most` rows
-- of each. Returns how many went; 0: nothing is left to do. The job webhook.prune calls it.
CREATE FUNCTION webhooks.prune(keep interval DEFAULT interval '30 days', most integer DEFAULT 10000)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    went bigint;
    gone bigint := 0;
    -- A value and no call in the conditions below: an index can be read up to it.
    edge timestamptz := clock_timestamp() - prune.keep;
BEGIN
    IF prune.keep IS NULL OR prune.keep < interval '0'
       OR prune.most IS NULL OR prune.most < 1 THEN
        RAISE EXCEPTION 'prune: expected a time to keep and most above 0' USING ERRCODE = 'LQ001';
    END IF;
    DELETE FROM webhooks.delivery d
    WHERE d.ctid = ANY (ARRAY(SELECT o.ctid FROM webhooks.delivery o
                              WHERE o.at < edge LIMIT prune.most));
    GET DIAGNOSTICS went = ROW_COUNT;
    gone := gone + went;
    DELETE FROM webhooks.event v
    WHERE v.ctid = ANY (ARRAY(SELECT o.ctid FROM webhooks.event o
                              WHERE o.at < edge LIMIT prune.most));
    GET DIAGNOSTICS went = ROW_COUNT;
    gone := gone + went;
    DELETE FROM webhooks.endpoint e
    WHERE e.id = ANY (ARRAY(
        SELECT o.id FROM webhooks.endpoint o
        WHERE o.state = 'removed' AND o.changed_at < edge
          AND NOT EXISTS (SELECT FROM webhooks.delivery d WHERE d.endpoint_id = o.id)
        LIMIT prune.most));
    GET DIAGNOSTICS went = ROW_COUNT;
    RETURN gone + went;
END
$$;
COMMENT ON FUNCTION webhooks.prune IS 'Removes old events and deliveries; returns how many.';

-- Endpoints with what their circuit and the last day's log say.
CREATE VIEW webhooks.endpoints AS
SELECT e.id, e.tenant_id, e.url, e.events, e.state, e.reason, e.format, e.ordered, e.concurrency,
       e.timeout, e.waits, e.description, e.created_at, e.changed_at,
       (SELECT string_agg(DISTINCT k.scheme, ',') FROM webhooks.signing_key k
        WHERE k.endpoint_id = e.id
          AND (k.expires_at IS NULL OR k.expires_at > now())) AS signature,
       d.attempts, d.delivered, d.last_at, d.last_outcome
FROM webhooks.endpoint e
CROSS JOIN LATERAL (
    SELECT count(*) AS attempts, count(*) FILTER (WHERE l.outcome = 'delivered') AS delivered,
           max(l.at) AS last_at, (array_agg(l.outcome ORDER BY l.at DESC))[1] AS last_outcome
    FROM webhooks.delivery l
    WHERE l.endpoint_id = e.id AND l.at > now() - interval '1 day') d
WHERE e.state <> 'removed';

-- The log with what was sent.
CREATE VIEW webhooks.deliveries AS
SELECT d.endpoint_id, e.tenant_id, d.at, d.event_id, v.type, d.attempt, d.outcome, d.status,
       d.duration_ms, d.request_bytes, d.next_at, d.error, d.answer, d.job_id, v.data
FROM webhooks.delivery d
JOIN webhooks.endpoint e ON e.id = d.endpoint_id
LEFT JOIN webhooks.event v ON v.owner = webhooks.owner_of(e.tenant_id) AND v.id = d.event_id;

-- Old rows go every ten minutes, in portions.
SELECT queue.schedule('webhooks.prune', '*/10 * * * *', 'webhook.prune', overlap => 'forbid');
