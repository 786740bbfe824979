-- breaking: no
-- A part of a refund was refused as in doubt when the job it waited for ended, well, between two
-- looks of this function: it saw the reservation of a job that ran and then a job that had ended.
CREATE OR REPLACE FUNCTION payments.reserve_refund(
    job_id bigint, tenant_id uuid, amount bigint DEFAULT NULL, currency text DEFAULT NULL,
    reference text DEFAULT NULL, payment_id bigint DEFAULT NULL, order_id text DEFAULT NULL,
    part text DEFAULT '', provider_id text DEFAULT NULL)
RETURNS TABLE (verdict text, id bigint, payment bigint, provider text,
               provider_payment_id text, refund_amount bigint, refund_currency text, order_ref text,
               generation integer, refund_provider_id text, other_job bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    tenant uuid := payments.tenant_key(reserve_refund.tenant_id);
    paid payments.payment;
    own payments.refund;
    twin payments.refund;
    taken bigint;
    reserved bigint;
    wanted bigint;
    said text := 'mine';
    other bigint;
BEGIN
    SELECT r.* INTO own FROM payments.refund r WHERE r.job_id = reserve_refund.job_id;
    SELECT p.* INTO paid FROM payments.payment p
    WHERE p.tenant_id = tenant
          AND (own.id IS NULL OR p.id = own.payment_id)
          AND (reserve_refund.payment_id IS NULL OR p.id = reserve_refund.payment_id)
          AND (reserve_refund.order_id IS NULL
               OR (p.order_id = reserve_refund.order_id AND p.part = reserve_refund.part))
          AND (reserve_refund.provider_id IS NULL OR p.provider_id = reserve_refund.provider_id)
    ORDER BY p.captured > 0 DESC, p.id DESC LIMIT 1 FOR UPDATE;
    IF NOT FOUND THEN
        said := 'unknown';
    ELSIF own.state IN ('reserved', 'done') THEN
        said := CASE own.state WHEN 'done' THEN 'done' ELSE 'mine' END;
    ELSE
        -- Reservations of jobs that have ended without any call are given up here, where the row is
        -- locked: nobody else has to.
        UPDATE payments.refund r
        SET state = 'released', failure = 'given_up', changed_at = clock_timestamp()
        WHERE r.payment_id = paid.id AND r.state = 'reserved'
              AND payments.standing_of(r.job_id) = 'clear';
        SELECT r.* INTO twin FROM payments.refund r
        WHERE r.tenant_id = tenant AND r.reference = reserve_refund.reference
              AND r.state <> 'released' AND r.job_id <> reserve_refund.job_id;
        SELECT coalesce(sum(r.amount), 0),
               coalesce(sum(r.amount) FILTER (WHERE r.state = 'reserved'), 0),
               max(r.job_id) FILTER (WHERE r.state = 'reserved')
        INTO taken, reserved, other
        FROM payments.refund r WHERE r.payment_id = paid.id AND r.state <> 'released';
        taken := taken + paid.refunded_elsewhere;
        wanted := coalesce(reserve_refund.amount, paid.captured - taken);
        IF twin.id IS NOT NULL THEN
            said := CASE
                WHEN twin.payment_id <> paid.id
                     OR twin.amount <> coalesce(reserve_refund.amount, twin.amount) THEN 'differs'
                WHEN twin.state = 'done' THEN 'done' ELSE 'busy' END;
            own := twin;
            other := twin.job_id;
        ELSIF reserve_refund.currency <> paid.currency THEN
            said := 'differs';
        ELSIF paid.captured = 0 THEN
            said := 'unpaid';
        ELSIF wanted <= 0 OR taken + wanted > paid.captured THEN
            said := CASE WHEN taken - reserved + coalesce(reserve_refund.amount, 1) <= paid.captured
                              AND reserved > 0 THEN 'busy'
                         WHEN reserve_refund.amount IS NULL THEN 'nothing' ELSE 'over' END;
        ELSIF own.id IS NULL THEN
            INSERT INTO payments.refund (payment_id, tenant_id, job_id, reference, amount)
            VALUES (paid.id, tenant, reserve_refund.job_id, reserve_refund.reference, wanted)
            RETURNING * INTO own;
        ELSE
            -- Released and run again: what the old key did is known.
            UPDATE payments.refund r
            SET state = 'reserved', amount = wanted, generation = r.generation + 1, failure = NULL,
                reference = reserve_refund.reference, changed_at = clock_timestamp()
            WHERE r.id = own.id RETURNING * INTO own;
        END IF;
    END IF;
    -- A job that ends meanwhile records its refund as it ends; whoever comes back finds it. Only
    -- one that has ended and still holds its reservation has left the question open.
    IF said = 'busy' AND payments.standing_of(other) <> 'live' THEN
        PERFORM FROM payments.refund r WHERE r.job_id = other AND r.state = 'reserved';
        IF FOUND THEN
            said := 'doubt';
        END IF;
    END IF;
    RETURN QUERY SELECT said, own.id, paid.id, paid.provider, paid.provider_id, own.amount,
        paid.currency, paid.order_id, coalesce(own.generation, 0), own.provider_id, other;
EXCEPTION WHEN unique_violation THEN
    -- Of two jobs with one reference and different payments the other was first.
    RETURN QUERY SELECT 'busy', NULL::bigint, NULL::bigint, NULL, NULL, NULL::bigint, NULL, NULL, 0,
        NULL, NULL::bigint;
END
$$;
