-- breaking: no
-- Row-level security of this schema: see docs/tenancy.md. What is kept for no tenant is hidden from
-- those with one, and so are the keys.

SELECT queue.protect('contacts.' || t.name, 'tenant_id = queue.current_tenant()')
FROM unnest(ARRAY['preference', 'rule', 'suppression', 'change', 'sending']) t (name);
SELECT queue.protect('contacts.suppressions', 'true');

-- Whose contact it was is personal and stays out of the audit.
SELECT queue.guard('contacts.' || a.name, format(
    'PERFORM queue.record_action(%L, NULL, jsonb_build_object(''channel'', %s.channel));',
    a.action, a.name))
FROM (VALUES ('preference_set', 'contacts.prefer'), ('rule_set', 'contacts.rule'),
             ('suppress', 'contacts.suppress'), ('unsuppress', 'contacts.unsuppress'))
    a (name, action);
SELECT queue.keep_to_tenant('contacts.preference_set', 'contacts.rule_set', 'contacts.suppress',
                            'contacts.unsuppress');
SELECT queue.allow('operator', 'contacts.preference_set', 'contacts.rule_set',
                   'contacts.suppress', 'contacts.unsuppress');
SELECT queue.apply_rights();
