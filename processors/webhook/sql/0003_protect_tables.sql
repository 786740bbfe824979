-- breaking: no
-- Row-level security of this schema: see docs/tenancy.md. Who has a tenant has to do with its own
-- endpoints, events and deliveries.

ALTER VIEW webhooks.endpoints SET (security_invoker = true);
ALTER VIEW webhooks.deliveries SET (security_invoker = true);

SELECT queue.protect('webhooks.endpoint', 'tenant_id = queue.current_tenant()');
SELECT queue.protect('webhooks.filter', 'owner = queue.current_tenant()');
SELECT queue.protect('webhooks.event', 'owner = queue.current_tenant()');
SELECT queue.protect('webhooks.' || t.name,
    'EXISTS (SELECT FROM webhooks.endpoint e WHERE e.id = endpoint_id '
    'AND e.tenant_id = queue.current_tenant() OFFSET 0)')
FROM unnest(ARRAY['signing_key', 'delivery']) t (name);
SELECT queue.protect('webhooks.endpoints', 'true'), queue.protect('webhooks.deliveries', 'true');

SELECT queue.guard('webhooks.' || a.name, format(
    'PERFORM queue.record_action(%L, %s);', a.action, a.target))
FROM (VALUES
    ('endpoint_create', 'endpoints.create', 'NULL'),
    ('endpoint_update', 'endpoints.update', 'endpoint_update.endpoint::text'),
    ('endpoint_disable', 'endpoints.disable', 'endpoint_disable.endpoint::text'),
    ('endpoint_enable', 'endpoints.enable', 'endpoint_enable.endpoint::text'),
    ('endpoint_remove', 'endpoints.remove', 'endpoint_remove.endpoint::text'),
    ('endpoint_rotate', 'endpoints.rotate', 'endpoint_rotate.endpoint::text'),
    ('replay', 'deliveries.replay', 'replay.endpoint::text'),
    ('resend', 'deliveries.replay', 'resend.endpoint::text')) a (name, action, target);
SELECT queue.keep_to_tenant('webhooks.lock_endpoint', 'webhooks.endpoint_create',
                            'webhooks.endpoint_update', 'webhooks.endpoint_disable',
                            'webhooks.endpoint_enable', 'webhooks.endpoint_remove',
                            'webhooks.endpoint_rotate', 'webhooks.replay', 'webhooks.resend',
                            'webhooks.publish');
SELECT queue.allow('producer', 'webhooks.publish');
SELECT queue.allow('operator', 'webhooks.endpoint_create', 'webhooks.endpoint_update',
                   'webhooks.endpoint_disable', 'webhooks.endpoint_enable',
                   'webhooks.endpoint_remove', 'webhooks.endpoint_rotate', 'webhooks.replay',
                   'webhooks.resend');
SELECT queue.apply_rights();
