-- The template a mail would be made from, as mail.template_find finds it, for roles that see a
-- tenant's rows alone. $1 uuid tenant or NULL, $2 text name, $3 text locale, $4 int version or NULL
-- (the active one). At most one row. Index: template_active_idx, template_version. Locks: none.
WITH RECURSIVE chain (locale, depth) AS (
    SELECT replace($3::text, '_', '-'), 0
    UNION ALL
    SELECT regexp_replace(c.locale, '-[^-]*$', ''), c.depth + 1
    FROM chain c WHERE c.locale LIKE '%-%'),
tried AS (
    SELECT c.locale, c.depth FROM chain c
    UNION ALL SELECT 'default', 1000)
SELECT t.locale, t.version, t.category, t.subject, t.html, t.plain
FROM tried l
JOIN mail.template t ON t.name = $2::text AND t.locale = l.locale
WHERE (t.tenant_id IS NULL OR t.tenant_id = $1::uuid)
  AND CASE WHEN $4::int IS NULL THEN t.status = 'active' ELSE t.version = $4::int END
ORDER BY t.tenant_id NULLS LAST, l.depth LIMIT 1
