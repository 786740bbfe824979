-- One template with its text. $1 uuid tenant or NULL, $2 text name, $3 text locale, $4 int version
-- or NULL (the active one). At most one row. Index: template_active_idx, template_version.
-- Locks: none.
SELECT $2::text AS name, t.locale, t.version, t.category, t.subject, t.plain, t.html
FROM mail.template_find($1::uuid, $2::text, $3::text, $4::int) t
