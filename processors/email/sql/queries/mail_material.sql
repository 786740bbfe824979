-- What a mail needs to know of its tenant and template.
-- $1 uuid: tenant or NULL. $2 text: template or NULL. $3 text: locale. $4 integer: version or NULL.
-- Rows: one; without template_version when there is no such template.
-- Index: sender_pkey, template_active_idx, template_version. Locks: none.
SELECT m.from_name, m.reply_to, m.template_locale, m.template_version, m.category, m.subject,
       m.html, m.plain
FROM mail.material($1::uuid, $2::text, $3::text, $4::integer) m
