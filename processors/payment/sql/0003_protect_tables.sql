-- breaking: no
-- Row-level security of this schema: see docs/tenancy.md.

SELECT queue.protect('payments.payment', 'tenant_id = queue.current_tenant()'),
       queue.protect('payments.refund', 'tenant_id = queue.current_tenant()'),
       queue.protect('payments.payments', 'true'), queue.protect('payments.refunds', 'true');

CREATE FUNCTION payments.check_payment(payment_id bigint) RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF current_setting('queue.tenant', true) <> ''
       AND NOT EXISTS (SELECT FROM payments.payment p
                       WHERE p.id = payment_id AND p.tenant_id = queue.current_tenant()) THEN
        RAISE EXCEPTION 'no payment %', payment_id USING ERRCODE = 'LQ005';
    END IF;
END
$$;

SELECT queue.guard('payments.decide',
    'PERFORM queue.record_action(''payments.decide'', decide.payment_id::text, '
    'jsonb_build_object(''state'', decide.state));');
SELECT queue.guard('payments.decide', 'PERFORM payments.check_payment(decide.payment_id);');
SELECT queue.keep_to_tenant('payments.enqueue_payment', 'payments.enqueue_refund');
SELECT queue.allow('producer', 'payments.enqueue_payment', 'payments.enqueue_refund');
SELECT queue.allow('operator', 'payments.decide');
SELECT queue.apply_rights();
