-- breaking: no
-- Templates of mails: by tenant (NULL: for all), name, locale and version. Of each, one version is
-- active; drafts wait, archived ones are kept. How they are written: docs/processors/email.md.

CREATE TABLE mail.template (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid,
    name text COLLATE "C" NOT NULL,
    locale text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    status text COLLATE "C" NOT NULL DEFAULT 'draft',
    -- Of the preferences: what its mails may be unsubscribed from.
    category text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    status_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    subject text NOT NULL,
    html text,
    -- NULL: made from the HTML.
    plain text,
    CONSTRAINT template_version UNIQUE NULLS NOT DISTINCT (name, tenant_id, locale, version),
    CONSTRAINT template_status CHECK (status IN ('draft', 'active', 'archived')),
    CONSTRAINT template_body CHECK (html IS NOT NULL OR plain IS NOT NULL)
);
CREATE UNIQUE INDEX template_active_idx ON mail.template (name, tenant_id, locale)
    NULLS NOT DISTINCT WHERE status = 'active';

-- How a tenant signs its mails.
CREATE TABLE mail.sender (
    tenant_id uuid NOT NULL PRIMARY KEY,
    from_name text,
    reply_to text,
    changed_at timestamptz NOT NULL
);

CREATE VIEW mail.templates WITH (security_invoker = true) AS
SELECT t.tenant_id, t.name, t.locale, t.version, t.status, t.category,
       t.html IS NOT NULL AS has_html, t.plain IS NOT NULL AS has_text,
       octet_length(t.subject) + coalesce(octet_length(t.html), 0)
           + coalesce(octet_length(t.plain), 0) AS bytes,
       t.created_at, t.status_at
FROM mail.template t;
COMMENT ON VIEW mail.templates IS 'Every version of every template, without its text';

-- Internal: one template's versions are changed one after the other.
CREATE FUNCTION mail.lock_template(tenant_id uuid, name text, locale text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('mail.template '
        || coalesce(lock_template.tenant_id::text, '') || ' ' || lock_template.name || ' '
        || lock_template.locale, 0))
$$;

-- Adds a version as a draft and returns its number. The same text as the newest version's is no new
-- version: its number is returned. `category`: 1 to 64 of a-z 0-9 _ . -; `transactional` cannot be
-- unsubscribed from by link, `critical` is sent whatever the recipient prefers.
CREATE FUNCTION mail.template_put(tenant_id uuid, name text, locale text, subject text, html text,
    plain text DEFAULT NULL, category text DEFAULT 'transactional') RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    newest mail.template;
    number integer;
BEGIN
    IF template_put.name IS NULL OR template_put.name !~ '^[a-z0-9_.-]{1,64}$' THEN
        RAISE EXCEPTION 'name: expected 1 to 64 of a-z 0-9 _ . -' USING ERRCODE = 'LQ001';
    END IF;
    IF template_put.locale IS NULL
       OR template_put.locale !~ '^(default|[a-z]{2,3}(-[A-Za-z0-9]{2,8})*)$' THEN
        RAISE EXCEPTION 'locale: expected a language tag such as de or de-AT, or default'
            USING ERRCODE = 'LQ001';
    END IF;
    IF template_put.category IS NULL OR template_put.category !~ '^[a-z0-9_.-]{1,64}$' THEN
        RAISE EXCEPTION 'category: expected 1 to 64 of a-z 0-9 _ . -' USING ERRCODE = 'LQ001';
    END IF;
    IF template_put.subject IS NULL OR (template_put.html IS NULL AND template_put.plain IS NULL)
    THEN
        RAISE EXCEPTION 'template: expected a subject, and html, plain or both'
            USING ERRCODE = 'LQ001';
    END IF;
    IF octet_length(template_put.subject) > 998
       OR octet_length(template_put.html) > 262144 OR octet_length(template_put.plain) > 262144 THEN
        RAISE EXCEPTION 'template: expected at most 998 bytes of subject and 256 KiB of each body'
            USING ERRCODE = 'LQ001';
    END IF;
    PERFORM mail.lock_template(template_put.tenant_id, template_put.name, template_put.locale);
    SELECT * INTO newest FROM mail.template t
    WHERE t.name = template_put.name AND t.locale = template_put.locale
      AND t.tenant_id IS NOT DISTINCT FROM template_put.tenant_id
    ORDER BY t.version DESC LIMIT 1;
    IF FOUND AND newest.subject = template_put.subject AND newest.category = template_put.category
       AND newest.html IS NOT DISTINCT FROM template_put.html
       AND newest.plain IS NOT DISTINCT FROM template_put.plain THEN
        RETURN newest.version;
    END IF;
    number := coalesce(newest.version, 0) + 1;
    INSERT INTO mail.template
        (tenant_id, name, locale, version, category, subject, html, plain)
    VALUES (template_put.tenant_id, template_put.name, template_put.locale, number,
            template_put.category, template_put.subject, template_put.html, template_put.plain);
    RETURN number;
END
$$;

-- Makes a version, draft or archived, the active one; the one before is archived. NULL: the newest.
-- Mails made from now on use it. Returns its number; LQ005 when there is none.
CREATE FUNCTION mail.template_activate(tenant_id uuid, name text, locale text,
                                       version integer DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    chosen integer;
BEGIN
    PERFORM mail.lock_template(template_activate.tenant_id, template_activate.name,
                               template_activate.locale);
    SELECT max(t.version) INTO chosen FROM mail.template t
    WHERE t.name = template_activate.name AND t.locale = template_activate.locale
      AND t.tenant_id IS NOT DISTINCT FROM template_activate.tenant_id
      AND (template_activate.version IS NULL OR t.version = template_activate.version);
    IF chosen IS NULL THEN
        RAISE EXCEPTION 'template: no such version' USING ERRCODE = 'LQ005';
    END IF;
    UPDATE mail.template t SET status = 'archived', status_at = clock_timestamp()
    WHERE t.name = template_activate.name AND t.locale = template_activate.locale
      AND t.tenant_id IS NOT DISTINCT FROM template_activate.tenant_id
      AND t.status = 'active' AND t.version <> chosen;
    UPDATE mail.template t SET status = 'active', status_at = clock_timestamp()
    WHERE t.name = template_activate.name AND t.locale = template_activate.locale
      AND t.tenant_id IS NOT DISTINCT FROM template_activate.tenant_id
      AND t.version = chosen AND t.status <> 'active';
    RETURN chosen;
END
$$;

-- Takes a version out of use. Mails that would be made from it fall back as if it were not there.
-- Returns whether that changed anything.
CREATE FUNCTION mail.template_archive(tenant_id uuid, name text, locale text, version integer)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    PERFORM mail.lock_template(template_archive.tenant_id, template_archive.name,
                               template_archive.locale);
    UPDATE mail.template t SET status = 'archived', status_at = clock_timestamp()
    WHERE t.name = template_archive.name AND t.locale = template_archive.locale
      AND t.tenant_id IS NOT DISTINCT FROM template_archive.tenant_id
      AND t.version = template_archive.version AND t.status <> 'archived';
    RETURN FOUND;
END
$$;

-- The template a mail is made from: the tenant's own before the one for all; within each the
-- locale, then what is left of it without its last part (de-AT, de), then `default`. With a version
-- that very one, drafts too, for previews. No row: there is none.
-- Index: template_active_idx, template_version. Locks: none.
CREATE FUNCTION mail.template_find(tenant_id uuid, name text, locale text,
                                   version integer DEFAULT NULL)
RETURNS TABLE (locale text, version integer, category text, subject text, html text, plain text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
    WITH RECURSIVE chain (locale, depth) AS (
        SELECT replace(template_find.locale, '_', '-'), 0
        UNION ALL
        SELECT regexp_replace(c.locale, '-[^-]*$', ''), c.depth + 1
        FROM chain c WHERE c.locale LIKE '%-%'
    ), tried AS (
        SELECT c.locale, c.depth FROM chain c
        UNION ALL SELECT 'default', 1000
    )
    SELECT t.locale, t.version, t.category, t.subject, t.html, t.plain
    FROM tried l
    JOIN mail.template t ON t.name = template_find.name AND t.locale = l.locale
    WHERE (t.tenant_id IS NULL OR t.tenant_id = template_find.tenant_id)
      AND CASE WHEN template_find.version IS NULL THEN t.status = 'active'
               ELSE t.version = template_find.version END
    ORDER BY t.tenant_id NULLS LAST, l.depth LIMIT 1
$$;

-- How the mails of a tenant that name no sender are signed; NULL: as the configuration says.
CREATE FUNCTION mail.sender_set(tenant_id uuid, from_name text, reply_to text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF sender_set.tenant_id IS NULL THEN
        RAISE EXCEPTION 'tenant_id: expected a tenant, got NULL' USING ERRCODE = 'LQ001';
    END IF;
    IF sender_set.from_name ~ '[\x01-\x1f\x7f<>"\\]' OR octet_length(sender_set.from_name) > 256
    THEN
        RAISE EXCEPTION 'from_name: expected at most 256 bytes without control characters, <, >, '
            '" and \' USING ERRCODE = 'LQ001';
    END IF;
    IF sender_set.reply_to !~ '^[^\s<>@]{1,64}@[A-Za-z0-9.-]{1,253}$' THEN
        RAISE EXCEPTION 'reply_to: expected a mail address' USING ERRCODE = 'LQ001';
    END IF;
    INSERT INTO mail.sender AS s (tenant_id, from_name, reply_to, changed_at)
    VALUES (sender_set.tenant_id, sender_set.from_name, sender_set.reply_to, clock_timestamp())
    ON CONFLICT ON CONSTRAINT sender_pkey
    DO UPDATE SET from_name = excluded.from_name, reply_to = excluded.reply_to,
                  changed_at = excluded.changed_at;
END
$$;

-- What a mail needs to know of its tenant and template, in one question. Always one row; without a
-- version when a template was asked for and there is none.
CREATE FUNCTION mail.material(tenant_id uuid, name text, locale text, version integer,
    OUT from_name text, OUT reply_to text, OUT template_locale text,
    OUT template_version integer, OUT category text, OUT subject text, OUT html text,
    OUT plain text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
BEGIN
    SELECT s.from_name, s.reply_to INTO from_name, reply_to
    FROM mail.sender s WHERE s.tenant_id = material.tenant_id;
    IF material.name IS NOT NULL THEN
        SELECT t.locale, t.version, t.category, t.subject, t.html, t.plain
        INTO template_locale, template_version, category, subject, html, plain
        FROM mail.template_find(material.tenant_id, material.name, material.locale,
                                material.version) t;
    END IF;
END
$$;

-- Deletes archived versions that were archived before; drafts and active ones stay. For a schedule
-- of the operator's: templates are small, and what was sent can be shown as long as they are kept.
CREATE FUNCTION mail.prune(before timestamptz, most integer DEFAULT 1000) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH gone AS (
        DELETE FROM mail.template t WHERE t.id = ANY (ARRAY(
            SELECT o.id FROM mail.template o
            WHERE o.status = 'archived' AND o.status_at < prune.before
            ORDER BY o.id LIMIT prune.most FOR UPDATE SKIP LOCKED)) RETURNING 1)
    SELECT count(*) FROM gone
$$;
