-- breaking: no
-- Finding jobs by a filter, in bounded time however many there are. A filter comes as a JSON array
-- of terms, all of which hold: {"field": "kind", "not": true, "path": ["user", "id"], "any": [..]},
-- and of its values one: {"eq": v}, {"like": pattern}, {"part": text}, {"none": true} or bounds
-- {"ge", "gt", "le", "lt"}. docs/filters.md has the text form; who reads it has checked it.

-- The newest of a tenant, of a queue, of a failure group.
CREATE INDEX job_tenant_id_idx ON queue.job (tenant_id, id) WHERE tenant_id IS NOT NULL;
DROP INDEX queue.dead_letter_died_at_idx;
CREATE INDEX dead_letter_died_at_idx ON queue.dead_letter (died_at, job_id);
DROP INDEX queue.dead_letter_fingerprint_idx;
CREATE INDEX dead_letter_fingerprint_idx ON queue.dead_letter (fingerprint, died_at, job_id);
CREATE INDEX dead_letter_queue_idx ON queue.dead_letter (queue, died_at, job_id);
CREATE INDEX dead_letter_tenant_id_idx ON queue.dead_letter (tenant_id, died_at, job_id)
    WHERE tenant_id IS NOT NULL;

-- What of a filter's fields a source can tell: field to expression and type. Internal.
--   line    a queue.line l of a queue.queue q
--   fact    a queue.job x
--   job     a queue.jobs j, what neither of these tells
--   letter  a queue.dead_letter d, which tells all
CREATE FUNCTION queue.filter_fields(source text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN CASE source
    WHEN 'line' THEN jsonb_build_object(
        'queue', '["q.name", "text"]'::jsonb, 'kind', '["l.kind", "text"]'::jsonb,
        'priority', '["l.priority", "bigint"]'::jsonb)
    WHEN 'fact' THEN jsonb_build_object(
        'id', '["x.id", "bigint"]'::jsonb, 'tenant', '["x.tenant_id", "uuid"]'::jsonb,
        'created', '["x.created_at", "timestamptz"]'::jsonb,
        'tag', '["x.meta -> ''tags''", "tags"]'::jsonb,
        'batch', '["(x.meta ->> ''batch_id'')::bigint", "bigint"]'::jsonb,
        'args', '["x.payload", "json"]'::jsonb)
    WHEN 'job' THEN jsonb_build_object(
        'attempt', '["j.attempt", "bigint"]'::jsonb, 'error', '["j.last_error", "text"]'::jsonb,
        'text', '["j", "words"]'::jsonb)
    WHEN 'letter' THEN jsonb_build_object(
        'queue', '["d.queue", "text"]'::jsonb, 'kind', '["d.kind", "text"]'::jsonb,
        'priority', '["d.priority", "bigint"]'::jsonb, 'id', '["d.job_id", "bigint"]'::jsonb,
        'tenant', '["d.tenant_id", "uuid"]'::jsonb,
        'created', '["d.created_at", "timestamptz"]'::jsonb,
        'tag', '["d.meta -> ''tags''", "tags"]'::jsonb,
        'batch', '["(d.meta ->> ''batch_id'')::bigint", "bigint"]'::jsonb,
        'args', '["d.payload", "json"]'::jsonb, 'attempt', '["d.attempt", "bigint"]'::jsonb,
        'error', '["d.error", "text"]'::jsonb, 'text', '["d", "words"]'::jsonb,
        'fingerprint', '["d.fingerprint", "text"]'::jsonb,
        'reason', '["d.reason", "text"]'::jsonb, 'died', '["d.died_at", "timestamptz"]'::jsonb)
    END;

-- One value of a term as SQL. Everything that came from outside is quoted. Internal.
CREATE FUNCTION queue.filter_value(expression text, type text, path text[], value jsonb)
RETURNS text
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    bound record;
    parts text[] := '{}';
    compared text := expression;
    type_to text := type;
BEGIN
    IF type = 'words' THEN
        RETURN format('(strpos(lower(%1$s.kind), lower(%2$L)) > 0'
                      ' OR strpos(lower(%1$s.queue), lower(%2$L)) > 0'
                      ' OR coalesce(%1$s.meta -> ''tags'' ? %2$L, false)'
                      ' OR coalesce(strpos(lower(%3$s), lower(%2$L)) > 0, false))',
                      expression, value ->> 'part',
                      CASE expression WHEN 'd' THEN 'd.error' ELSE 'j.last_error' END);
    ELSIF type = 'tags' THEN
        IF value ? 'none' THEN
            RETURN format('%s IS NULL', expression);
        ELSIF value ? 'eq' THEN
            RETURN format('%s ? %L', expression, value ->> 'eq');
        END IF;
        RETURN format('EXISTS (SELECT FROM jsonb_array_elements_text(%s) t (tag) WHERE %s)',
                      expression,
                      CASE WHEN value ? 'like' THEN format('t.tag LIKE %L', value ->> 'like')
                           ELSE format('strpos(lower(t.tag), lower(%L)) > 0', value ->> 'part')
                      END);
    ELSIF type = 'json' THEN
        IF value ?| ARRAY['ge', 'gt', 'le', 'lt'] THEN
            -- A number is compared with numbers only; nothing else is ever read as one.
            compared := format('CASE jsonb_typeof(%1$s #> %2$L) WHEN ''number'' '
                               'THEN (%1$s #>> %2$L)::numeric END', expression, path);
            type_to := 'numeric';
        ELSE
            compared := format('(%s #>> %L)', expression, path);
            type_to := 'text';
        END IF;
    END IF;
    IF value ? 'none' THEN
        RETURN format('%s IS NULL', compared);
    ELSIF value ? 'eq' THEN
        RETURN format('%s = %L::%s', compared, value ->> 'eq', type_to);
    ELSIF value ? 'like' THEN
        RETURN format('%s LIKE %L', compared, value ->> 'like');
    ELSIF value ? 'part' THEN
        RETURN format('strpos(lower(%s), lower(%L)) > 0', compared, value ->> 'part');
    END IF;
    FOR bound IN SELECT e.key, e.value FROM jsonb_each_text(value) e (key, value) LOOP
        parts := parts || format('%s %s %L::%s', compared,
            CASE bound.key WHEN 'ge' THEN '>=' WHEN 'gt' THEN '>' WHEN 'le' THEN '<='
                           WHEN 'lt' THEN '<' END, bound.value, type_to);
    END LOOP;
    RETURN '(' || array_to_string(parts, ' AND ') || ')';
END
$$;

-- What a source can tell of a filter, as a condition that begins with AND; '' when nothing.
-- Internal.
CREATE FUNCTION queue.filter_condition(filter jsonb, source text, but text[] DEFAULT '{}')
RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
    SELECT coalesce(string_agg(
        format(CASE WHEN (t.term ->> 'not')::boolean THEN ' AND NOT coalesce((%s), false)'
                    ELSE ' AND (%s)' END,
               (SELECT string_agg(queue.filter_value(
                           f.fields -> (t.term ->> 'field') ->> 0,
                           f.fields -> (t.term ->> 'field') ->> 1,
                           ARRAY(SELECT jsonb_array_elements_text(t.term -> 'path')), v.value),
                           ' OR ')
                FROM jsonb_array_elements(t.term -> 'any') v (value))), ''), '')
    FROM jsonb_array_elements(filter_condition.filter) t (term)
    CROSS JOIN queue.filter_fields(filter_condition.source) f (fields)
    WHERE f.fields ? (t.term ->> 'field')
      AND NOT t.term ->> 'field' = ANY (filter_condition.but)
$$;

-- A filter whose ages are times: what it means at that time and means for ever. Internal.
CREATE FUNCTION queue.filter_at(filter jsonb, at timestamptz) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
    SELECT coalesce(jsonb_agg(
        CASE t.term ->> 'field' WHEN 'age' THEN
            t.term || jsonb_build_object('field', 'created', 'any', (
                SELECT jsonb_agg((
                    SELECT jsonb_object_agg(
                        CASE b.key WHEN 'ge' THEN 'le' WHEN 'gt' THEN 'lt' WHEN 'le' THEN 'ge'
                                   ELSE 'gt' END,
                        filter_at.at - b.value::bigint * interval '1 microsecond')
                    FROM jsonb_each_text(v.value) b (key, value)))
                FROM jsonb_array_elements(t.term -> 'any') v (value)))
        ELSE t.term END ORDER BY t.place), '[]')
    FROM jsonb_array_elements(filter_at.filter) WITH ORDINALITY t (term, place)
$$;

-- The states a filter allows. What only dead letters have allows dead jobs only. Internal.
CREATE FUNCTION queue.filter_states(filter jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE
AS $$
    SELECT ARRAY(
        SELECT s.state
        FROM unnest(ARRAY['scheduled', 'ready', 'running', 'retrying', 'completed', 'cancelled',
                          'dead']) s (state)
        WHERE NOT EXISTS (
            SELECT FROM jsonb_array_elements(filter_states.filter) t (term)
            WHERE CASE
                WHEN t.term ->> 'field' = 'state' THEN
                    coalesce((t.term ->> 'not')::boolean, false)
                    = (t.term -> 'any' @> jsonb_build_array(jsonb_build_object('eq', s.state)))
                WHEN t.term ->> 'field' IN ('fingerprint', 'reason', 'died') THEN
                    s.state <> 'dead'
                ELSE false END))
$$;

-- The lines a filter allows; NULL: all of them. Internal.
CREATE FUNCTION queue.filter_lines(filter jsonb) RETURNS integer[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    condition text := queue.filter_condition(filter_lines.filter, 'line');
    lines integer[];
BEGIN
    IF condition = '' THEN
        RETURN NULL;
    END IF;
    EXECUTE 'SELECT coalesce(array_agg(l.id), ''{}'') FROM queue.line l'
            ' JOIN queue.queue q ON q.id = l.queue_id WHERE true' || condition INTO lines;
    RETURN lines;
END
$$;

-- The widest span a filter allows of a field: `low` to `high`, NULL where it is open. Internal.
CREATE FUNCTION queue.filter_span(filter jsonb, field text, OUT low text, OUT high text)
LANGUAGE sql IMMUTABLE
AS $$
    -- Any term bounds the whole; among several of one field the first with that bound will do.
    SELECT (array_agg(s.low) FILTER (WHERE s.low IS NOT NULL))[1],
           (array_agg(s.high) FILTER (WHERE s.high IS NOT NULL))[1]
    FROM (SELECT coalesce(v.value ->> 'ge', v.value ->> 'gt', v.value ->> 'eq') AS low,
                 coalesce(v.value ->> 'le', v.value ->> 'lt', v.value ->> 'eq') AS high
          FROM jsonb_array_elements(filter_span.filter) t (term)
          CROSS JOIN LATERAL (SELECT t.term -> 'any' -> 0) v (value)
          WHERE t.term ->> 'field' = filter_span.field
            AND NOT coalesce((t.term ->> 'not')::boolean, false)
            AND jsonb_array_length(t.term -> 'any') = 1) s
$$;

-- The id from which on jobs were created at or after a time, roughly: ids are drawn a moment before
-- or after a job's time is read. Looks at about 30 jobs. Internal.
CREATE FUNCTION queue.find_id_at(at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
DECLARE
    low bigint;
    high bigint;
    middle bigint;
    met record;
BEGIN
    SELECT min(x.id), max(x.id) + 1 INTO low, high FROM queue.job x;
    WHILE high - low > 1000 LOOP
        middle := low + (high - low) / 2;
        SELECT x.id, x.created_at INTO met
        FROM queue.job x WHERE x.id >= middle ORDER BY x.id LIMIT 1;
        IF FOUND AND met.id < high AND met.created_at < find_id_at.at THEN
            low := met.id;
        ELSE
            high := middle;
        END IF;
    END LOOP;
    RETURN high;
END
$$;

-- Candidates of one source behind a place, as a query with columns id, at and maybe (FALSE: seen,
-- does not match); $1 timestamptz and $2 bigint are that place, $3 how many. Newest first; letters
-- also oldest first. Internal.
--   history  every job by id, at is not used; all columns of queue.job
--   ended    jobs by id that have attempts, those whose latest is of the states asked
--   line     what waits, by the time it is due
--   lease    what runs, by the time it was claimed
--   letter   what died, by the time of death
CREATE FUNCTION queue.candidate_query(
    source text, filter jsonb, lines integer[], states text[], oldest_first boolean) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    tenant text := queue.current_tenant()::text;
    span record;
    created record;
    due text := CASE WHEN states && ARRAY['scheduled', 'retrying'] AND NOT 'ready' = ANY (states)
                     THEN ' AND r.run_at > now()'
                     WHEN NOT states && ARRAY['scheduled', 'retrying'] THEN ' AND r.run_at <= now()'
                     ELSE '' END;
    more text := '';
    direction text := CASE WHEN oldest_first THEN 'ASC' ELSE 'DESC' END;
    side text := CASE WHEN oldest_first THEN '>' ELSE '<' END;
BEGIN
    IF source = 'letter' THEN
        -- Only what an index is there for: the rest is looked at afterwards, in bounded steps.
        RETURN format('SELECT d.job_id AS id, d.died_at AS at, true AS maybe'
                      ' FROM queue.dead_letter d'
                      ' WHERE (d.died_at, d.job_id) %s ($1, $2)%s%s'
                      ' ORDER BY d.died_at %s, d.job_id %4$s LIMIT $3', side,
                      coalesce(' AND d.tenant_id = ' || quote_literal(tenant), ''),
                      (SELECT queue.filter_condition(
                           coalesce(jsonb_agg(t.term), '[]'::jsonb), 'letter')
                       FROM jsonb_array_elements(filter) t (term)
                       WHERE t.term ->> 'field' IN ('fingerprint', 'queue', 'tenant', 'died')
                         AND t.term -> 'not' IS NULL AND jsonb_array_length(t.term -> 'any') = 1
                         AND (t.term -> 'any' -> 0 ? 'eq' OR t.term ->> 'field' = 'died')),
                      direction);
    ELSIF source = 'lease' THEN
        RETURN 'SELECT t.job_id AS id, s.claimed_at AS at, true AS maybe FROM queue.lease s'
               ' CROSS JOIN LATERAL unnest(s.job_ids) t (job_id)'
               ' WHERE (s.claimed_at, t.job_id) < ($1, $2) AND NOT EXISTS (SELECT FROM'
               ' queue.attempt a WHERE a.job_id = t.job_id AND a.lease_id = s.id)'
               ' ORDER BY s.claimed_at DESC, t.job_id DESC LIMIT $3';
    ELSIF source = 'line' THEN
        IF NOT 'retrying' = ANY (states) AND NOT 'ready' = ANY (states) THEN
            more := ' AND r.attempt = 0';
        END IF;
        RETURN format('SELECT u.id, u.at, true AS maybe FROM (SELECT r.id, r.run_at AS at FROM'
                      ' (SELECT unnest(ARRAY[l.id, -l.id]) AS id FROM %s) l'
                      ' CROSS JOIN LATERAL (SELECT r.id, r.run_at FROM queue.ready r'
                      ' WHERE r.line_id = l.id AND (r.run_at, r.id) < ($1, $2)%s'
                      ' ORDER BY r.run_at DESC, r.id DESC LIMIT $3) r'
                      ' UNION ALL SELECT r.job_id, r.run_at FROM queue.key_wait r'
                      ' WHERE (r.run_at, r.job_id) < ($1, $2)%s%s) u'
                      ' ORDER BY u.at DESC, u.id DESC LIMIT $3',
                      CASE WHEN lines IS NULL THEN 'queue.line l'
                           ELSE format('unnest(%L::integer[]) l (id)', lines) END,
                      due || more, due || more,
                      CASE WHEN lines IS NULL THEN ''
                           ELSE format(' AND abs(r.line_id) = ANY (%L::integer[])', lines) END);
    END IF;
    span := queue.filter_span(filter, 'id');
    created := queue.filter_span(filter, 'created');
    more := coalesce(' AND x.id >= ' || span.low::bigint, '')
        || coalesce(' AND x.id <= ' || span.high::bigint, '')
        || CASE WHEN created.high IS NULL THEN '' ELSE coalesce(' AND x.id <= '
               || queue.find_id_at(created.high::timestamptz + interval '5 minutes'), '') END
        || CASE WHEN created.low IS NULL THEN '' ELSE coalesce(' AND x.id >= '
               || queue.find_id_at(created.low::timestamptz - interval '5 minutes') - 1000, '') END;
    IF source = 'ended' THEN
        RETURN format('SELECT x.job_id AS id, NULL::timestamptz AS at, x.next_run_at IS NULL'
                      ' AND x.outcome = ANY (%L::queue.attempt_outcome[]) AND x.job_id IS DISTINCT'
                      ' FROM lag(x.job_id) OVER (ORDER BY x.job_id DESC, x.lease_id DESC) AS maybe'
                      ' FROM (SELECT x.job_id, x.lease_id, x.next_run_at, x.outcome'
                      ' FROM queue.attempt x WHERE x.job_id < $2%s'
                      ' ORDER BY x.job_id DESC, x.lease_id DESC LIMIT $3) x',
                      states, replace(more, 'x.id', 'x.job_id'));
    END IF;
    RETURN format('SELECT x.*, NULL::timestamptz AS at, true AS maybe FROM queue.job x'
                  ' WHERE x.id < $2%s%s%s ORDER BY x.id DESC LIMIT $3', more,
                  coalesce(' AND x.tenant_id = ' || quote_literal(tenant), ''),
                  (SELECT queue.filter_condition(coalesce(jsonb_agg(t.term), '[]'::jsonb), 'fact')
                   FROM jsonb_array_elements(filter) t (term)
                   WHERE t.term ->> 'field' = 'tenant' AND t.term -> 'not' IS NULL
                     AND t.term -> 'any' -> 0 ? 'eq' AND jsonb_array_length(t.term -> 'any') = 1));
END
$$;
COMMENT ON FUNCTION queue.candidate_query IS 'SQL text; every value in it is quoted';

-- Looks at the candidates of one source until so many match, all are seen or the time is up.
-- Internal.
CREATE FUNCTION queue.find_in(
    source text, filter jsonb, start_at timestamptz, start_id bigint, most integer,
    deadline timestamptz, oldest_first boolean,
    OUT ids bigint[], OUT ats timestamptz[], OUT stop_at timestamptz, OUT stop_id bigint,
    OUT capped boolean)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    lines integer[] := queue.filter_lines(filter);
    states text[] := queue.filter_states(filter);
    facts text := queue.filter_condition(filter, 'fact');
    rest text := queue.filter_condition(filter, 'job');
    -- The candidates of this source are in these states already.
    all_states boolean := cardinality(states) = 7 OR source = 'ended';
    work text;
    step record;
    -- Of each line as many are taken as of all.
    widest integer := CASE source WHEN 'line' THEN greatest(
        100, 50000 / greatest(1, coalesce(cardinality(lines),
                                          (SELECT count(*) FROM queue.line)))) ELSE 20000 END;
    -- The first step is small, for a filter that matches much; what follows suits the time left.
    page integer := least(widest, greatest(most, 200));
    step_began timestamptz;
    took double precision;
BEGIN
    ids := '{}';
    ats := '{}';
    stop_at := start_at;
    stop_id := start_id;
    capped := false;
    IF source <> 'letter' AND lines = '{}' THEN
        RETURN;
    END IF;
    work := queue.candidate_query(source, filter, lines, states, oldest_first);
    IF source = 'letter' THEN
        work := format($q$
            WITH page AS MATERIALIZED (%s),
            hit AS (SELECT p.id, p.at FROM page p
                    CROSS JOIN LATERAL (SELECT y.* FROM queue.dead_letter y
                                        WHERE y.job_id = p.id OFFSET 0) d
                    WHERE true%s
                    ORDER BY p.at %s, p.id %3$s LIMIT $4)$q$,
            work, queue.filter_condition(filter, 'letter'),
            CASE WHEN oldest_first THEN 'ASC' ELSE 'DESC' END);
    ELSE
        work := format($q$
            WITH page AS MATERIALIZED (%s),
            hit AS (SELECT p.id, p.at FROM page p %s %s
                    WHERE p.maybe%s%s%s%s
                    ORDER BY p.at DESC, p.id DESC LIMIT $4)$q$,
            work,
            CASE WHEN source = 'history' THEN 'CROSS JOIN LATERAL (SELECT p.*) x'
                 WHEN facts <> '' OR (lines IS NOT NULL AND source <> 'line') THEN
                'CROSS JOIN LATERAL (SELECT y.* FROM queue.job y WHERE y.id = p.id OFFSET 0) x'
                ELSE '' END,
            CASE WHEN rest <> '' OR NOT all_states THEN
                'CROSS JOIN LATERAL (SELECT y.* FROM queue.jobs y WHERE y.id = p.id OFFSET 0) j'
                ELSE '' END,
            facts,
            CASE WHEN lines IS NOT NULL AND source <> 'line'
                 THEN format(' AND x.line_id = ANY (%L::integer[])', lines) ELSE '' END,
            rest,
            CASE WHEN all_states THEN ''
                 ELSE format(' AND j.state = ANY (%L::text[])', states) END);
    END IF;
    work := work || format($q$
        SELECT (SELECT count(*) FROM page) AS seen, l.id AS last_id, l.at AS last_at,
               ARRAY(SELECT h.id FROM hit h ORDER BY h.at %1$s, h.id %1$s) AS ids,
               ARRAY(SELECT h.at FROM hit h ORDER BY h.at %1$s, h.id %1$s) AS ats
        FROM (SELECT 1) one
        LEFT JOIN LATERAL (SELECT p.id, p.at FROM page p ORDER BY p.at %2$s, p.id %2$s LIMIT 1) l
            ON true$q$,
        CASE WHEN oldest_first THEN 'ASC' ELSE 'DESC' END,
        CASE WHEN oldest_first THEN 'DESC' ELSE 'ASC' END);
    LOOP
        step_began := clock_timestamp();
        EXECUTE work INTO step USING stop_at, stop_id, page, most - cardinality(ids);
        ids := ids || step.ids;
        ats := ats || step.ats;
        IF cardinality(ids) >= most OR step.seen < page THEN
            RETURN;
        END IF;
        stop_at := step.last_at;
        stop_id := step.last_id;
        IF clock_timestamp() >= deadline THEN
            capped := true;
            RETURN;
        END IF;
        took := greatest(0.1, extract(epoch FROM clock_timestamp() - step_began) * 1000);
        page := greatest(100, least(
            widest, 4 * page,
            page * extract(epoch FROM deadline - clock_timestamp()) * 1000 / took))::integer;
    END LOOP;
END
$$;

-- Ids of the jobs that match, in the order of the list, each with the cursor that goes on behind
-- it. Jobs that wait, run or are dead come by the time they are due, were claimed or died, the
-- latest first; when completed or cancelled ones are asked for, or a tenant's, all come by id. When
-- the time given is up before so many were found, the last row has no id and a cursor to go on.
-- Obeys row-level security. Raises LQ001 for a cursor that is none.
CREATE FUNCTION queue.find_jobs(
    filter jsonb, behind text DEFAULT NULL, most integer DEFAULT 50,
    budget interval DEFAULT interval '100 milliseconds', oldest_first boolean DEFAULT false)
RETURNS TABLE (id bigint, behind_it text)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    wanted jsonb := queue.filter_at(find_jobs.filter, clock_timestamp());
    states text[] := queue.filter_states(find_jobs.filter);
    tenant_only boolean := queue.current_tenant() IS NOT NULL
        OR find_jobs.filter @> '[{"field": "tenant"}]';
    sources text[];
    source text;
    part record;
    start_at timestamptz := CASE WHEN oldest_first THEN '-infinity' ELSE 'infinity' END;
    start_id bigint := CASE WHEN oldest_first THEN 0 ELSE 9223372036854775807 END;
    deadline timestamptz := clock_timestamp() + budget;
    all_ids bigint[] := '{}';
    all_ats timestamptz[] := '{}';
    cut_at timestamptz;
    cut_id bigint;
    is_cut boolean := false;
    one record;
    given integer := 0;
BEGIN
    IF cardinality(states) = 0 THEN
        RETURN;
    ELSIF states = ARRAY['dead'] THEN
        sources := ARRAY['letter'];
    ELSIF tenant_only OR states && ARRAY['completed', 'cancelled'] THEN
        sources := ARRAY[CASE WHEN tenant_only OR NOT states <@ ARRAY['completed', 'cancelled']
                              THEN 'history' ELSE 'ended' END];
    ELSE
        sources := CASE WHEN states && ARRAY['ready', 'scheduled', 'retrying']
                        THEN ARRAY['line'] ELSE '{}' END
                || CASE WHEN 'running' = ANY (states) THEN ARRAY['lease'] ELSE '{}' END
                || CASE WHEN 'dead' = ANY (states) THEN ARRAY['letter'] ELSE '{}' END;
    END IF;
    IF behind IS NOT NULL THEN
        IF (sources[1] IN ('history', 'ended') AND behind !~ '^[0-9]{1,18}$')
           OR (sources[1] NOT IN ('history', 'ended')
               AND behind !~ '^-?[0-9]{1,18}[.][0-9]{1,18}$') THEN
            RAISE EXCEPTION 'cursor: expected one that came with a page of the same filter, got %',
                quote_literal(left(behind, 100)) USING ERRCODE = 'LQ001';
        END IF;
        start_id := split_part(behind, '.', CASE WHEN strpos(behind, '.') = 0 THEN 1 ELSE 2 END);
        IF sources[1] NOT IN ('history', 'ended') THEN
            start_at := timestamptz '1970-01-01 00:00:00+00'
                        + split_part(behind, '.', 1)::bigint * interval '1 microsecond';
        END IF;
    END IF;
    FOREACH source IN ARRAY sources LOOP
        part := queue.find_in(source,
            -- Of the states only those that stand there: each source is asked for its own.
            wanted || CASE WHEN cardinality(sources) = 1 THEN '[]'::jsonb
                ELSE jsonb_build_array(jsonb_build_object('field', 'state', 'any', CASE source
                    WHEN 'line' THEN '[{"eq": "ready"}, {"eq": "scheduled"}, {"eq": "retrying"}]'
                    WHEN 'lease' THEN '[{"eq": "running"}]'
                    ELSE '[{"eq": "dead"}]' END::jsonb)) END,
            start_at, start_id, most, deadline, oldest_first);
        all_ids := all_ids || part.ids;
        all_ats := all_ats || part.ats;
        -- Behind where one source stopped nothing is known to be complete.
        IF part.capped AND (NOT is_cut OR (part.stop_at, part.stop_id) > (cut_at, cut_id)) THEN
            is_cut := true;
            cut_at := part.stop_at;
            cut_id := part.stop_id;
        END IF;
    END LOOP;
    FOR one IN
        SELECT u.id, u.at FROM unnest(all_ids, all_ats) u (id, at)
        WHERE NOT is_cut OR u.at IS NULL OR oldest_first OR (u.at, u.id) >= (cut_at, cut_id)
        ORDER BY CASE WHEN oldest_first THEN u.at END, CASE WHEN oldest_first THEN u.id END,
                 u.at DESC, u.id DESC
        LIMIT most
    LOOP
        id := one.id;
        behind_it := CASE WHEN one.at IS NULL THEN ''
            ELSE (extract(epoch FROM one.at) * 1000000)::bigint || '.' END || one.id;
        given := given + 1;
        RETURN NEXT;
    END LOOP;
    IF is_cut AND given < most THEN
        id := NULL;
        behind_it := CASE WHEN cut_at IS NULL THEN ''
            ELSE (extract(epoch FROM cut_at) * 1000000)::bigint || '.' END || cut_id;
        RETURN NEXT;
    END IF;
END
$$;

-- How many jobs match: exactly, or at least so many when there are more than asked or the time
-- given is up. Obeys row-level security.
CREATE FUNCTION queue.count_jobs(
    filter jsonb, most integer DEFAULT 10000, budget interval DEFAULT interval '500 milliseconds',
    OUT count bigint, OUT exact boolean)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off
AS $$
DECLARE
    states text[] := queue.filter_states(count_jobs.filter);
    due text := CASE
        WHEN states = ARRAY['ready'] THEN ' AND r.run_at <= now()'
        WHEN states = ARRAY['scheduled', 'retrying'] THEN ' AND r.run_at > now()'
        WHEN states = ARRAY['scheduled', 'ready', 'retrying'] THEN '' END;
BEGIN
    IF due IS NOT NULL AND queue.current_tenant() IS NULL
       AND NOT EXISTS (SELECT FROM jsonb_array_elements(count_jobs.filter) t (term)
                       WHERE t.term ->> 'field' NOT IN ('state', 'queue', 'kind', 'priority')) THEN
        -- The rows in line tell it all, in any order.
        EXECUTE 'SELECT count(*) FROM (SELECT FROM (SELECT unnest(ARRAY[l.id, -l.id]) AS id'
                ' FROM queue.line l WHERE $2 IS NULL OR l.id = ANY ($2)) l'
                ' CROSS JOIN LATERAL (SELECT FROM queue.ready r WHERE r.line_id = l.id' || due
                || ' LIMIT $1) x LIMIT $1) y' INTO count
        USING most + 1, queue.filter_lines(count_jobs.filter);
        IF count <= most THEN
            EXECUTE 'SELECT $3 + count(*) FROM (SELECT FROM queue.key_wait r'
                    ' WHERE ($2 IS NULL OR abs(r.line_id) = ANY ($2))' || due
                    || ' LIMIT $1 + 1 - $3) y' INTO count
            USING most, queue.filter_lines(count_jobs.filter), count;
        END IF;
        exact := count <= most;
        count := least(count, most);
        RETURN;
    END IF;
    SELECT least(count(f.id), most), count(*) <= most AND count(*) = count(f.id)
    INTO count, exact
    FROM queue.find_jobs(count_jobs.filter, NULL, most + 1, budget) f;
END
$$;

-- It tells no more than how many jobs there were.
SELECT queue.allow('operator', 'queue.find_id_at');
SELECT queue.apply_rights();
