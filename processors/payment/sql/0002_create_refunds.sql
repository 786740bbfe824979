-- breaking: no
-- How much of a payment may be given back, decided under the lock of its row before the provider is
-- asked: what is reserved and what is done never exceed what was captured.

-- Reserves a refund for this job. `amount` NULL: all that is left. The payment is named by
-- payment_id, by order_id and part, or by the provider's id. The same job gets the same row.
--   mine     go on with this refund
--   done     this refund is done (this job's, or the one of the same reference)
--   busy     another job (other_job) reserved what is left, or works under the same reference
--   doubt    the same, but that job has ended and its refund may have happened: a person decides
--   over     more than is left
--   nothing  all was given back already
--   unpaid   nothing was captured
--   unknown  no such payment of this tenant
--   differs  the reference stands for another payment or amount
CREATE FUNCTION payments.reserve_refund(
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
    IF said = 'busy' AND payments.standing_of(other) <> 'live' THEN
        said := 'doubt';
    END IF;
    RETURN QUERY SELECT said, own.id, paid.id, paid.provider, paid.provider_id, own.amount,
        paid.currency, paid.order_id, coalesce(own.generation, 0), own.provider_id, other;
EXCEPTION WHEN unique_violation THEN
    -- Of two jobs with one reference and different payments the other was first.
    RETURN QUERY SELECT 'busy', NULL::bigint, NULL::bigint, NULL, NULL, NULL::bigint, NULL, NULL, 0,
        NULL, NULL::bigint;
END
$$;
COMMENT ON FUNCTION payments.reserve_refund IS 'Reserves a refund under the lock of its payment.';

-- A payment that the provider knows and we do not, so that refunds of it are counted from now on.
-- Returns whether it is new here.
CREATE FUNCTION payments.adopt_payment(
    tenant_id uuid, provider text, provider_id text, order_id text, amount bigint, currency text,
    captured bigint, refunded bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO payments.payment (tenant_id, order_id, part, provider, provider_id, amount,
                                  currency, captured, refunded_elsewhere, state)
    VALUES (payments.tenant_key(adopt_payment.tenant_id),
            coalesce(adopt_payment.order_id, adopt_payment.provider_id),
            -- A part of its own: the order may have a payment here.
            left('adopted:' || md5(adopt_payment.provider_id), 64), adopt_payment.provider,
            adopt_payment.provider_id, adopt_payment.amount, adopt_payment.currency,
            adopt_payment.captured, adopt_payment.refunded, 'succeeded')
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION payments.adopt_payment IS 'Takes over a payment found at the provider.';

-- What became of the refund of this job, in the transaction that records the run; publishes
-- refund.completed or refund.failed when that is new. Touches no row of another job.
CREATE FUNCTION payments.record_refund(
    job_id bigint, happened boolean, provider_id text DEFAULT NULL, failure text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    held payments.refund;
    paid payments.payment;
BEGIN
    UPDATE payments.refund r
    SET state = CASE WHEN record_refund.happened THEN 'done' ELSE 'released' END,
        provider_id = coalesce(record_refund.provider_id, r.provider_id),
        failure = record_refund.failure, changed_at = clock_timestamp()
    WHERE r.job_id = record_refund.job_id
          AND r.state <> CASE WHEN record_refund.happened THEN 'done' ELSE 'released' END
    RETURNING r.* INTO held;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT p.* INTO paid FROM payments.payment p WHERE p.id = held.payment_id;
    PERFORM queue.publish(
        CASE WHEN record_refund.happened THEN 'refund.completed' ELSE 'refund.failed' END,
        jsonb_strip_nulls(jsonb_build_object(
            'refund_id', held.id, 'payment_id', paid.id, 'order_id', paid.order_id,
            'reference', held.reference, 'provider', paid.provider,
            'provider_id', held.provider_id, 'provider_payment_id', paid.provider_id,
            'amount', held.amount, 'currency', paid.currency, 'failure', held.failure,
            'job_id', held.job_id)),
        tenant_id => nullif(held.tenant_id, '00000000-0000-0000-0000-000000000000'));
END
$$;
COMMENT ON FUNCTION payments.record_refund IS 'What became of the refund of a job; publishes it.';

-- The bank has sent a refund back that the provider had taken on, which takes days: said by whoever
-- hears of it, as the receiver of the provider's webhooks does. Its amount may be given back again.
-- Returns whether there was such a refund.
CREATE FUNCTION payments.refund_came_back(provider text, provider_id text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    job bigint;
BEGIN
    SELECT r.job_id INTO job
    FROM payments.refund r JOIN payments.payment p ON p.id = r.payment_id
    WHERE r.provider_id = refund_came_back.provider_id AND p.provider = refund_came_back.provider
          AND r.state = 'done';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM payments.record_refund(job, false, NULL, 'came_back');
    RETURN true;
END
$$;
COMMENT ON FUNCTION payments.refund_came_back IS
    'A refund failed at the bank after the provider had taken it on.';

-- Enqueues refund.full or refund.partial. `reference` names the refund for good: two refunds of the
-- same amount have two, and a second call with the same returns the first job. `amount` NULL: all
-- that is left.
CREATE FUNCTION payments.enqueue_refund(
    order_id text, reference text, amount bigint DEFAULT NULL, more jsonb DEFAULT '{}',
    tenant_id uuid DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN queue.enqueue(
        CASE WHEN enqueue_refund.amount IS NULL THEN 'refund.full' ELSE 'refund.partial' END,
        coalesce(enqueue_refund.more, '{}') || jsonb_strip_nulls(jsonb_build_object(
            'order_id', enqueue_refund.order_id, 'reference', enqueue_refund.reference,
            'amount', enqueue_refund.amount)),
        tenant_id => enqueue_refund.tenant_id,
        idempotency_key => coalesce(enqueue_refund.idempotency_key,
            format('refund:%s:%s', enqueue_refund.reference, enqueue_refund.order_id)));
END
$$;
COMMENT ON FUNCTION payments.enqueue_refund IS 'Enqueues a refund under its default key.';
