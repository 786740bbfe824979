-- breaking: no
-- Whom we may write to, how often and when: preferences, suppressions and the count of what was
-- sent, for all channels (email, sms). Shared by the processors that send: see
-- docs/processors/email.md.
--
-- No address is kept. A contact is the keyed hash (HMAC-SHA256) of channel and address, with a key
-- that is made here and never leaves the table `setting`: who can read the other tables cannot try
-- out guessed addresses, and a copy of them is worth nothing without the key. Beside it stands a
-- masked form (j***@example.com), for people.

CREATE TABLE contacts.setting (
    only_row boolean NOT NULL PRIMARY KEY DEFAULT true,
    -- The key, already mixed with the two pads of RFC 2104.
    inner_key bytea NOT NULL,
    outer_key bytea NOT NULL,
    CONSTRAINT setting_only_row CHECK (only_row)
);

DO $$
DECLARE
    -- 244 random bits twice: gen_random_uuid is the one strong source without an extension.
    key bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
                        || uuid_send(gen_random_uuid()));
    inner_key bytea := decode(repeat('36', 64), 'hex');
    outer_key bytea := decode(repeat('5c', 64), 'hex');
BEGIN
    FOR i IN 0..31 LOOP
        inner_key := set_byte(inner_key, i, get_byte(key, i) # 54);
        outer_key := set_byte(outer_key, i, get_byte(key, i) # 92);
    END LOOP;
    INSERT INTO contacts.setting (inner_key, outer_key) VALUES (inner_key, outer_key);
END
$$;

-- On or off, for a whole channel (category '') or one category. No row: on.
CREATE TABLE contacts.preference (
    tenant_id uuid,
    contact bytea NOT NULL,
    channel text COLLATE "C" NOT NULL,
    category text COLLATE "C" NOT NULL DEFAULT '',
    enabled boolean NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT preference_key UNIQUE NULLS NOT DISTINCT (contact, channel, tenant_id, category)
);
COMMENT ON TABLE contacts.preference IS 'What a contact wants to hear of; no row: all of it';

-- When not, and how much at most.
CREATE TABLE contacts.rule (
    tenant_id uuid,
    contact bytea NOT NULL,
    channel text COLLATE "C" NOT NULL,
    quiet_from time,
    quiet_until time,
    zone text COLLATE "C" NOT NULL,
    daily_limit integer,
    changed_at timestamptz NOT NULL,
    CONSTRAINT rule_key UNIQUE NULLS NOT DISTINCT (contact, channel, tenant_id),
    CONSTRAINT rule_quiet CHECK ((quiet_from IS NULL) = (quiet_until IS NULL)
                                 AND quiet_from <> quiet_until),
    CONSTRAINT rule_daily_limit CHECK (daily_limit >= 0)
);

-- Addresses that are not written to whatever anybody wants: they do not exist, or said stop.
CREATE TABLE contacts.suppression (
    tenant_id uuid,
    contact bytea NOT NULL,
    channel text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL,
    detail text NOT NULL DEFAULT '',
    masked text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT suppression_key UNIQUE NULLS NOT DISTINCT (contact, channel, tenant_id),
    CONSTRAINT suppression_reason CHECK (reason IN ('bounce', 'complaint', 'stop', 'manual'))
);

-- Every change of the three above; append only.
CREATE TABLE contacts.change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    tenant_id uuid,
    contact bytea NOT NULL,
    channel text COLLATE "C" NOT NULL,
    what text COLLATE "C" NOT NULL,
    before jsonb,
    after jsonb,
    source text NOT NULL
);
CREATE INDEX change_contact_idx ON contacts.change (contact, channel, id);
CREATE INDEX change_at_idx ON contacts.change (at);

-- What was sent or is about to be, a row per job and contact, for the limits of the last hour and
-- day. Kept for two days.
CREATE TABLE contacts.sending (
    job_id bigint NOT NULL,
    contact bytea NOT NULL,
    at timestamptz NOT NULL,
    tenant_id uuid,
    channel text COLLATE "C" NOT NULL,
    CONSTRAINT sending_pkey PRIMARY KEY (job_id, contact)
);
CREATE INDEX sending_contact_idx ON contacts.sending (contact, at);
CREATE INDEX sending_at_idx ON contacts.sending (at);

-- Keyed hash of a text. Internal: whoever could call it could try out addresses.
CREATE FUNCTION contacts.keyed_hash(content text) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT sha256(s.outer_key || sha256(s.inner_key || convert_to(keyed_hash.content, 'UTF8')))
    FROM contacts.setting s
$$;

-- The contact of an address. Case does not matter, as no provider of weight tells cases apart.
CREATE FUNCTION contacts.contact_of(channel text, address text) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT contacts.keyed_hash(
        contact_of.channel || ' ' || lower(trim(contact_of.address) COLLATE "C"))
$$;

-- j***@example.com, +43***89.
CREATE FUNCTION contacts.masked(address text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN position('@' IN address) > 1
                THEN left(address, 1) || '***' || substr(address, position('@' IN address))
                ELSE left(address, 3) || '***' || right(address, 2) END
$$;

CREATE FUNCTION contacts.check_channel(channel text, category text DEFAULT '') RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF channel IS NULL OR channel !~ '^[a-z0-9_]{1,32}$' THEN
        RAISE EXCEPTION 'channel: expected 1 to 32 of a-z 0-9 _' USING ERRCODE = 'LQ001',
            HINT = 'email, sms';
    END IF;
    IF category IS NULL OR category !~ '^[a-z0-9_.-]{0,64}$' THEN
        RAISE EXCEPTION 'category: expected up to 64 of a-z 0-9 _ . -' USING ERRCODE = 'LQ001';
    END IF;
END
$$;

-- Internal: one line of history.
CREATE FUNCTION contacts.note(at timestamptz, tenant_id uuid, contact bytea, channel text,
                              what text, before jsonb, after jsonb, source text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO contacts.change (at, tenant_id, contact, channel, what, before, after, source)
    VALUES (note.at, note.tenant_id, note.contact, note.channel, note.what, note.before,
            note.after, left(note.source, 200))
$$;

-- Internal: on or off for a contact that is known by its hash.
CREATE FUNCTION contacts.switch(tenant_id uuid, channel text, contact bytea, category text,
                                enabled boolean, source text, now timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    old boolean;
BEGIN
    -- Two changes of one contact at once are one after the other, also when there is no row yet.
    PERFORM pg_advisory_xact_lock(
        hashtextextended('contacts ' || encode(switch.contact, 'hex'), 0));
    SELECT p.enabled INTO old FROM contacts.preference p
    WHERE p.contact = switch.contact AND p.channel = switch.channel
      AND p.tenant_id IS NOT DISTINCT FROM switch.tenant_id AND p.category = switch.category;
    IF old IS NOT DISTINCT FROM switch.enabled THEN
        RETURN false;
    END IF;
    INSERT INTO contacts.preference (tenant_id, contact, channel, category, enabled, changed_at)
    VALUES (switch.tenant_id, switch.contact, switch.channel, switch.category, switch.enabled,
            switch.now)
    ON CONFLICT ON CONSTRAINT preference_key
    DO UPDATE SET enabled = excluded.enabled, changed_at = excluded.changed_at;
    PERFORM contacts.note(switch.now, switch.tenant_id, switch.contact, switch.channel,
        CASE WHEN switch.category = '' THEN 'channel' ELSE 'category ' || switch.category END,
        to_jsonb(old), to_jsonb(switch.enabled), switch.source);
    RETURN true;
END
$$;

-- Turns a channel (category '') or one category on or off for an address, of one tenant or (NULL)
-- of all. Returns whether that changed anything. `source` says who: `user`, `support`, `import`.
CREATE FUNCTION contacts.preference_set(tenant_id uuid, channel text, address text, category text,
    enabled boolean, source text DEFAULT 'api', now timestamptz DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM contacts.check_channel(preference_set.channel, preference_set.category);
    IF enabled IS NULL THEN
        RAISE EXCEPTION 'enabled: expected true or false, got NULL' USING ERRCODE = 'LQ001';
    END IF;
    RETURN contacts.switch(tenant_id, channel,
        contacts.contact_of(channel, address), category, enabled, source,
        coalesce(now, clock_timestamp()));
END
$$;

-- Quiet hours in the recipient's zone (across midnight when from > until) and how many at most on a
-- day of that zone; NULL: none. Replaces what was set before.
CREATE FUNCTION contacts.rule_set(tenant_id uuid, channel text, address text,
    quiet_from time DEFAULT NULL, quiet_until time DEFAULT NULL, zone text DEFAULT 'UTC',
    daily_limit integer DEFAULT NULL, source text DEFAULT 'api', now timestamptz DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    at timestamptz := coalesce(rule_set.now, clock_timestamp());
    who bytea;
    old jsonb;
    new jsonb;
BEGIN
    PERFORM contacts.check_channel(rule_set.channel);
    IF (rule_set.quiet_from IS NULL) <> (rule_set.quiet_until IS NULL)
       OR rule_set.quiet_from = rule_set.quiet_until THEN
        RAISE EXCEPTION 'quiet_from, quiet_until: expected two different times or neither'
            USING ERRCODE = 'LQ001';
    END IF;
    IF rule_set.daily_limit < 0 THEN
        RAISE EXCEPTION 'daily_limit: expected 0 or more' USING ERRCODE = 'LQ001';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = rule_set.zone) THEN
        RAISE EXCEPTION 'zone: expected the name of a time zone such as Europe/Vienna, got %',
            quote_nullable(left(rule_set.zone, 100)) USING ERRCODE = 'LQ001';
    END IF;
    who := contacts.contact_of(rule_set.channel, rule_set.address);
    PERFORM pg_advisory_xact_lock(hashtextextended('contacts ' || encode(who, 'hex'), 0));
    SELECT jsonb_build_object('quiet_from', r.quiet_from, 'quiet_until', r.quiet_until, 'zone',
                              r.zone, 'daily_limit', r.daily_limit)
    INTO old FROM contacts.rule r
    WHERE r.contact = who AND r.channel = rule_set.channel
      AND r.tenant_id IS NOT DISTINCT FROM rule_set.tenant_id;
    new := jsonb_build_object('quiet_from', rule_set.quiet_from, 'quiet_until',
        rule_set.quiet_until, 'zone', rule_set.zone, 'daily_limit', rule_set.daily_limit);
    IF old IS NOT DISTINCT FROM new THEN
        RETURN;
    END IF;
    INSERT INTO contacts.rule
        (tenant_id, contact, channel, quiet_from, quiet_until, zone, daily_limit, changed_at)
    VALUES (rule_set.tenant_id, who, rule_set.channel, rule_set.quiet_from, rule_set.quiet_until,
            rule_set.zone, rule_set.daily_limit, at)
    ON CONFLICT ON CONSTRAINT rule_key
    DO UPDATE SET quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until,
                  zone = excluded.zone, daily_limit = excluded.daily_limit,
                  changed_at = excluded.changed_at;
    PERFORM contacts.note(at, rule_set.tenant_id, who, rule_set.channel, 'rule', old, new,
                          rule_set.source);
END
$$;

-- Puts an address on the suppression list of a tenant or (NULL) of all. Idempotent: the first
-- reason stays. `detail` is a code (550 5.1.1), never a text with an address.
CREATE FUNCTION contacts.suppress(tenant_id uuid, channel text, address text, reason text,
    detail text DEFAULT '', source text DEFAULT 'api', now timestamptz DEFAULT NULL)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    who bytea;
    at timestamptz := coalesce(suppress.now, clock_timestamp());
BEGIN
    PERFORM contacts.check_channel(suppress.channel);
    IF suppress.reason IS NULL
       OR suppress.reason NOT IN ('bounce', 'complaint', 'stop', 'manual') THEN
        RAISE EXCEPTION 'reason: expected bounce, complaint, stop or manual'
            USING ERRCODE = 'LQ001';
    END IF;
    who := contacts.contact_of(suppress.channel, suppress.address);
    INSERT INTO contacts.suppression
        (tenant_id, contact, channel, reason, detail, masked, created_at)
    VALUES (suppress.tenant_id, who, suppress.channel, suppress.reason,
            left(coalesce(suppress.detail, ''), 200), contacts.masked(suppress.address), at)
    ON CONFLICT ON CONSTRAINT suppression_key DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM contacts.note(at, suppress.tenant_id, who, suppress.channel, 'suppressed', NULL,
                          to_jsonb(suppress.reason), suppress.source);
    RETURN true;
END
$$;

CREATE FUNCTION contacts.unsuppress(tenant_id uuid, channel text, address text,
    source text DEFAULT 'api', now timestamptz DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    who bytea := contacts.contact_of(unsuppress.channel, unsuppress.address);
    old text;
BEGIN
    DELETE FROM contacts.suppression s
    WHERE s.contact = who AND s.channel = unsuppress.channel
      AND s.tenant_id IS NOT DISTINCT FROM unsuppress.tenant_id
    RETURNING s.reason INTO old;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM contacts.note(coalesce(unsuppress.now, clock_timestamp()), unsuppress.tenant_id, who,
        unsuppress.channel, 'suppressed', to_jsonb(old), NULL, unsuppress.source);
    RETURN true;
END
$$;

CREATE VIEW contacts.suppressions WITH (security_invoker = true) AS
SELECT s.tenant_id, s.channel, s.masked, s.reason, s.detail, s.created_at
FROM contacts.suppression s;
COMMENT ON VIEW contacts.suppressions IS 'Who is not written to, and why';
