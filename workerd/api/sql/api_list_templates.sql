-- Mail templates without their text, every version, the newest first. $1 uuid tenant, who may use
-- those of no tenant too, or NULL (all), $2 text name or NULL, $3 text status or NULL, $4 int most.
-- Index: template_version. Locks: none.
SELECT t.name, t.locale, t.version, t.status, t.category, t.tenant_id, t.has_html, t.has_text,
       t.bytes, t.created_at, t.status_at
FROM mail.templates t
WHERE ($1::uuid IS NULL OR t.tenant_id = $1::uuid OR t.tenant_id IS NULL)
  AND ($2::text IS NULL OR t.name = $2::text)
  AND ($3::text IS NULL OR t.status = $3::text)
ORDER BY t.name, t.locale, t.version DESC
LIMIT $4::int
