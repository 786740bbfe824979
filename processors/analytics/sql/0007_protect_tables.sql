-- breaking: no
-- Row-level security of this schema: see docs/tenancy.md. Partitions of events have no rights of
-- their own and are reached through their table.

SELECT queue.protect('analytics.' || t.name, 'tenant_id = queue.current_tenant()')
FROM unnest(ARRAY['event', 'bucket', 'customer', 'rejected', 'score', 'attribution_share',
                  'alert_rule', 'alert']) t (name);
SELECT queue.protect('analytics.' || t.name, 'true')
FROM unnest(ARRAY['event_type', 'channel_weight', 'buckets', 'rejections', 'segments',
                  'attribution']) t (name);

CREATE FUNCTION analytics.is_own_alert(id bigint) RETURNS boolean
LANGUAGE sql STABLE
AS $$
SELECT queue.current_tenant() IS NULL
    OR EXISTS (SELECT FROM analytics.alert a
               WHERE a.id = is_own_alert.id AND a.tenant_id = queue.current_tenant())
$$;

SELECT queue.guard('analytics.' || a.name, format(
    'PERFORM queue.record_action(%L, %s);', a.action, a.target))
FROM (VALUES
    ('set_alert_rule', 'alert_rules.set', 'set_alert_rule.name'),
    ('remove_alert_rule', 'alert_rules.remove', 'remove_alert_rule.name'),
    ('acknowledge_alert', 'alerts.acknowledge', 'acknowledge_alert.id::text'))
    a (name, action, target);
SELECT queue.guard('analytics.acknowledge_alert',
    'IF NOT analytics.is_own_alert(acknowledge_alert.id) THEN RETURN false; END IF;');
SELECT queue.guard('analytics.set_alert_rule',
                   'owner := coalesce(set_alert_rule.tenant_id, owner);');
SELECT queue.keep_to_tenant('analytics.set_alert_rule', 'analytics.remove_alert_rule',
                            'analytics.track', 'analytics.track_many');
SELECT queue.allow('producer', 'analytics.track', 'analytics.track_many');
SELECT queue.allow('operator', 'analytics.set_alert_rule', 'analytics.remove_alert_rule',
                   'analytics.acknowledge_alert');
SELECT queue.apply_rights();
