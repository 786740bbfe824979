-- breaking: no
-- Records of the audit join its chain when their transaction commits, not when the action begins:
-- the head of the chain is the one row all actions of all tenants need, and an action that takes
-- long, or waits for a row, would have made all others wait. As the last lock of every transaction
-- it can also be no part of a deadlock. See docs/audit.md.

-- Actions of transactions under way; nobody ever sees a row of it.
CREATE TABLE queue.audit_entry (
    id bigint GENERATED ALWAYS AS IDENTITY,
    actor text NOT NULL,
    role text,
    tenant_id uuid,
    action text NOT NULL,
    target text,
    detail jsonb,
    request_id text,
    CONSTRAINT audit_entry_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE queue.audit_entry IS 'What a transaction will append to the audit when it commits';

CREATE FUNCTION queue.chain_audit_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM queue.audit_entry e WHERE e.id = NEW.id;
    PERFORM queue.append_audit(NEW.actor, NEW.role, NEW.tenant_id, NEW.action, NEW.target,
                               NEW.detail, NEW.request_id);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER chain_entry AFTER INSERT ON queue.audit_entry
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION queue.chain_audit_entry();

-- What append_audit refuses is refused where the action is, not when it commits.
CREATE FUNCTION queue.check_audit(action text, target text, detail jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    IF action IS NULL OR action !~ '^[a-z0-9_]+[.][a-z0-9_-]+$' OR length(action) > 64 THEN
        RAISE EXCEPTION 'action: expected resource.verb in at most 64 of a-z 0-9 _ -, got %',
            coalesce(quote_literal(left(action, 100)), 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    IF pg_column_size(detail) > 16384 OR octet_length(target) > 1024 THEN
        RAISE EXCEPTION 'audit: expected a detail of at most 16 KiB and a target of at most 1 KiB, '
                        'got % and % bytes', pg_column_size(detail), octet_length(target)
            USING ERRCODE = 'LQ001';
    END IF;
END
$$;

-- Appends to the chain. The lock on its head is held until the end of the transaction.
CREATE OR REPLACE FUNCTION queue.append_audit(
    actor text, role text, tenant_id uuid, action text, target text, detail jsonb,
    request_id text) RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_variable
DECLARE
    head queue.audit_head;
    made queue.audit;
BEGIN
    PERFORM queue.check_audit(action, target, detail);
    -- By its key: callers forbid sequential scans, and one that is planned nevertheless is priced
    -- so high that it is compiled first.
    SELECT h.* INTO STRICT head FROM queue.audit_head h WHERE h.only_row FOR UPDATE;
    made := ROW(head.id + 1, clock_timestamp(), actor, role, tenant_id, action, target, detail,
                request_id, head.hash, NULL);
    made.hash := queue.audit_hash(made);
    INSERT INTO queue.audit SELECT made.*;
    UPDATE queue.audit_head h SET id = made.id, hash = made.hash WHERE h.only_row;
END
$$;

CREATE OR REPLACE FUNCTION queue.record_action(action text, target text DEFAULT NULL,
                                               detail jsonb DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF coalesce(current_setting('queue.actor', true), '') <> '' THEN
        PERFORM queue.check_audit(record_action.action, record_action.target,
                                  record_action.detail);
        INSERT INTO queue.audit_entry (actor, role, tenant_id, action, target, detail, request_id)
        VALUES (current_setting('queue.actor'), current_setting('queue.role', true),
                queue.current_tenant(), record_action.action, record_action.target,
                record_action.detail, nullif(current_setting('queue.request_id', true), ''));
    END IF;
END
$$;

-- Brings rights and policies to what the rules say, in the queue's schema and in those of
-- processors that have rules. Every migration that makes a table, a view or a function ends with
-- it. Without the roles it does nothing.
CREATE OR REPLACE FUNCTION queue.apply_rights() RETURNS void
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
                   'queue.audit_entry, queue.api_token, queue.table_rule, queue.function_rule '
                   'FROM %I',
                   queue.role_name('engine'));
END
$$;
SELECT queue.protect('queue.audit_entry', NULL);
SELECT queue.apply_rights();
