-- breaking: no
-- Row-level security of this schema: see docs/tenancy.md. Templates without tenant are everybody's
-- to use.

SELECT queue.protect('mail.template',
                     'tenant_id IS NULL OR tenant_id = queue.current_tenant()'),
       queue.protect('mail.sender', 'tenant_id = queue.current_tenant()'),
       queue.protect('mail.templates', 'true');

SELECT queue.guard('mail.' || a.name, format(
    'PERFORM queue.record_action(%L, %s);', a.action, a.target))
FROM (VALUES
    ('template_put', 'templates.put', 'template_put.name'),
    ('template_activate', 'templates.activate', 'template_activate.name'),
    ('template_archive', 'templates.archive', 'template_archive.name'),
    ('sender_set', 'senders.set', 'sender_set.tenant_id::text')) a (name, action, target);
SELECT queue.keep_to_tenant('mail.template_put', 'mail.template_activate',
                            'mail.template_archive', 'mail.sender_set');
SELECT queue.allow('operator', 'mail.template_put', 'mail.template_activate',
                   'mail.template_archive', 'mail.sender_set');
SELECT queue.apply_rights();
