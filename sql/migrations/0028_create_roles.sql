-- breaking: no
-- The database's roles and row-level security. Roles belong to the cluster and making them needs
-- CREATEROLE: where the migrating role may not, all stays as it was until queue.install_roles()
-- is called by one that may. See docs/tenancy.md.

-- What somebody kept to one tenant sees of a table, as a condition on its rows; NULL, like a table
-- that is not here: nothing of it.
CREATE TABLE queue.table_rule (
    table_name text COLLATE "C" NOT NULL PRIMARY KEY,
    visible text
);
COMMENT ON TABLE queue.table_rule IS 'Rules that queue.apply_rights() makes policies of';

-- Who may call a SECURITY DEFINER function besides engine: producer (and with it operator), or
-- operator alone.
CREATE TABLE queue.function_rule (
    function_name text COLLATE "C" NOT NULL PRIMARY KEY,
    role text COLLATE "C" NOT NULL,
    CONSTRAINT function_rule_role_valid CHECK (role IN ('producer', 'operator'))
);
COMMENT ON TABLE queue.function_rule IS 'Functions that check the tenant of what they touch';

-- For migrations: who is kept to one tenant sees the rows of the table that are `visible`, writes
-- none but through functions. Of a view: it may be read, as far as its tables may.
CREATE FUNCTION queue.protect(table_name text, visible text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO queue.table_rule AS r (table_name, visible)
    VALUES (protect.table_name, protect.visible)
    ON CONFLICT ON CONSTRAINT table_rule_pkey DO UPDATE SET visible = excluded.visible;
    IF EXISTS (SELECT FROM pg_policy p
               WHERE p.polrelid = protect.table_name::regclass AND p.polname = 'tenant') THEN
        EXECUTE format('DROP POLICY tenant ON %s', protect.table_name::regclass);
    END IF;
END
$$;

CREATE FUNCTION queue.allow(role text, VARIADIC function_names text[]) RETURNS void
LANGUAGE sql
AS $$
INSERT INTO queue.function_rule AS r (function_name, role)
SELECT f.name, allow.role FROM unnest(allow.function_names) f (name)
ON CONFLICT ON CONSTRAINT function_rule_pkey DO UPDATE SET role = excluded.role
$$;

-- Policies of one table. FORCE, because functions run as its owner, and so do installations with
-- one role for everything: the owner is a member of engine, for whom every condition is the
-- constant true, which the planner drops.
CREATE FUNCTION queue.apply_policies(of_table regclass, rule_visible text) RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_variable
DECLARE
    known name[] := ARRAY(SELECT p.polname FROM pg_policy p WHERE p.polrelid = of_table);
BEGIN
    IF 'engine' <> ALL (known) THEN
        EXECUTE format('CREATE POLICY engine ON %s TO %I USING (true) WITH CHECK (true)',
                       of_table, queue.role_name('engine'));
    END IF;
    IF 'auditor' <> ALL (known) THEN
        EXECUTE format('CREATE POLICY auditor ON %s FOR SELECT TO %I USING (true)',
                       of_table, queue.role_name('auditor'));
    END IF;
    IF rule_visible IS NOT NULL AND 'tenant' <> ALL (known) THEN
        EXECUTE format('CREATE POLICY tenant ON %s TO %I USING (%s) WITH CHECK (%s)',
                       of_table, queue.role_name('producer'), rule_visible, rule_visible);
    END IF;
    IF NOT (SELECT c.relrowsecurity AND c.relforcerowsecurity
            FROM pg_class c WHERE c.oid = of_table) THEN
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
                       of_table);
    END IF;
END
$$;

-- Rights on all tables and views of one schema.
CREATE FUNCTION queue.apply_table_rights(of_schema text) RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_variable
DECLARE
    engine text := queue.role_name('engine');
    producer text := queue.role_name('producer');
    auditor text := queue.role_name('auditor');
    -- Read to the end first: the rules' own table is among those that are altered.
    all_tables jsonb := (
        SELECT jsonb_agg(jsonb_build_object(
                   'name', c.oid::regclass, 'is_table', c.relkind IN ('r', 'p'),
                   'visible', r.visible) ORDER BY c.relname)
        FROM pg_class c
        LEFT JOIN queue.table_rule r ON to_regclass(r.table_name) = c.oid
        WHERE c.relnamespace = of_schema::regnamespace AND c.relkind IN ('r', 'p', 'v')
          -- Reached through the table it is a part of.
          AND NOT c.relispartition);
    t record;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I, %I, %I', of_schema, engine, producer, auditor);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %I',
                   of_schema, engine);
    EXECUTE format('GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA %I TO %I',
                   of_schema, engine);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', of_schema, auditor);
    FOR t IN
        SELECT x.name::regclass AS name, x.is_table, x.visible
        FROM jsonb_to_recordset(all_tables) x (name text, is_table boolean, visible text)
    LOOP
        IF t.is_table THEN
            PERFORM queue.apply_policies(t.name, t.visible);
        END IF;
        IF t.visible IS NOT NULL THEN
            EXECUTE format('GRANT SELECT ON %s TO %I', t.name, producer);
        ELSE
            EXECUTE format('REVOKE ALL ON %s FROM %I', t.name, producer);
        END IF;
    END LOOP;
END
$$;

-- Functions that run with the owner's rights are for engine, and for others by rule. Those that
-- run with the caller's give nobody more than they have.
CREATE FUNCTION queue.apply_function_rights(of_schema text) RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_variable
DECLARE
    f record;
BEGIN
    FOR f IN
        SELECT p.oid::regprocedure AS name, queue.role_name(r.role) AS role
        FROM pg_proc p
        LEFT JOIN queue.function_rule r
          ON r.function_name = format('%s.%s', of_schema, p.proname)
        WHERE p.pronamespace = of_schema::regnamespace AND p.prosecdef
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC, %I, %I', f.name,
                       queue.role_name('producer'), queue.role_name('operator'));
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', f.name, queue.role_name('engine'));
        IF f.role IS NOT NULL THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', f.name, f.role);
        END IF;
    END LOOP;
END
$$;

-- Brings rights and policies to what the rules say, in the queue's schema and in those of
-- processors that have rules. Every migration that makes a table, a view or a function ends with
-- it. Without the roles it does nothing.
CREATE FUNCTION queue.apply_rights() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    of_schema text;
    all_schemas text[] := ARRAY(
        SELECT rtrim('queue.', '.')
        UNION
        SELECT n.nspname FROM queue.table_rule r
        JOIN pg_class c ON c.oid = to_regclass(r.table_name)
        JOIN pg_namespace n ON n.oid = c.relnamespace);
BEGIN
    IF to_regrole(queue.role_name('engine')) IS NULL
       OR to_regrole(queue.role_name('producer')) IS NULL
       OR to_regrole(queue.role_name('operator')) IS NULL
       OR to_regrole(queue.role_name('auditor')) IS NULL THEN
        RETURN;
    END IF;
    -- Who is a member has the engine's view of the tables; a bare owner would see no row of them.
    IF NOT pg_has_role(current_user, queue.role_name('engine'), 'USAGE') THEN
        RETURN;
    END IF;
    FOREACH of_schema IN ARRAY all_schemas LOOP
        PERFORM queue.apply_table_rights(of_schema), queue.apply_function_rights(of_schema);
    END LOOP;
    -- Appended to by functions alone.
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON queue.audit, queue.audit_head, '
                   'queue.api_token, queue.table_rule, queue.function_rule FROM %I',
                   queue.role_name('engine'));
END
$$;

-- One step of it that others may take at the same time in another database of the cluster.
CREATE FUNCTION queue.try_role_step(step text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    FOR attempt IN 1 .. 5 LOOP
        BEGIN
            EXECUTE step;
            RETURN;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                RETURN;
            -- "tuple concurrently updated"
            WHEN internal_error THEN
                IF attempt = 5 THEN
                    RAISE;
                END IF;
        END;
    END LOOP;
END
$$;

-- Roles that ran workers, looked on or produced by rights of their own, before there was row-level
-- security: it would show them nothing from now on, so they become members of the role that stands
-- for what they did. What everybody may (PUBLIC) has no member.
CREATE FUNCTION queue.adopt_grantees() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    step text;
    steps text[];
BEGIN
    WITH held AS (
        SELECT a.grantee, CASE a.privilege_type WHEN 'DELETE' THEN 'engine'
                                                WHEN 'SELECT' THEN 'auditor' END AS which
        FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
        WHERE c.oid = 'queue.ready'::regclass AND a.grantee NOT IN (0, c.relowner)
        UNION
        SELECT a.grantee, 'producer'
        FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) a
        WHERE n.nspname = rtrim('queue.', '.') AND a.privilege_type = 'USAGE'
          AND a.grantee NOT IN (0, n.nspowner))
    SELECT array_agg(format('GRANT %I TO %I', queue.role_name(h.which), r.rolname))
    INTO steps
    FROM held h JOIN pg_roles r ON r.oid = h.grantee
    WHERE h.which IS NOT NULL
      AND r.rolname <> ALL (ARRAY[queue.role_name('engine'), queue.role_name('producer'),
                                  queue.role_name('operator'), queue.role_name('auditor')])
      AND NOT pg_has_role(r.oid, queue.role_name(h.which), 'USAGE');
    FOREACH step IN ARRAY coalesce(steps, '{}') LOOP
        PERFORM queue.try_role_step(step);
    END LOOP;
END
$$;

-- Makes the roles, makes the caller (the owner of the tables) a member of them, and puts the rules
-- in force. May be repeated. Returns NULL, or why it could not, and then nothing has changed.
CREATE FUNCTION queue.install_roles() RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    which text;
    one text;
BEGIN
    FOREACH which IN ARRAY ARRAY['engine', 'producer', 'operator', 'auditor'] LOOP
        one := queue.role_name(which);
        IF to_regrole(one) IS NULL THEN
            PERFORM queue.try_role_step(format('CREATE ROLE %I NOLOGIN', one));
        END IF;
    END LOOP;
    -- Whoever acts for people may do what producers may.
    IF NOT pg_has_role(queue.role_name('operator'), queue.role_name('producer'), 'USAGE') THEN
        PERFORM queue.try_role_step(format('GRANT %I TO %I', queue.role_name('producer'),
                                           queue.role_name('operator')));
    END IF;
    FOREACH which IN ARRAY ARRAY['engine', 'operator', 'auditor'] LOOP
        one := queue.role_name(which);
        IF NOT pg_has_role(current_user, one, 'USAGE') THEN
            PERFORM queue.try_role_step(format('GRANT %I TO %I', one, current_user));
        END IF;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = 'queue.job'::regclass) THEN
        PERFORM queue.adopt_grantees();
    END IF;
    PERFORM queue.apply_rights();
    RETURN NULL;
EXCEPTION WHEN insufficient_privilege THEN
    RETURN format('the roles were not installed, role %s may not: %s', current_user, SQLERRM);
END
$$;

-- Everybody who produces names these; they hold no tenant's data.
SELECT queue.protect('queue.' || s.name, 'true')
FROM unnest(ARRAY['queue', 'kind', 'line', 'lease', 'worker', 'installation', 'keyed_queue',
                  'weighted_kind', 'archive']) s (name);

-- What names its tenant.
SELECT queue.protect('queue.' || s.name, 'tenant_id = queue.current_tenant()')
FROM unnest(ARRAY['job', 'dead_letter', 'idempotency', 'archived_job', 'batch', 'schedule',
                  'subscription', 'erasure', 'effect', 'api_token', 'audit']) s (name);
SELECT queue.protect('queue.tenant', 'id = queue.current_tenant()');

-- What belongs to a job is as visible as the job. OFFSET 0: one look-up per row; the planner must
-- not read all jobs of the tenant first.
SELECT queue.protect('queue.' || s.name, format(
    'EXISTS (SELECT FROM queue.job j WHERE j.id = %s AND j.tenant_id = queue.current_tenant() '
    'OFFSET 0)', s.id))
FROM (VALUES ('attempt', 'job_id'), ('ready', 'ready.id'), ('cancel_request', 'job_id'),
             ('progress', 'job_id'), ('checkpoint', 'job_id'), ('job_log', 'job_id'),
             ('key_wait', 'job_id'), ('key_hold', 'job_id'), ('subject', 'job_id')) s (name, id);

SELECT queue.protect('queue.' || s.name,
    'EXISTS (SELECT FROM queue.batch b WHERE b.id = batch_id '
    'AND b.tenant_id = queue.current_tenant() OFFSET 0)')
FROM unnest(ARRAY['batch_part', 'batch_failure', 'batch_tally']) s (name);
SELECT queue.protect('queue.schedule_run',
    'EXISTS (SELECT FROM queue.schedule s WHERE s.id = schedule_id '
    'AND s.tenant_id = queue.current_tenant() OFFSET 0)');

SELECT queue.protect('queue.erasure_pending',
    'EXISTS (SELECT FROM queue.erasure e WHERE e.id = erasure_id '
    'AND e.tenant_id = queue.current_tenant() OFFSET 0)');

-- Their keys are values out of other tenants' jobs, their topics other tenants' words: limit_*,
-- unrouted_*, topic_node, key_look, retention_walk stay hidden.

SELECT queue.protect('queue.' || v.name, 'true')
FROM unnest(ARRAY['jobs', 'dead_letters', 'job_logs', 'effects', 'batches', 'schedules',
                  'schedule_runs', 'subscriptions', 'erasures', 'archived_jobs', 'archives',
                  'waiting', 'queue_stats']) v (name);

SELECT queue.install_roles();
