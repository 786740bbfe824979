-- breaking: no
-- Endpoints: who wants which events, and how they are told. docs/processors/webhook.md.
--
-- No secret is stored here. What signs a delivery is derived from a key that only workers have
-- and from the id of a row of webhooks.signing_key; a new row is a new secret.
--
-- Everything belongs to an owner: a tenant, or, as the zero UUID, nobody. An owner's endpoints hear
-- the events of that owner and no others.
--
-- Functions are without jit: a plan that must not read whole tables has a price of 10^10 on an
-- empty one, and would be compiled for 50 ms.

CREATE TABLE webhooks.endpoint (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid,
    url text COLLATE "C" NOT NULL,
    events text[] COLLATE "C" NOT NULL,
    description text,
    state text COLLATE "C" NOT NULL DEFAULT 'enabled',
    reason text,
    format text COLLATE "C" NOT NULL,
    ordered boolean NOT NULL,
    concurrency integer NOT NULL,
    timeout interval,
    waits interval[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT endpoint_state CHECK (state IN ('enabled', 'disabled', 'removed')),
    CONSTRAINT endpoint_format CHECK (
        format IN ('standard', 'cloudevents-structured', 'cloudevents-binary')),
    CONSTRAINT endpoint_concurrency CHECK (concurrency BETWEEN 1 AND 10000)
);
CREATE INDEX endpoint_by_tenant ON webhooks.endpoint (tenant_id, id);

-- One row per filter of an endpoint that is enabled or disabled: what a publish looks up.
CREATE TABLE webhooks.filter (
    owner uuid NOT NULL,
    pattern text COLLATE "C" NOT NULL,
    endpoint_id bigint NOT NULL REFERENCES webhooks.endpoint (id),
    CONSTRAINT filter_pkey PRIMARY KEY (owner, pattern, endpoint_id)
);
CREATE INDEX filter_by_endpoint ON webhooks.filter (endpoint_id);

-- The id is what the secret is derived from; expired ones sign no more.
CREATE TABLE webhooks.signing_key (
    endpoint_id bigint NOT NULL REFERENCES webhooks.endpoint (id),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    scheme text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz,
    CONSTRAINT signing_key_pkey PRIMARY KEY (endpoint_id, id),
    CONSTRAINT signing_key_scheme CHECK (scheme IN ('v1', 'v1a'))
);

CREATE FUNCTION webhooks.owner_of(tenant_id uuid) RETURNS uuid
LANGUAGE sql IMMUTABLE
RETURN coalesce(tenant_id, '00000000-0000-0000-0000-000000000000');

-- Raises LQ001 unless it is a name of an event: words of A-Z a-z 0-9 _ - with dots between.
CREATE FUNCTION webhooks.check_type(type text) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    IF type IS NULL OR octet_length(type) > 255
       OR type !~ '^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$' THEN
        RAISE EXCEPTION 'type: expected words of A-Z a-z 0-9 _ - with dots between, 1 to 255 '
            'bytes, got %', coalesce(quote_literal(left(type, 100)), 'NULL')
            USING ERRCODE = 'LQ001';
    END IF;
END
$$;

-- The filters that hear an event: itself, each of its beginnings with `.*`, and `*`.
CREATE FUNCTION webhooks.patterns_of(type text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    found_ones text[] := ARRAY['*', type];
    words text[] := string_to_array(type, '.');
BEGIN
    FOR n IN 1 .. cardinality(words) - 1 LOOP
        found_ones := found_ones || (array_to_string(words[1:n], '.') || '.*');
    END LOOP;
    RETURN found_ones;
END
$$;

-- Raises LQ001 on the first thing that is wrong with an endpoint.
CREATE FUNCTION webhooks.check_endpoint(e webhooks.endpoint) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    pattern text;
    wait interval;
BEGIN
    -- The worker judges scheme, host and resolved address; here only what is never right.
    IF e.url IS NULL OR octet_length(e.url) > 2048 OR e.url !~ '^https?://[!-~]+$'
       OR e.url ~ '^https?://[^/?#]*@' THEN
        RAISE EXCEPTION 'url: expected https:// and printable ASCII of at most 2048 bytes, '
            'without user name' USING ERRCODE = 'LQ001';
    END IF;
    IF e.events IS NULL OR cardinality(e.events) NOT BETWEEN 1 AND 100 THEN
        RAISE EXCEPTION 'events: expected 1 to 100 filters, got %',
            coalesce(cardinality(e.events), 0) USING ERRCODE = 'LQ001';
    END IF;
    FOREACH pattern IN ARRAY e.events LOOP
        IF pattern IS NULL OR octet_length(pattern) > 255
           OR pattern !~ '^(\*|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(\.\*)?)$' THEN
            RAISE EXCEPTION 'events: expected event types, the beginning of some with .* '
                '(order.*), or *, got %', coalesce(quote_literal(left(pattern, 100)), 'NULL')
                USING ERRCODE = 'LQ001';
        END IF;
    END LOOP;
    IF e.format IS NULL
       OR e.format NOT IN ('standard', 'cloudevents-structured', 'cloudevents-binary') THEN
        RAISE EXCEPTION 'format: expected standard, cloudevents-structured or cloudevents-binary, '
            'got %', coalesce(quote_literal(left(e.format, 100)), 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    IF e.concurrency NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'concurrency: expected 1 to 10000, got %', e.concurrency
            USING ERRCODE = 'LQ001';
    END IF;
    IF e.timeout NOT BETWEEN interval '100 ms' AND interval '10 minutes' THEN
        RAISE EXCEPTION 'timeout: expected 100 ms to 10 minutes, got %', e.timeout
            USING ERRCODE = 'LQ001';
    END IF;
    IF cardinality(e.waits) > 50 THEN
        RAISE EXCEPTION 'waits: expected at most 50, got %', cardinality(e.waits)
            USING ERRCODE = 'LQ001';
    END IF;
    FOREACH wait IN ARRAY e.waits LOOP
        IF wait IS NULL OR wait NOT BETWEEN interval '0' AND interval '7 days' THEN
            RAISE EXCEPTION 'waits: expected 0 to 7 days each, got %', coalesce(wait::text, 'NULL')
                USING ERRCODE = 'LQ001';
        END IF;
    END LOOP;
    IF octet_length(e.description) > 1024 THEN
        RAISE EXCEPTION 'description: expected at most 1024 bytes, got %',
            octet_length(e.description) USING ERRCODE = 'LQ001';
    END IF;
END
$$;

-- Finds an owner's endpoint and locks it: LQ005 for one that is another's, too. Internal.
CREATE FUNCTION webhooks.lock_endpoint(tenant_id uuid, endpoint bigint) RETURNS webhooks.endpoint
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    found_one webhooks.endpoint;
BEGIN
    SELECT e.* INTO found_one FROM webhooks.endpoint e
    WHERE e.id = lock_endpoint.endpoint
      AND webhooks.owner_of(e.tenant_id) = webhooks.owner_of(lock_endpoint.tenant_id)
      AND e.state <> 'removed'
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no endpoint % of this tenant', lock_endpoint.endpoint
            USING ERRCODE = 'LQ005';
    END IF;
    RETURN found_one;
END
$$;

-- Internal.
CREATE FUNCTION webhooks.set_filters(e webhooks.endpoint) RETURNS void
LANGUAGE sql
AS $$
    DELETE FROM webhooks.filter f WHERE f.endpoint_id = e.id AND f.pattern <> ALL (e.events);
    INSERT INTO webhooks.filter (owner, pattern, endpoint_id)
    SELECT DISTINCT webhooks.owner_of(e.tenant_id), p, e.id FROM unnest(e.events) p
    ON CONFLICT DO NOTHING;
$$;

CREATE FUNCTION webhooks.add_keys(endpoint bigint, signature text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF signature IS NULL OR signature NOT IN ('v1', 'v1a', 'both') THEN
        RAISE EXCEPTION 'signature: expected v1, v1a or both, got %',
            coalesce(quote_literal(left(signature, 100)), 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    INSERT INTO webhooks.signing_key (endpoint_id, scheme)
    SELECT endpoint, s FROM unnest(CASE signature WHEN 'both' THEN ARRAY['v1', 'v1a']
                                                  ELSE ARRAY[signature] END) s;
END
$$;

-- An endpoint that hears, from commit on, what its owner publishes. Returns its id.
--   events       types, `order.*` (all that begin with `order.`), or `*`
--   ordered      one delivery after the other, in the order of publishing; one that is tried again
--                holds the others up, for days if need be
--   concurrency  at most so many at a time
--   format       standard, cloudevents-structured or cloudevents-binary
--   signature    v1 (HMAC), v1a (ed25519), both
--   timeout      of one delivery; NULL: the worker's
--   waits        between the attempts; their number and one are the attempts
CREATE FUNCTION webhooks.endpoint_create(
    tenant_id uuid,
    url text,
    events text[] DEFAULT ARRAY['*'],
    ordered boolean DEFAULT false,
    concurrency integer DEFAULT 10,
    format text DEFAULT 'standard',
    signature text DEFAULT 'v1',
    timeout interval DEFAULT NULL,
    waits interval[] DEFAULT ARRAY['5 s', '5 min', '30 min', '2 h', '5 h', '10 h', '14 h', '20 h',
                                   '24 h']::interval[],
    description text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    e webhooks.endpoint;
BEGIN
    e.tenant_id := endpoint_create.tenant_id;
    e.url := endpoint_create.url;
    e.events := endpoint_create.events;
    e.ordered := coalesce(endpoint_create.ordered, false);
    e.concurrency := coalesce(endpoint_create.concurrency, 10);
    e.format := endpoint_create.format;
    e.timeout := endpoint_create.timeout;
    e.waits := coalesce(endpoint_create.waits, '{}');
    e.description := endpoint_create.description;
    PERFORM webhooks.check_endpoint(e);
    INSERT INTO webhooks.endpoint (tenant_id, url, events, ordered, concurrency, format, timeout,
                                   waits, description)
    VALUES (e.tenant_id, e.url, e.events, e.ordered, e.concurrency, e.format, e.timeout, e.waits,
            e.description)
    RETURNING id INTO e.id;
    PERFORM webhooks.set_filters(e);
    PERFORM webhooks.add_keys(e.id, endpoint_create.signature);
    RETURN e.id;
END
$$;
COMMENT ON FUNCTION webhooks.endpoint_create IS 'A new endpoint of a tenant; returns its id.';

-- Changes what is given and leaves what is NULL. Workers know of it within five seconds. LQ005.
--   timeout 0: none of its own any more
CREATE FUNCTION webhooks.endpoint_update(
    tenant_id uuid,
    endpoint bigint,
    url text DEFAULT NULL,
    events text[] DEFAULT NULL,
    ordered boolean DEFAULT NULL,
    concurrency integer DEFAULT NULL,
    format text DEFAULT NULL,
    timeout interval DEFAULT NULL,
    waits interval[] DEFAULT NULL,
    description text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    e webhooks.endpoint := webhooks.lock_endpoint(endpoint_update.tenant_id,
                                                  endpoint_update.endpoint);
BEGIN
    e.url := coalesce(endpoint_update.url, e.url);
    e.events := coalesce(endpoint_update.events, e.events);
    e.ordered := coalesce(endpoint_update.ordered, e.ordered);
    e.concurrency := coalesce(endpoint_update.concurrency, e.concurrency);
    e.format := coalesce(endpoint_update.format, e.format);
    e.timeout := nullif(coalesce(endpoint_update.timeout, e.timeout), interval '0');
    e.waits := coalesce(endpoint_update.waits, e.waits);
    e.description := coalesce(endpoint_update.description, e.description);
    PERFORM webhooks.check_endpoint(e);
    UPDATE webhooks.endpoint t
    SET url = e.url, events = e.events, ordered = e.ordered, concurrency = e.concurrency,
        format = e.format, timeout = e.timeout, waits = e.waits, description = e.description,
        changed_at = clock_timestamp()
    WHERE t.id = e.id;
    PERFORM webhooks.set_filters(e);
END
$$;
COMMENT ON FUNCTION webhooks.endpoint_update IS 'Changes an endpoint; NULL leaves as it was.';

-- Nothing is enqueued for it any more, and what waits ends as cancelled. What was published
-- meanwhile can be replayed once it is enabled again. LQ005.
CREATE FUNCTION webhooks.endpoint_disable(tenant_id uuid, endpoint bigint, reason text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    e webhooks.endpoint := webhooks.lock_endpoint(endpoint_disable.tenant_id,
                                                  endpoint_disable.endpoint);
BEGIN
    UPDATE webhooks.endpoint t
    SET state = 'disabled', reason = left(endpoint_disable.reason, 500),
        changed_at = clock_timestamp()
    WHERE t.id = e.id;
END
$$;
COMMENT ON FUNCTION webhooks.endpoint_disable IS 'No more deliveries to this endpoint.';

-- From commit on it hears again. Its circuit is closed, so that the first delivery goes at once.
CREATE FUNCTION webhooks.endpoint_enable(tenant_id uuid, endpoint bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    e webhooks.endpoint := webhooks.lock_endpoint(endpoint_enable.tenant_id,
                                                  endpoint_enable.endpoint);
BEGIN
    UPDATE webhooks.endpoint t
    SET state = 'enabled', reason = NULL, changed_at = clock_timestamp()
    WHERE t.id = e.id;
    PERFORM queue.limit_reset('webhook_endpoints', 'endpoint:' || e.id);
END
$$;
COMMENT ON FUNCTION webhooks.endpoint_enable IS 'Deliveries to this endpoint go on.';

-- Gone for its owner; the row and the log stay until the log is pruned. LQ005.
CREATE FUNCTION webhooks.endpoint_remove(tenant_id uuid, endpoint bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    e webhooks.endpoint := webhooks.lock_endpoint(endpoint_remove.tenant_id,
                                                  endpoint_remove.endpoint);
BEGIN
    DELETE FROM webhooks.filter f WHERE f.endpoint_id = e.id;
    DELETE FROM webhooks.signing_key k WHERE k.endpoint_id = e.id;
    UPDATE webhooks.endpoint t
    SET state = 'removed', url = 'https://removed.invalid/', description = NULL,
        reason = 'removed', changed_at = clock_timestamp()
    WHERE t.id = e.id;
END
$$;
COMMENT ON FUNCTION webhooks.endpoint_remove IS 'Removes an endpoint and its keys.';

-- A new secret. For `overlap` deliveries are signed with the old one as well, the new one first;
-- zero when the old one is known to somebody. Nothing older than the one before is kept. LQ005.
CREATE FUNCTION webhooks.endpoint_rotate(
    tenant_id uuid,
    endpoint bigint,
    overlap interval DEFAULT interval '24 hours',
    signature text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    e webhooks.endpoint := webhooks.lock_endpoint(endpoint_rotate.tenant_id,
                                                  endpoint_rotate.endpoint);
    kept text;
BEGIN
    IF endpoint_rotate.overlap IS NULL
       OR endpoint_rotate.overlap NOT BETWEEN interval '0' AND interval '90 days' THEN
        RAISE EXCEPTION 'overlap: expected 0 to 90 days, got %',
            coalesce(endpoint_rotate.overlap::text, 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    DELETE FROM webhooks.signing_key k
    WHERE k.endpoint_id = e.id AND k.expires_at IS NOT NULL;
    UPDATE webhooks.signing_key k
    SET expires_at = clock_timestamp() + endpoint_rotate.overlap
    WHERE k.endpoint_id = e.id;
    SELECT CASE WHEN count(DISTINCT k.scheme) = 2 THEN 'both' ELSE min(k.scheme) END INTO kept
    FROM webhooks.signing_key k WHERE k.endpoint_id = e.id;
    PERFORM webhooks.add_keys(e.id, coalesce(endpoint_rotate.signature, kept, 'v1'));
    UPDATE webhooks.endpoint t SET changed_at = clock_timestamp() WHERE t.id = e.id;
END
$$;
COMMENT ON FUNCTION webhooks.endpoint_rotate IS 'A new signing secret; both sign for a while.';

-- What a worker must know to deliver; no row for an endpoint that is another's or removed. The
-- keys as `scheme:id`, the newest first. Internal.
CREATE FUNCTION webhooks.read_endpoint(
    endpoint bigint, tenant_id uuid,
    OUT enabled boolean, OUT url text, OUT format text, OUT timeout_ms bigint, OUT waits_ms text,
    OUT keys text) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
    SELECT e.state = 'enabled', e.url, e.format,
           (extract(epoch FROM e.timeout) * 1000)::bigint,
           (SELECT string_agg((extract(epoch FROM w.wait) * 1000)::bigint::text, ',' ORDER BY w.n)
            FROM unnest(e.waits) WITH ORDINALITY w (wait, n)),
           (SELECT string_agg(k.scheme || ':' || k.id, ',' ORDER BY k.created_at DESC, k.id)
            FROM webhooks.signing_key k
            WHERE k.endpoint_id = e.id
              AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp()))
    FROM webhooks.endpoint e
    WHERE e.id = read_endpoint.endpoint AND e.state <> 'removed'
      AND webhooks.owner_of(e.tenant_id) = webhooks.owner_of(read_endpoint.tenant_id)
$$;

-- A circuit for each endpoint: one that is dead is tried now and then by one delivery and holds
-- nobody else up. Workers' configuration may change it.
SELECT queue.limit_set('webhook_endpoints', key => 'limit_key', pinned => false,
                       breaker_ratio => 0.5, breaker_min_requests => 5,
                       breaker_window => interval '1 minute',
                       breaker_cooldown => interval '30 s');
