-- breaking: no
-- What is asked before something is sent, the tokens of one click unsubscribing, and upkeep.

-- The token of an unsubscribe link. Carries all that is needed and is proven by its last part, so
-- nothing is kept for it and it never expires: v1.<channel>.<category>.<tenant>.<contact>.<proof>,
-- the category with '.' written as '~', tenant and contact without their hyphens in hex, proof 32
-- hexadecimal digits. It holds no address.
CREATE FUNCTION contacts.unsubscribe_token(tenant_id uuid, channel text, address text,
                                           category text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.body || '.' || left(encode(contacts.keyed_hash('unsubscribe ' || t.body), 'hex'), 32)
    FROM (SELECT 'v1.' || unsubscribe_token.channel || '.'
                 || replace(unsubscribe_token.category, '.', '~') || '.'
                 || coalesce(replace(unsubscribe_token.tenant_id::text, '-', ''), '') || '.'
                 || encode(contacts.contact_of(unsubscribe_token.channel,
                                               unsubscribe_token.address), 'hex') AS body) t
$$;

-- What the link behind List-Unsubscribe calls: turns the token's category off. Returns channel and
-- category; a second call changes nothing. LQ001: not a token of ours.
CREATE FUNCTION contacts.unsubscribe(token text, now timestamptz DEFAULT NULL,
                                     OUT channel text, OUT category text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    part text[];
    body text;
BEGIN
    part := regexp_match(unsubscribe.token,
        '^(v1\.([a-z0-9_]{1,32})\.([a-z0-9_~-]{0,64})\.([0-9a-f]{32}|)\.([0-9a-f]{64}))'
        || '\.([0-9a-f]{32})$');
    body := part[1];
    -- Hashes of both sides are compared, so that the time it takes says nothing about the proof.
    IF body IS NULL OR contacts.keyed_hash(part[6]) IS DISTINCT FROM contacts.keyed_hash(
            left(encode(contacts.keyed_hash('unsubscribe ' || body), 'hex'), 32)) THEN
        RAISE EXCEPTION 'token: expected one of our unsubscribe links' USING ERRCODE = 'LQ001';
    END IF;
    unsubscribe.channel := part[2];
    unsubscribe.category := replace(part[3], '~', '.');
    PERFORM contacts.switch(nullif(part[4], '')::uuid, part[2], decode(part[5], 'hex'),
        replace(part[3], '~', '.'), false, 'one-click', coalesce(now, clock_timestamp()));
END
$$;

-- When the quiet hours end that hold at `now`; NULL outside of them. Local times of the zone; a
-- time a clock change skips or doubles is taken as PostgreSQL does, so the end is never early.
CREATE FUNCTION contacts.quiet_end(quiet_from time, quiet_until time, zone text, now timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    here timestamp := quiet_end.now AT TIME ZONE quiet_end.zone;
    overnight boolean := quiet_from > quiet_until;
    ends timestamptz;
BEGIN
    IF quiet_from IS NULL
       OR (NOT overnight AND (here::time < quiet_from OR here::time >= quiet_until))
       OR (overnight AND here::time < quiet_from AND here::time >= quiet_until) THEN
        RETURN NULL;
    END IF;
    ends := (here::date + quiet_until
             + CASE WHEN overnight AND here::time >= quiet_from THEN interval '1 day'
                    ELSE interval '0' END) AT TIME ZONE quiet_end.zone;
    -- In the doubled hour the wall clock may be ahead of the end: look again soon.
    RETURN greatest(ends, quiet_end.now + interval '1 minute');
END
$$;

-- May this job send to these addresses now? One row per address, in their order: `send`, or why
-- not: `suppressed`, `off` (the channel or category is switched off), `daily_limit`; or when
-- (`until`, in `wait_ms`): `quiet`, `rate`. With the category `critical` always `send`.
-- When all is decided without waiting, what may be sent is counted against the limits at once,
-- under a lock per contact, so that any number of workers together stay within them; the same job
-- asking again is not counted twice. `token`: for the unsubscribe link.
--   job_id      who asks
--   hourly      how many a contact gets within an hour at most; 0: any number
-- Index: preference_key, rule_key, suppression_key, sending_contact_idx. Locks: advisory, one per
-- contact in the order of their hashes, to the end of the transaction.
CREATE FUNCTION contacts.admit(job_id bigint, tenant_id uuid, channel text, category text,
    addresses text[], hourly integer, now timestamptz DEFAULT NULL)
RETURNS TABLE (place integer, decision text, until timestamptz, wait_ms bigint, token text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    at timestamptz := coalesce(admit.now, clock_timestamp());
    who bytea[];
    one bytea;
    decided text[];
    waits timestamptz[];
    verdict record;
BEGIN
    PERFORM contacts.check_channel(admit.channel, admit.category);
    SELECT array_agg(contacts.contact_of(admit.channel, a.address) ORDER BY a.place) INTO who
    FROM unnest(admit.addresses) WITH ORDINALITY a (address, place);
    IF admit.category = 'critical' THEN
        RETURN QUERY SELECT p.i, 'send'::text, NULL::timestamptz, NULL::bigint, ''::text
        FROM generate_series(1, cardinality(who)) p (i);
        RETURN;
    END IF;
    FOR one IN SELECT DISTINCT w.contact FROM unnest(who) w (contact) ORDER BY w.contact LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('contacts ' || encode(one, 'hex'), 0));
    END LOOP;
    FOR i IN 1..cardinality(who) LOOP
        SELECT d.decision, d.until INTO verdict
        FROM contacts.decide(admit.job_id, admit.tenant_id, admit.channel, admit.category, who[i],
                             admit.hourly, at) d;
        decided[i] := verdict.decision;
        waits[i] := verdict.until;
    END LOOP;
    IF NOT decided && ARRAY['quiet', 'rate'] THEN
        INSERT INTO contacts.sending (job_id, contact, at, tenant_id, channel)
        SELECT DISTINCT admit.job_id, w.contact, at, admit.tenant_id, admit.channel
        FROM unnest(who, decided) w (contact, decision) WHERE w.decision = 'send'
        ON CONFLICT ON CONSTRAINT sending_pkey DO NOTHING;
    END IF;
    -- Upkeep at the expense of one in some hundred.
    IF random() < 0.004 THEN
        PERFORM contacts.prune(500, at);
    END IF;
    RETURN QUERY
    SELECT p.place::integer, p.decision, p.until,
           ceil(extract(epoch FROM p.until - at) * 1000)::bigint,
           contacts.unsubscribe_token(admit.tenant_id, admit.channel, p.address, admit.category)
    FROM unnest(admit.addresses, decided, waits) WITH ORDINALITY
         p (address, decision, until, place)
    ORDER BY p.place;
END
$$;

-- Internal: the answer for one contact.
CREATE FUNCTION contacts.decide(job_id bigint, tenant_id uuid, channel text, category text,
    contact bytea, hourly integer, now timestamptz,
    OUT decision text, OUT until timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    rule contacts.rule;
    day_begin timestamptz;
    full_again timestamptz;
BEGIN
    decision := 'send';
    IF EXISTS (SELECT FROM contacts.suppression s
               WHERE s.contact = decide.contact AND s.channel = decide.channel
                 AND (s.tenant_id IS NULL OR s.tenant_id = decide.tenant_id)) THEN
        decision := 'suppressed';
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM contacts.preference p
               WHERE p.contact = decide.contact AND p.channel = decide.channel
                 AND (p.tenant_id IS NULL OR p.tenant_id = decide.tenant_id)
                 AND p.category IN ('', decide.category) AND NOT p.enabled) THEN
        decision := 'off';
        RETURN;
    END IF;
    -- Counted already, by an attempt before: it may be sent.
    IF EXISTS (SELECT FROM contacts.sending s
               WHERE s.job_id = decide.job_id AND s.contact = decide.contact) THEN
        RETURN;
    END IF;
    -- The tenant's own rule goes before the one for all.
    SELECT * INTO rule FROM contacts.rule r
    WHERE r.contact = decide.contact AND r.channel = decide.channel
      AND (r.tenant_id IS NULL OR r.tenant_id = decide.tenant_id)
    ORDER BY r.tenant_id NULLS LAST LIMIT 1;
    IF FOUND THEN
        until := contacts.quiet_end(rule.quiet_from, rule.quiet_until, rule.zone, decide.now);
        IF until IS NOT NULL THEN
            decision := 'quiet';
            RETURN;
        END IF;
        IF rule.daily_limit IS NOT NULL THEN
            day_begin := (decide.now AT TIME ZONE rule.zone)::date::timestamp
                         AT TIME ZONE rule.zone;
            IF (SELECT count(*) FROM (
                    SELECT FROM contacts.sending s
                    WHERE s.contact = decide.contact AND s.at >= day_begin
                      AND (rule.tenant_id IS NULL OR s.tenant_id = rule.tenant_id)
                    LIMIT rule.daily_limit) counted) >= rule.daily_limit THEN
                decision := 'daily_limit';
                RETURN;
            END IF;
        END IF;
    END IF;
    IF decide.hourly > 0 THEN
        -- The hourly-th newest of the last hour: once it is an hour old there is room again.
        SELECT s.at + interval '1 hour' INTO full_again FROM contacts.sending s
        WHERE s.contact = decide.contact AND s.at > decide.now - interval '1 hour'
        ORDER BY s.at DESC OFFSET decide.hourly - 1 LIMIT 1;
        IF FOUND THEN
            decision := 'rate';
            until := full_again;
        END IF;
    END IF;
END
$$;

-- Takes a job's sendings off the count: nothing was sent.
CREATE FUNCTION contacts.release(job_id bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    DELETE FROM contacts.sending s WHERE s.job_id = release.job_id
$$;

-- What an address has said, as a settings page would show it.
CREATE FUNCTION contacts.preferences_of(tenant_id uuid, channel text, address text)
RETURNS TABLE (tenant uuid, category text, enabled boolean, changed_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT p.tenant_id, p.category, p.enabled, p.changed_at FROM contacts.preference p
    WHERE p.contact = contacts.contact_of(preferences_of.channel, preferences_of.address)
      AND p.channel = preferences_of.channel
      AND (p.tenant_id IS NULL OR p.tenant_id = preferences_of.tenant_id)
    ORDER BY p.category
$$;

-- Every change of an address, newest first.
CREATE FUNCTION contacts.history_of(tenant_id uuid, channel text, address text,
                                    most integer DEFAULT 100)
RETURNS TABLE (at timestamptz, tenant uuid, what text, before jsonb, after jsonb, source text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.at, c.tenant_id, c.what, c.before, c.after, c.source FROM contacts.change c
    WHERE c.contact = contacts.contact_of(history_of.channel, history_of.address)
      AND c.channel = history_of.channel
      AND (c.tenant_id IS NULL OR c.tenant_id = history_of.tenant_id)
    ORDER BY c.id DESC LIMIT least(greatest(most, 0), 10000)
$$;

-- Erases all that is known of an address (the right to be forgotten). Returns how many rows went.
-- What it had switched off is on again, so erase only whom you will not write to.
CREATE FUNCTION contacts.forget(channel text, address text) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH who AS (SELECT contacts.contact_of(forget.channel, forget.address) AS contact),
    a AS (DELETE FROM contacts.preference x USING who WHERE x.contact = who.contact RETURNING 1),
    b AS (DELETE FROM contacts.rule x USING who WHERE x.contact = who.contact RETURNING 1),
    c AS (DELETE FROM contacts.suppression x USING who WHERE x.contact = who.contact RETURNING 1),
    d AS (DELETE FROM contacts.change x USING who WHERE x.contact = who.contact RETURNING 1),
    e AS (DELETE FROM contacts.sending x USING who WHERE x.contact = who.contact RETURNING 1)
    SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM b) + (SELECT count(*) FROM c)
           + (SELECT count(*) FROM d) + (SELECT count(*) FROM e)
$$;

-- Deletes sendings over two days and changes over three years old, at most so many of each.
-- `admit` calls it now and then; nobody else need.
CREATE FUNCTION contacts.prune(most integer DEFAULT 10000, now timestamptz DEFAULT NULL)
RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
    WITH old_sending AS (
        DELETE FROM contacts.sending s WHERE s.ctid = ANY (ARRAY(
            SELECT o.ctid FROM contacts.sending o
            WHERE o.at < coalesce(prune.now, clock_timestamp()) - interval '2 days'
            ORDER BY o.at LIMIT prune.most FOR UPDATE SKIP LOCKED)) RETURNING 1),
    old_change AS (
        DELETE FROM contacts.change c WHERE c.ctid = ANY (ARRAY(
            SELECT o.ctid FROM contacts.change o
            WHERE o.at < coalesce(prune.now, clock_timestamp()) - interval '3 years'
            ORDER BY o.at LIMIT prune.most FOR UPDATE SKIP LOCKED)) RETURNING 1)
    SELECT (SELECT count(*) FROM old_sending) + (SELECT count(*) FROM old_change)
$$;
