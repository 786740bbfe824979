-- breaking: no
-- Who may see and do what: tenants, API tokens, the principal of a transaction, and the audit of
-- what principals did. Row-level security itself is the next migration's. See docs/tenancy.md.

CREATE TABLE queue.tenant (
    id uuid NOT NULL PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT tenant_name_key UNIQUE (name),
    CONSTRAINT tenant_name_valid CHECK (name ~ '^[A-Za-z0-9_.-]{1,64}$')
);
COMMENT ON TABLE queue.tenant IS
    'Whose data is kept apart; jobs may also be of ids that have no row here';

CREATE TABLE queue.api_token (
    id uuid NOT NULL PRIMARY KEY,
    -- Grows with each token: what lists go on below.
    number bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id uuid,
    -- SHA-256 of 256 random bits: nothing to guess, so nothing to slow down.
    hash bytea NOT NULL,
    name text COLLATE "C" NOT NULL,
    role text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text,
    expires_at timestamptz,
    revoked_at timestamptz,
    -- To the minute, so that a busy token is not a hot row.
    last_used_at timestamptz,
    CONSTRAINT api_token_hash_key UNIQUE (hash),
    CONSTRAINT api_token_number_key UNIQUE (number),
    CONSTRAINT api_token_hash_valid CHECK (octet_length(hash) = 32),
    CONSTRAINT api_token_name_valid CHECK (name ~ '^[A-Za-z0-9_.@-]{0,64}$'),
    CONSTRAINT api_token_role_valid CHECK (role IN ('viewer', 'operator', 'admin'))
);

-- The audit: appended only, each record chained to the one before by its hash.
CREATE TABLE queue.audit (
    id bigint NOT NULL PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    role text COLLATE "C" NOT NULL,
    tenant_id uuid,
    action text COLLATE "C" NOT NULL,
    target text,
    detail jsonb,
    request_id text,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL
);
CREATE INDEX audit_at_idx ON queue.audit (at);
CREATE INDEX audit_tenant_idx ON queue.audit (tenant_id, id) WHERE tenant_id IS NOT NULL;
COMMENT ON TABLE queue.audit IS 'What principals did, in the transaction they did it in';

-- One row: the last record. Its lock puts the writers one after the other.
CREATE TABLE queue.audit_head (
    only_row boolean NOT NULL PRIMARY KEY DEFAULT true,
    id bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_head_single CHECK (only_row)
) WITH (fillfactor = 50);
INSERT INTO queue.audit_head (id, hash) VALUES (0, sha256('libqueue audit'));

-- What a record's hash is over. An array of JSON has one way to be read, whatever the texts hold.
CREATE FUNCTION queue.audit_hash(r queue.audit) RETURNS bytea
LANGUAGE sql IMMUTABLE
AS $$
SELECT sha256(r.previous_hash || convert_to(jsonb_build_array(
    r.id, (extract(epoch FROM r.at) * 1000000)::bigint, r.actor, r.role, r.tenant_id, r.action,
    r.target, r.detail, r.request_id)::text, 'UTF8'))
$$;

CREATE FUNCTION queue.refuse_audit_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('queue.audit_pruning', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit is only appended to, got %', TG_OP
        USING ERRCODE = 'LQ006', HINT = 'Old records are removed by queue.prune_audit(before).';
END
$$;
CREATE TRIGGER audit_unchanged BEFORE UPDATE OR DELETE ON queue.audit
FOR EACH ROW EXECUTE FUNCTION queue.refuse_audit_change();
CREATE TRIGGER audit_kept BEFORE TRUNCATE ON queue.audit
FOR EACH STATEMENT EXECUTE FUNCTION queue.refuse_audit_change();

-- The tenant this transaction is for, NULL for none. After a transaction the setting is '' and not
-- unset in the session it ran in.
CREATE FUNCTION queue.current_tenant() RETURNS uuid
LANGUAGE sql STABLE
AS $$
SELECT nullif(current_setting('queue.tenant', true), '')::uuid
$$;

-- The database's roles are a cluster's and so carry the schema's name.
CREATE FUNCTION queue.role_name(which text) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
SELECT rtrim('queue.', '.') || '_' || which
$$;

-- A transaction for a tenant needs the role that row-level security is about.
CREATE FUNCTION queue.check_roles() RETURNS void
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    wanted text := queue.role_name('operator');
BEGIN
    IF to_regrole(wanted) IS NULL
       OR NOT has_schema_privilege(wanted, rtrim('queue.', '.'), 'USAGE') THEN
        RAISE EXCEPTION 'the roles of this database are not installed: nobody can be kept to one '
                        'tenant' USING ERRCODE = 'LQ009', HINT = 'Run qctl roles install as the '
                        'owner of the tables, with CREATEROLE.';
    END IF;
    IF NOT pg_has_role(session_user, wanted, 'MEMBER') THEN
        RAISE EXCEPTION 'role % may not act for one tenant', session_user
            USING ERRCODE = 'LQ009', HINT = format('GRANT %I TO %I', wanted, session_user);
    END IF;
END
$$;

-- Puts the rest of the transaction under a principal. With a tenant, under the role whose rows
-- row-level security chooses; a viewer's transaction can only read.
CREATE FUNCTION queue.act_as(
    actor text, role text DEFAULT 'viewer', tenant_id uuid DEFAULT NULL,
    request_id text DEFAULT NULL, statement_ms integer DEFAULT 0) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF act_as.actor IS NULL OR octet_length(act_as.actor) NOT BETWEEN 1 AND 200 THEN
        RAISE EXCEPTION 'actor: expected 1 to 200 bytes, got %',
            coalesce(octet_length(act_as.actor)::text, 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    IF act_as.role IS NULL OR act_as.role NOT IN ('viewer', 'operator', 'admin') THEN
        RAISE EXCEPTION 'role: expected viewer, operator or admin, got %',
            coalesce(quote_literal(left(act_as.role, 100)), 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    PERFORM set_config('queue.actor', act_as.actor, true),
            set_config('queue.role', act_as.role, true),
            set_config('queue.tenant', coalesce(act_as.tenant_id::text, ''), true),
            set_config('queue.request_id', coalesce(act_as.request_id, ''), true);
    IF act_as.statement_ms > 0 THEN
        PERFORM set_config('statement_timeout', act_as.statement_ms::text, true);
    END IF;
    IF act_as.tenant_id IS NOT NULL THEN
        PERFORM queue.check_roles();
        PERFORM set_config('role', queue.role_name('operator'), true);
    END IF;
    IF act_as.role = 'viewer' THEN
        PERFORM set_config('transaction_read_only', 'on', true);
    END IF;
END
$$;

-- Appends to the chain. The lock on its head is held until the end of the transaction.
CREATE FUNCTION queue.append_audit(
    actor text, role text, tenant_id uuid, action text, target text, detail jsonb,
    request_id text) RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_variable
DECLARE
    head queue.audit_head;
    made queue.audit;
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
    SELECT h.* INTO STRICT head FROM queue.audit_head h FOR UPDATE;
    made := ROW(head.id + 1, clock_timestamp(), actor, role, tenant_id, action, target, detail,
                request_id, head.hash, NULL);
    made.hash := queue.audit_hash(made);
    INSERT INTO queue.audit SELECT made.*;
    UPDATE queue.audit_head h SET id = made.id, hash = made.hash;
END
$$;

-- Of what this transaction's principal does. Without a principal it is not an action of a person:
-- applications cancel and publish all day, and whoever has SQL at hand has the server's log.
CREATE FUNCTION queue.record_action(action text, target text DEFAULT NULL,
                                    detail jsonb DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF coalesce(current_setting('queue.actor', true), '') <> '' THEN
        PERFORM queue.append_audit(
            current_setting('queue.actor'), current_setting('queue.role', true),
            queue.current_tenant(), record_action.action, record_action.target,
            record_action.detail, nullif(current_setting('queue.request_id', true), ''));
    END IF;
END
$$;

-- What only somebody without a tenant may ask for.
CREATE FUNCTION queue.refuse_tenant(what text) RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF queue.current_tenant() IS NOT NULL THEN
        RAISE EXCEPTION '%: expected a principal without tenant', what USING ERRCODE = 'LQ006';
    END IF;
END
$$;

-- Recomputes the chain as the caller's snapshot shows it. The anchor is an id and hash of the head
-- that was kept elsewhere: against it also a cut end, or a chain written anew, is found.
CREATE FUNCTION queue.verify_audit(
    anchor_id bigint DEFAULT NULL, anchor_hash text DEFAULT NULL,
    OUT ok boolean, OUT checked bigint, OUT problem text, OUT at_id bigint,
    OUT head_id bigint, OUT head_hash text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    r queue.audit;
    last_id bigint := 0;
    last_hash bytea := sha256('libqueue audit');
    head queue.audit_head;
    anchored boolean := verify_audit.anchor_id IS NULL;
BEGIN
    PERFORM queue.refuse_tenant('audit');
    checked := 0;
    SELECT h.* INTO STRICT head FROM queue.audit_head h;
    head_id := head.id;
    head_hash := encode(head.hash, 'hex');
    -- What was pruned is known by its last record, of which the chain itself tells.
    SELECT (a.detail ->> 'up_to')::bigint, decode(a.detail ->> 'hash', 'hex')
    INTO last_id, last_hash
    FROM queue.audit a WHERE a.action = 'audit.prune' ORDER BY a.id DESC LIMIT 1;
    last_id := coalesce(last_id, 0);
    last_hash := coalesce(last_hash, sha256('libqueue audit'));
    anchored := anchored OR (verify_audit.anchor_id = last_id
                             AND lower(verify_audit.anchor_hash) = encode(last_hash, 'hex'));
    FOR r IN SELECT a.* FROM queue.audit a ORDER BY a.id LOOP
        checked := checked + 1;
        at_id := r.id;
        problem := CASE
            WHEN r.id <> last_id + 1 THEN format('expected record %s, found %s: records are gone '
                                                 'or were put in another order', last_id + 1, r.id)
            WHEN r.previous_hash <> last_hash THEN 'the record does not follow the one before it'
            WHEN queue.audit_hash(r) IS DISTINCT FROM r.hash THEN 'the record was altered'
            WHEN r.id = verify_audit.anchor_id
                 AND encode(r.hash, 'hex') IS DISTINCT FROM lower(verify_audit.anchor_hash)
            THEN 'the record is another than the anchor: the chain was written anew'
        END;
        IF problem IS NOT NULL THEN
            ok := false;
            RETURN;
        END IF;
        anchored := anchored OR r.id = verify_audit.anchor_id;
        last_id := r.id;
        last_hash := r.hash;
    END LOOP;
    at_id := NULL;
    problem := CASE
        WHEN head.id <> last_id OR head.hash <> last_hash
        THEN format('the head is record %s, the last found is %s: records are gone at the end',
                    head.id, last_id)
        WHEN verify_audit.anchor_id > last_id
        THEN format('the anchor is record %s, the last found is %s: records are gone at the end',
                    verify_audit.anchor_id, last_id)
        WHEN NOT anchored THEN 'the record of the anchor was pruned: keep a newer one'
    END;
    ok := problem IS NULL;
END
$$;

-- Removes the records older than `before`; at most so many, the oldest first. That is recorded,
-- with the hash the chain goes on from.
CREATE FUNCTION queue.prune_audit(before timestamptz, most integer DEFAULT 100000) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first_id bigint;
    last_id bigint;
    last_hash bytea;
    gone bigint;
BEGIN
    PERFORM queue.refuse_tenant('audit');
    PERFORM FROM queue.audit_head h FOR UPDATE;
    SELECT min(a.id) INTO first_id FROM queue.audit a;
    SELECT least(coalesce((SELECT min(a.id) FROM queue.audit a WHERE a.at >= before) - 1, h.id),
                 first_id + greatest(most, 1) - 1)
    INTO last_id FROM queue.audit_head h;
    IF first_id IS NULL OR last_id < first_id THEN
        RETURN 0;
    END IF;
    SELECT a.hash INTO STRICT last_hash FROM queue.audit a WHERE a.id = last_id;
    PERFORM set_config('queue.audit_pruning', 'on', true);
    DELETE FROM queue.audit a WHERE a.id <= last_id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    PERFORM set_config('queue.audit_pruning', 'off', true);
    PERFORM queue.append_audit(
        coalesce(nullif(current_setting('queue.actor', true), ''), 'sql:' || session_user),
        coalesce(nullif(current_setting('queue.role', true), ''), 'admin'), NULL, 'audit.prune',
        NULL, jsonb_build_object('up_to', last_id, 'hash', encode(last_hash, 'hex'),
                                 'rows', gone, 'before', before),
        nullif(current_setting('queue.request_id', true), ''));
    RETURN gone;
END
$$;

CREATE FUNCTION queue.create_tenant(name text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    new_id uuid := gen_random_uuid();
BEGIN
    PERFORM queue.refuse_tenant('tenants');
    IF create_tenant.name IS NULL OR create_tenant.name !~ '^[A-Za-z0-9_.-]{1,64}$' THEN
        RAISE EXCEPTION 'tenant name: expected 1 to 64 of A-Z a-z 0-9 _ . -, got %',
            coalesce(quote_literal(left(create_tenant.name, 100)), 'NULL')
            USING ERRCODE = 'LQ001';
    END IF;
    INSERT INTO queue.tenant (id, name) VALUES (new_id, create_tenant.name)
    ON CONFLICT ON CONSTRAINT tenant_name_key DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is a tenant %', quote_literal(create_tenant.name)
            USING ERRCODE = 'LQ006';
    END IF;
    PERFORM queue.record_action('tenants.create', new_id::text,
                                jsonb_build_object('name', create_tenant.name));
    RETURN new_id;
END
$$;

-- The token itself is drawn and hashed by who asks: it never comes here, nor into the server's log.
CREATE FUNCTION queue.create_token(
    hash bytea, role text, tenant_id uuid DEFAULT NULL, name text DEFAULT NULL,
    ttl interval DEFAULT NULL, OUT id uuid, OUT expires_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    own uuid := queue.current_tenant();
    at_now timestamptz := clock_timestamp();
BEGIN
    IF create_token.role IS NULL OR create_token.role NOT IN ('viewer', 'operator', 'admin') THEN
        RAISE EXCEPTION 'role: expected viewer, operator or admin, got %',
            coalesce(quote_literal(left(create_token.role, 100)), 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    IF create_token.name !~ '^[A-Za-z0-9_.@-]{0,64}$' THEN
        RAISE EXCEPTION 'token name: expected at most 64 of A-Z a-z 0-9 _ . @ -, got %',
            quote_literal(left(create_token.name, 100)) USING ERRCODE = 'LQ001';
    END IF;
    IF create_token.ttl < interval '1 second' OR create_token.ttl > interval '3650 days' THEN
        RAISE EXCEPTION 'ttl: expected 1 second to 3650 days, got %', create_token.ttl
            USING ERRCODE = 'LQ001';
    END IF;
    IF own IS NOT NULL AND create_token.tenant_id <> own
       OR NOT EXISTS (SELECT FROM queue.tenant t WHERE t.id = create_token.tenant_id)
          AND create_token.tenant_id IS NOT NULL THEN
        RAISE EXCEPTION 'no tenant %', create_token.tenant_id USING ERRCODE = 'LQ005';
    END IF;
    -- Ended ones are kept a while, for whoever asks what a token in a log was.
    DELETE FROM queue.api_token t USING (
        SELECT o.id FROM queue.api_token o
        WHERE least(o.revoked_at, o.expires_at) < at_now - interval '90 days' LIMIT 1000) old
    WHERE t.id = old.id;
    id := gen_random_uuid();
    expires_at := at_now + create_token.ttl;
    INSERT INTO queue.api_token
        (id, tenant_id, hash, name, role, created_at, created_by, expires_at)
    VALUES (create_token.id, coalesce(own, create_token.tenant_id), create_token.hash,
            coalesce(create_token.name, ''), create_token.role, at_now,
            nullif(current_setting('queue.actor', true), ''), create_token.expires_at);
    PERFORM queue.record_action('tokens.create', id::text, jsonb_build_object(
        'name', create_token.name, 'role', create_token.role,
        'tenant_id', coalesce(own, create_token.tenant_id), 'expires_at', expires_at));
END
$$;

-- Who holds the token of this hash; no row when nobody does, or does no longer.
CREATE FUNCTION queue.find_token(hash bytea)
RETURNS TABLE (id uuid, name text, role text, tenant_id uuid, expires_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    at_now timestamptz := clock_timestamp();
    t queue.api_token;
BEGIN
    SELECT a.* INTO t FROM queue.api_token a
    WHERE a.hash = find_token.hash AND a.revoked_at IS NULL
      AND coalesce(a.expires_at > at_now, true);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF coalesce(t.last_used_at < at_now - interval '1 minute', true) THEN
        -- Whoever is first writes; the others have nothing to wait for.
        UPDATE queue.api_token a SET last_used_at = date_trunc('minute', at_now)
        WHERE a.id = (SELECT o.id FROM queue.api_token o WHERE o.id = t.id
                      FOR UPDATE SKIP LOCKED);
    END IF;
    RETURN QUERY SELECT t.id, t.name, t.role, t.tenant_id, t.expires_at;
END
$$;

CREATE FUNCTION queue.revoke_token(id uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    own uuid := queue.current_tenant();
    known queue.api_token;
BEGIN
    SELECT t.* INTO known FROM queue.api_token t
    WHERE t.id = revoke_token.id AND (own IS NULL OR t.tenant_id = own) FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no token %', revoke_token.id USING ERRCODE = 'LQ005';
    END IF;
    IF known.revoked_at IS NULL THEN
        UPDATE queue.api_token t SET revoked_at = clock_timestamp() WHERE t.id = revoke_token.id;
        PERFORM queue.record_action('tokens.revoke', revoke_token.id::text,
                                    jsonb_build_object('name', known.name));
    END IF;
END
$$;
