-- breaking: no
-- Topics: an event becomes one job per subscription that matches, in the publisher's transaction.
-- Patterns are kept as a tree of words, so what a publish costs depends on the words of its topic
-- and on what matches, and not on how many subscriptions there are: docs/topics.md.

CREATE TABLE queue.topic_node (
    parent_id bigint NOT NULL,
    word text COLLATE "C" NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    CONSTRAINT topic_node_pkey PRIMARY KEY (parent_id, word),
    CONSTRAINT topic_node_id_key UNIQUE (id)
);
COMMENT ON TABLE queue.topic_node IS 'The words of all patterns as a tree; 0 is its root';

CREATE TABLE queue.subscription (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Of the pattern's last word.
    node_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- NULL: hears the events of all tenants and of none.
    tenant_id uuid,
    delay interval,
    priority smallint,
    max_attempts smallint,
    pattern text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    queue text COLLATE "C",
    filter jsonpath,
    ordering_key_path jsonpath,
    CONSTRAINT subscription_key UNIQUE NULLS NOT DISTINCT (tenant_id, pattern, kind)
);
CREATE INDEX subscription_node_id_idx ON queue.subscription (node_id);

CREATE VIEW queue.subscriptions WITH (security_invoker = true) AS
SELECT s.id, s.pattern, s.kind, s.tenant_id, s.queue, s.priority::integer AS priority,
       s.max_attempts::integer AS max_attempts, s.delay, s.filter::text AS filter,
       s.ordering_key_path::text AS ordering_key_path, s.created_at, s.updated_at
FROM queue.subscription s;
COMMENT ON VIEW queue.subscriptions IS 'Who hears which topics';

-- Events nobody heard. Publishers append and now and then one of them folds, so none waits for
-- another over a counter.
CREATE TABLE queue.unrouted_topic (
    topic text COLLATE "C" NOT NULL PRIMARY KEY,
    count bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    -- A payload, unless it was larger than a kilobyte.
    sample jsonb
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);

CREATE SEQUENCE queue.unrouted_event_id_seq AS bigint;
CREATE TABLE queue.unrouted_event (
    id bigint NOT NULL DEFAULT nextval('queue.unrouted_event_id_seq'),
    at timestamptz NOT NULL,
    topic text COLLATE "C" NOT NULL,
    sample jsonb,
    CONSTRAINT unrouted_event_pkey PRIMARY KEY (id)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_insert_threshold = -1);

-- Up to where events are folded, but for those that committed late; one row.
CREATE TABLE queue.unrouted_fold (
    only_row boolean NOT NULL PRIMARY KEY DEFAULT true,
    up_to bigint NOT NULL DEFAULT 0,
    CONSTRAINT unrouted_fold_only_row CHECK (only_row)
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 500);
INSERT INTO queue.unrouted_fold DEFAULT VALUES;

CREATE VIEW queue.unrouted_topics WITH (security_invoker = true) AS
SELECT u.topic, sum(u.count)::bigint AS count, min(u.first_at) AS first_at,
       max(u.last_at) AS last_at,
       (array_agg(u.sample ORDER BY u.last_at DESC) FILTER (WHERE u.sample IS NOT NULL))[1]
           AS sample
FROM (SELECT x.topic, x.count, x.first_at, x.last_at, x.sample FROM queue.unrouted_topic x
      UNION ALL
      SELECT e.topic, 1, e.at, e.at, e.sample FROM queue.unrouted_event e) u
GROUP BY u.topic;
COMMENT ON VIEW queue.unrouted_topics IS 'Topics that were published and heard by nobody';

-- The words of a topic, or of a pattern. Internal.
CREATE FUNCTION queue.topic_words(argument text, topic text, wild boolean) RETURNS text[]
LANGUAGE plpgsql
AS $$
DECLARE
    words text[];
    wrong text;
BEGIN
    IF octet_length(topic) BETWEEN 1 AND 255 IS NOT TRUE THEN
        RAISE EXCEPTION '%: expected 1 to 255 bytes, got %', argument,
            coalesce(octet_length(topic)::text, 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    words := string_to_array(topic, '.');
    IF cardinality(words) > 16 THEN
        RAISE EXCEPTION '%: expected at most 16 words, got %', argument, cardinality(words)
            USING ERRCODE = 'LQ001';
    END IF;
    SELECT w INTO wrong FROM unnest(words) w
    WHERE w !~ '^[A-Za-z0-9_-]+$' AND NOT (wild AND w IN ('*', '#')) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%: expected words of A-Z a-z 0-9 _ -%, with dots between, got % in %',
            argument, CASE WHEN wild THEN ', or * or #' ELSE '' END,
            CASE wrong WHEN '' THEN 'an empty word' ELSE quote_literal(wrong) END,
            quote_literal(topic) USING ERRCODE = 'LQ001';
    END IF;
    RETURN words;
END
$$;

-- A JSON path given as text. Internal.
CREATE FUNCTION queue.read_jsonpath(argument text, path text, predicate boolean) RETURNS jsonpath
LANGUAGE plpgsql
AS $$
DECLARE
    read jsonpath;
BEGIN
    IF octet_length(path) NOT BETWEEN 1 AND 4096 THEN
        RAISE EXCEPTION '%: expected a JSON path of 1 to 4096 bytes, got %', argument,
            octet_length(path) USING ERRCODE = 'LQ001';
    END IF;
    BEGIN
        read := path::jsonpath;
    EXCEPTION WHEN syntax_error OR data_exception THEN
        RAISE EXCEPTION '%: expected a JSON path, got %: %', argument,
            quote_literal(left(path, 200)), SQLERRM USING ERRCODE = 'LQ001';
    END;
    IF predicate THEN
        BEGIN
            -- Something that is neither true nor false would never match.
            PERFORM jsonb_path_match('{}', read);
        EXCEPTION WHEN singleton_sql_json_item_required THEN
            RAISE EXCEPTION '%: expected a condition, as $.total > 100, got %', argument,
                quote_literal(left(path, 200)) USING ERRCODE = 'LQ001';
        WHEN data_exception THEN
            NULL;
        END;
    END IF;
    RETURN read;
END
$$;

-- Makes a subscription or changes the one of that pattern and kind; call it at every start.
CREATE FUNCTION queue.subscribe(
    pattern text,
    kind text,
    queue text DEFAULT NULL,
    priority integer DEFAULT NULL,
    filter text DEFAULT NULL,
    tenant_id uuid DEFAULT NULL,
    delay interval DEFAULT NULL,
    max_attempts integer DEFAULT NULL,
    ordering_key_path text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    words text[] := queue.topic_words('pattern', subscribe.pattern, true);
    condition jsonpath := queue.read_jsonpath('filter', subscribe.filter, true);
    key_path jsonpath := queue.read_jsonpath(
        'ordering_key_path', subscribe.ordering_key_path, false);
    target_queue text;
    node bigint := 0;
    next_node bigint;
    one text;
    new_id bigint;
BEGIN
    IF subscribe.kind IS NULL OR subscribe.kind !~ '^[a-z0-9_.-]{1,64}$' THEN
        RAISE EXCEPTION 'kind: expected 1 to 64 of a-z 0-9 _ . -, got %',
            coalesce(quote_literal(left(subscribe.kind, 100)), 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    IF subscribe.priority NOT BETWEEN -32768 AND 32767 THEN
        RAISE EXCEPTION 'priority: expected -32768 to 32767, got %', subscribe.priority
            USING ERRCODE = 'LQ001';
    END IF;
    PERFORM queue.check_enqueue(NULL, subscribe.delay, subscribe.max_attempts, NULL);
    target_queue := coalesce(subscribe.queue,
        (SELECT k.queue FROM queue.kind k WHERE k.name = subscribe.kind), 'default');
    IF NOT EXISTS (SELECT FROM queue.queue q WHERE q.name = target_queue) THEN
        RAISE EXCEPTION 'unknown queue %', quote_literal(left(target_queue, 100))
            USING ERRCODE = 'LQ002', HINT = 'Create it with queue.create_queue(name).';
    END IF;
    -- One at a time changes the tree; publishers only read it.
    PERFORM pg_advisory_xact_lock(hashtextextended('queue.subscribe', 0));
    FOREACH one IN ARRAY words LOOP
        SELECT n.id INTO next_node FROM queue.topic_node n
        WHERE n.parent_id = node AND n.word = one;
        IF NOT FOUND THEN
            INSERT INTO queue.topic_node (parent_id, word) VALUES (node, one)
            RETURNING id INTO next_node;
        END IF;
        node := next_node;
    END LOOP;
    INSERT INTO queue.subscription AS s (pattern, kind, node_id, queue, priority, filter,
        tenant_id, delay, max_attempts, ordering_key_path)
    VALUES (subscribe.pattern, subscribe.kind, node, subscribe.queue, subscribe.priority,
            condition, subscribe.tenant_id, subscribe.delay, subscribe.max_attempts, key_path)
    ON CONFLICT ON CONSTRAINT subscription_key DO UPDATE
    SET queue = excluded.queue, priority = excluded.priority, filter = excluded.filter,
        delay = excluded.delay, max_attempts = excluded.max_attempts,
        ordering_key_path = excluded.ordering_key_path, updated_at = clock_timestamp()
    RETURNING s.id INTO new_id;
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION queue.subscribe IS
    'Events whose topic matches become jobs of this kind: * is one word, # any number of them.';

CREATE FUNCTION queue.unsubscribe(id bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    node bigint;
    parent bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('queue.subscribe', 0));
    DELETE FROM queue.subscription s WHERE s.id = unsubscribe.id RETURNING s.node_id INTO node;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    LOOP
        DELETE FROM queue.topic_node n
        WHERE n.id = node
          AND NOT EXISTS (SELECT FROM queue.topic_node c WHERE c.parent_id = node)
          AND NOT EXISTS (SELECT FROM queue.subscription s WHERE s.node_id = node)
        RETURNING n.parent_id INTO parent;
        EXIT WHEN NOT FOUND;
        node := parent;
    END LOOP;
    RETURN true;
END
$$;

CREATE FUNCTION queue.unsubscribe(pattern text, kind text, tenant_id uuid DEFAULT NULL)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(bool_or(queue.unsubscribe(s.id)), false) FROM queue.subscription s
    WHERE s.pattern = unsubscribe.pattern AND s.kind = unsubscribe.kind
      AND s.tenant_id IS NOT DISTINCT FROM unsubscribe.tenant_id
$$;

-- Who hears this topic, whatever the filters say: a walk down the tree, one word after the other.
-- Internal.
CREATE FUNCTION queue.match_topic(words text[], tenant_id uuid) RETURNS SETOF queue.subscription
LANGUAGE plpgsql STABLE
-- By index, whatever the statistics said when the plan was made.
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET jit = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH RECURSIVE reached (node_id, hash, place) AS (
        SELECT 0::bigint, false, 0
        UNION
        SELECT CASE WHEN s.stay THEN r.node_id ELSE s.id END,
               CASE WHEN s.stay THEN true ELSE s.word = '#' END,
               CASE WHEN s.word = '#' AND NOT s.stay THEN r.place ELSE r.place + 1 END
        FROM reached r
        CROSS JOIN LATERAL (
            SELECT n.id, n.word, false AS stay FROM queue.topic_node n
            WHERE n.parent_id = r.node_id
              AND n.word = ANY (ARRAY['#', CASE WHEN r.place < cardinality(words) THEN '*' END,
                                      words[r.place + 1]])
            UNION ALL
            -- # takes this word as well.
            SELECT NULL, '#', true WHERE r.hash AND r.place < cardinality(words)) s)
    SELECT s.*
    FROM (SELECT DISTINCT r.node_id FROM reached r WHERE r.place = cardinality(words)) r
    JOIN queue.subscription s ON s.node_id = r.node_id
    WHERE s.tenant_id IS NULL OR s.tenant_id = match_topic.tenant_id
    ORDER BY s.id;
END
$$;

CREATE FUNCTION queue.subscribers(
    topic text, payload jsonb DEFAULT NULL, tenant_id uuid DEFAULT NULL)
RETURNS SETOF queue.subscriptions
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT v.*
    FROM queue.match_topic(queue.topic_words('topic', subscribers.topic, false),
                           subscribers.tenant_id) m
    JOIN queue.subscriptions v ON v.id = m.id
    WHERE subscribers.payload IS NULL OR m.filter IS NULL
       OR coalesce(subscribers.payload @@ m.filter, false)
    ORDER BY v.id
$$;
COMMENT ON FUNCTION queue.subscribers IS
    'Who would hear such an event; without a payload filters are not looked at.';

-- Adds up events nobody heard, a bounded number; who finds another at it does nothing. Internal.
CREATE FUNCTION queue.fold_unrouted(from_start boolean DEFAULT true, most integer DEFAULT 2000)
RETURNS bigint
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    done record;
    topics bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('queue.fold_unrouted', 0)) THEN
        RETURN 0;
    END IF;
    topics := (SELECT count(*) FROM queue.unrouted_topic);
    WITH gone AS (
        DELETE FROM queue.unrouted_event e
        WHERE e.id = ANY (ARRAY(
            SELECT x.id FROM queue.unrouted_event x
            WHERE x.id > CASE WHEN fold_unrouted.from_start THEN 0
                              ELSE (SELECT f.up_to FROM queue.unrouted_fold f) END
            ORDER BY x.id LIMIT fold_unrouted.most FOR UPDATE SKIP LOCKED))
        RETURNING e.id, e.at, e.topic, e.sample),
    sums AS (
        SELECT g.topic, count(*) AS n, min(g.at) AS first_at, max(g.at) AS last_at,
               (array_agg(g.sample ORDER BY g.at DESC) FILTER (WHERE g.sample IS NOT NULL))[1]
                   AS sample,
               row_number() OVER () AS place
        FROM gone g GROUP BY g.topic),
    written AS (
        INSERT INTO queue.unrouted_topic AS u (topic, count, first_at, last_at, sample)
        SELECT CASE WHEN known.topic IS NOT NULL OR topics + s.place <= 10000 THEN s.topic
                    ELSE '(others)' END,
               sum(s.n), min(s.first_at), max(s.last_at), (array_agg(s.sample))[1]
        FROM sums s LEFT JOIN queue.unrouted_topic known ON known.topic = s.topic
        GROUP BY 1
        ON CONFLICT (topic) DO UPDATE
        SET count = u.count + excluded.count, last_at = greatest(u.last_at, excluded.last_at),
            first_at = least(u.first_at, excluded.first_at),
            sample = coalesce(excluded.sample, u.sample))
    SELECT count(*) AS n, max(g.id) AS last INTO done FROM gone g;
    UPDATE queue.unrouted_fold f SET up_to = greatest(f.up_to, done.last) WHERE done.n > 0;
    RETURN done.n;
END
$$;

CREATE FUNCTION queue.forget_unrouted(topic text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    events bigint;
    topics bigint;
BEGIN
    DELETE FROM queue.unrouted_event e
    WHERE forget_unrouted.topic IS NULL OR e.topic = forget_unrouted.topic;
    GET DIAGNOSTICS events = ROW_COUNT;
    DELETE FROM queue.unrouted_topic u
    WHERE forget_unrouted.topic IS NULL OR u.topic = forget_unrouted.topic;
    GET DIAGNOSTICS topics = ROW_COUNT;
    RETURN events + topics;
END
$$;
COMMENT ON FUNCTION queue.forget_unrouted IS 'Forgets what was published and heard by nobody.';

-- Publishes an event in the caller's transaction: one job for each subscription that matches and
-- whose filter is true. Returns how many jobs were made. With an idempotency key each subscription
-- gets one job however often it is published.
CREATE FUNCTION queue.publish(
    topic text,
    payload jsonb,
    tenant_id uuid DEFAULT NULL,
    delay interval DEFAULT NULL,
    run_at timestamptz DEFAULT NULL,
    meta jsonb DEFAULT NULL,
    idempotency_key text DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    words text[] := queue.topic_words('topic', publish.topic, false);
    s queue.subscription;
    heard boolean := false;
    made integer := 0;
    again boolean;
    due timestamptz;
    event bigint;
BEGIN
    IF publish.payload IS NULL THEN
        RAISE EXCEPTION 'payload: expected JSON, got NULL' USING ERRCODE = 'LQ008';
    END IF;
    PERFORM queue.check_enqueue(publish.run_at, publish.delay, NULL, publish.meta);
    IF octet_length(publish.idempotency_key) NOT BETWEEN 1 AND 480 THEN
        RAISE EXCEPTION 'idempotency_key: expected 1 to 480 bytes, got %',
            octet_length(publish.idempotency_key) USING ERRCODE = 'LQ001';
    END IF;
    meta := coalesce(publish.meta, '{}') || jsonb_build_object(
        'topic', publish.topic, 'event_id', gen_random_uuid());
    due := coalesce(publish.run_at, clock_timestamp() + publish.delay);
    FOR s IN SELECT m.* FROM queue.match_topic(words, publish.tenant_id) m LOOP
        CONTINUE WHEN s.filter IS NOT NULL
                  AND NOT coalesce(publish.payload @@ s.filter, false);
        heard := true;
        SELECT o.duplicate INTO again FROM queue.enqueue_once(
            s.kind, publish.payload, s.queue, s.priority,
            CASE WHEN s.delay IS NULL THEN due
                 ELSE coalesce(due, clock_timestamp()) + s.delay END,
            publish.idempotency_key || '/' || s.id, s.max_attempts, publish.tenant_id,
            publish.meta, NULL, NULL, NULL, NULL,
            ordering_key => jsonb_path_query_first(
                publish.payload, s.ordering_key_path, '{}', true) #>> '{}') o;
        made := made + CASE WHEN again THEN 0 ELSE 1 END;
    END LOOP;
    IF NOT heard THEN
        INSERT INTO queue.unrouted_event (at, topic, sample)
        VALUES (clock_timestamp(), publish.topic,
                CASE WHEN pg_column_size(publish.payload) <= 1024 THEN publish.payload END)
        RETURNING id INTO event;
        IF event % 256 = 0 THEN
            -- Now and then from the start: what committed late.
            PERFORM queue.fold_unrouted(event % 16384 = 0);
        END IF;
    END IF;
    RETURN made;
END
$$;
COMMENT ON FUNCTION queue.publish IS
    'One job for each matching subscription, in this transaction; returns how many.';
