-- breaking: no
-- That the circuit of an endpoint is closed when it is enabled is a part of that action, and not
-- recorded beside it.

CREATE OR REPLACE FUNCTION webhooks.endpoint_enable(tenant_id uuid, endpoint bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    e webhooks.endpoint := webhooks.lock_endpoint(endpoint_enable.tenant_id,
                                                  endpoint_enable.endpoint);
BEGIN
    PERFORM queue.record_action('endpoints.enable', e.id::text);
    UPDATE webhooks.endpoint t
    SET state = 'enabled', reason = NULL, changed_at = clock_timestamp()
    WHERE t.id = e.id;
    PERFORM queue.begin_parts();
    PERFORM queue.limit_reset('webhook_endpoints', 'endpoint:' || e.id);
    PERFORM queue.end_parts();
END
$$;
