-- breaking: no
-- Payments and refunds as the processors know them: who may act on an order now, and how much of a
-- payment may still be given back. The provider holds the money; these rows keep two jobs from
-- asking it for the same thing.
--
-- Rows are changed by the functions below alone. Each is one short transaction, or part of the one
-- that finishes a job, and locks one payment at most.

CREATE FUNCTION payments.tenant_key(tenant_id uuid) RETURNS uuid
IMMUTABLE LANGUAGE sql
RETURN coalesce(tenant_id, '00000000-0000-0000-0000-000000000000');

-- One attempt to be paid for an order, or for a part of it ('deposit', 'balance').
CREATE TABLE payments.payment (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id     uuid NOT NULL,  -- all zeros: no tenant
    order_id      text COLLATE "C" NOT NULL CHECK (octet_length(order_id) BETWEEN 1 AND 200),
    part          text COLLATE "C" NOT NULL DEFAULT '' CHECK (octet_length(part) <= 64),
    -- The job that acts on it, or acted last. NULL: found at the provider, made by nobody here.
    job_id        bigint,
    provider      text COLLATE "C" NOT NULL,
    provider_id   text COLLATE "C",
    amount        bigint NOT NULL CHECK (amount > 0),   -- minor units
    currency      text COLLATE "C" NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    captured      bigint NOT NULL DEFAULT 0 CHECK (captured BETWEEN 0 AND amount),
    -- Given back before we knew of the payment.
    refunded_elsewhere bigint NOT NULL DEFAULT 0 CHECK (refunded_elsewhere >= 0),
    state         text COLLATE "C" NOT NULL DEFAULT 'open' CHECK (state IN
                      ('open', 'processing', 'action_required', 'authorized', 'succeeded',
                       'failed', 'cancelled')),
    failure       text,            -- the provider's code
    -- How often a new idempotency key was begun, because what the last one did is known.
    generation    integer NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- One payment per order and part at a time, and none after one that stands.
CREATE UNIQUE INDEX payment_order ON payments.payment (tenant_id, order_id, part)
    WHERE state NOT IN ('failed', 'cancelled');
CREATE UNIQUE INDEX payment_job ON payments.payment (job_id);
CREATE UNIQUE INDEX payment_provider_id ON payments.payment (provider, provider_id);
CREATE INDEX payment_orders ON payments.payment (tenant_id, order_id);
CREATE INDEX payment_changed ON payments.payment (changed_at);

CREATE TABLE payments.refund (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id    bigint NOT NULL REFERENCES payments.payment,
    tenant_id     uuid NOT NULL,
    job_id        bigint NOT NULL,
    -- The caller's name of this refund, for good; two equal refunds have two.
    reference     text COLLATE "C" CHECK (octet_length(reference) BETWEEN 1 AND 200),
    provider_id   text COLLATE "C",
    amount        bigint NOT NULL CHECK (amount > 0),
    -- reserved: a job is about to ask for it. done: the provider has taken it on. released: it did
    -- not happen.
    state         text COLLATE "C" NOT NULL DEFAULT 'reserved' CHECK (state IN
                      ('reserved', 'done', 'released')),
    failure       text,
    generation    integer NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX refund_job ON payments.refund (job_id);
CREATE UNIQUE INDEX refund_reference ON payments.refund (tenant_id, reference)
    WHERE state <> 'released';
CREATE INDEX refund_payment ON payments.refund (payment_id);
CREATE INDEX refund_provider_id ON payments.refund (provider_id);

-- For people and programs. No row is locked to keep `refunded`: it is the sum.
CREATE VIEW payments.payments WITH (security_invoker = true) AS
SELECT p.id, nullif(p.tenant_id, '00000000-0000-0000-0000-000000000000') AS tenant_id, p.order_id,
       p.part, p.job_id, p.provider, p.provider_id, p.amount, p.currency, p.captured,
       p.refunded_elsewhere + coalesce(r.done, 0) AS refunded,
       coalesce(r.reserved, 0) AS refunds_reserved,
       p.state, p.failure, p.created_at, p.changed_at
FROM payments.payment p
LEFT JOIN LATERAL (
    SELECT sum(x.amount) FILTER (WHERE x.state = 'done')::bigint AS done,
           sum(x.amount) FILTER (WHERE x.state = 'reserved')::bigint AS reserved
    FROM payments.refund x WHERE x.payment_id = p.id) r ON true;
COMMENT ON VIEW payments.payments IS 'Payments, how much was captured and given back';

CREATE VIEW payments.refunds WITH (security_invoker = true) AS
SELECT r.id, r.payment_id, p.order_id, nullif(r.tenant_id, '00000000-0000-0000-0000-000000000000')
           AS tenant_id,
       r.job_id, r.reference, r.provider_id, r.amount, p.currency, r.state, r.failure,
       r.created_at, r.changed_at
FROM payments.refund r JOIN payments.payment p ON p.id = r.payment_id;
COMMENT ON VIEW payments.refunds IS 'Refunds: reserved, done or released';

-- What may be said of a job that holds something: `live` (leave it to it), `clear` (it has ended,
-- and the ledger knows of no call that may have been made), `doubt`. Internal.
CREATE FUNCTION payments.standing_of(job_id bigint) RETURNS text
STABLE LANGUAGE sql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $$
    SELECT CASE
        WHEN j.state IN ('ready', 'running', 'retrying', 'scheduled') THEN 'live'
        -- The ledger goes with the job: without the job nobody can tell.
        WHEN j.id IS NULL THEN 'doubt'
        WHEN EXISTS (SELECT FROM queue.effects e
                     WHERE e.job_id = standing_of.job_id AND e.state <> 'abandoned') THEN 'doubt'
        ELSE 'clear' END
    FROM (SELECT) one LEFT JOIN queue.jobs j ON j.id = standing_of.job_id
$$;

-- Takes the order for this job, which is about to ask for a payment. The same job gets the same row
-- however often it asks. `verdict`:
--   mine   go on
--   busy   another job is at it (other_job): come back later
--   paid   a payment of the order stands, made by another job
--   doubt  another job has ended and may have been paid: a person decides (payments.decide)
CREATE FUNCTION payments.begin_payment(
    job_id bigint, tenant_id uuid, order_id text, part text, provider text, amount bigint,
    currency text)
RETURNS TABLE (verdict text, payment_id bigint, state text, provider_id text, generation integer,
               age_seconds bigint, other_job bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    tenant uuid := payments.tenant_key(begin_payment.tenant_id);
    own payments.payment;
    other payments.payment;
    standing text;
BEGIN
    FOR round IN 1..3 LOOP
        SELECT p.* INTO own FROM payments.payment p
        WHERE p.job_id = begin_payment.job_id FOR UPDATE;
        IF FOUND AND own.state NOT IN ('failed', 'cancelled') THEN
            RETURN QUERY SELECT 'mine', own.id, own.state, own.provider_id, own.generation,
                extract(epoch FROM clock_timestamp() - own.created_at)::bigint, NULL::bigint;
            RETURN;
        END IF;
        BEGIN
            IF own.id IS NOT NULL THEN
                -- Refused once and run again by hand: what the old key did is known, so a new one.
                UPDATE payments.payment p
                SET state = 'open', generation = p.generation + 1, failure = NULL,
                    provider_id = NULL, created_at = clock_timestamp(),
                    changed_at = clock_timestamp()
                WHERE p.id = own.id;
            ELSE
                INSERT INTO payments.payment (tenant_id, order_id, part, job_id, provider, amount,
                                              currency)
                VALUES (tenant, begin_payment.order_id, begin_payment.part, begin_payment.job_id,
                        begin_payment.provider, begin_payment.amount, begin_payment.currency);
            END IF;
            CONTINUE;  -- To the first answer of this loop.
        EXCEPTION WHEN unique_violation THEN
            NULL;
        END;
        SELECT p.* INTO other FROM payments.payment p
        WHERE p.tenant_id = tenant AND p.order_id = begin_payment.order_id
              AND p.part = begin_payment.part AND p.state NOT IN ('failed', 'cancelled')
        FOR UPDATE;
        CONTINUE WHEN NOT FOUND;
        standing := payments.standing_of(other.job_id);
        IF other.state IN ('succeeded', 'authorized') OR standing IN ('live', 'doubt') THEN
            RETURN QUERY SELECT
                CASE WHEN other.state IN ('succeeded', 'authorized') THEN 'paid'
                     WHEN standing = 'live' THEN 'busy' ELSE 'doubt' END,
                other.id, other.state, other.provider_id, other.generation, 0::bigint, other.job_id;
            RETURN;
        END IF;
        UPDATE payments.payment p
        SET state = 'failed', failure = 'given_up', changed_at = clock_timestamp()
        WHERE p.id = other.id;
    END LOOP;
    RETURN QUERY SELECT 'busy', NULL::bigint, NULL, NULL, 0, 0::bigint, NULL::bigint;
END
$$;
COMMENT ON FUNCTION payments.begin_payment IS 'Takes an order for the job that is to pay it.';

-- The verdict on a payment whose order another one has taken meanwhile. Internal.
CREATE FUNCTION payments.order_taken(refused payments.payment) RETURNS text
STABLE LANGUAGE sql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $$
    SELECT CASE WHEN EXISTS (
        SELECT FROM payments.payment p
        WHERE p.tenant_id = refused.tenant_id AND p.order_id = refused.order_id
              AND p.part = refused.part AND p.state IN ('succeeded', 'authorized'))
        THEN 'paid' ELSE 'busy' END
$$;

-- Takes a payment that exists for a job that is to confirm it again ('retry') or to capture it.
-- Named by payment_id, by order_id and part (the newest), or by the provider's id. Verdicts as of
-- begin_payment, and: `unknown` no such payment of this tenant; `unfit` its state forbids it.
CREATE FUNCTION payments.take_payment(
    job_id bigint, tenant_id uuid, purpose text, payment_id bigint DEFAULT NULL,
    order_id text DEFAULT NULL, part text DEFAULT '', provider_id text DEFAULT NULL)
RETURNS TABLE (verdict text, id bigint, state text, provider_ref text, generation integer,
               age_seconds bigint, other_job bigint, amount bigint, currency text,
               captured bigint, order_ref text, provider text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    tenant uuid := payments.tenant_key(take_payment.tenant_id);
    held payments.payment;
    said text := 'mine';
    holder bigint;
BEGIN
    SELECT p.* INTO held FROM payments.payment p
    WHERE p.tenant_id = tenant
          AND (take_payment.payment_id IS NULL OR p.id = take_payment.payment_id)
          AND (take_payment.order_id IS NULL
               OR (p.order_id = take_payment.order_id AND p.part = take_payment.part))
          AND (take_payment.provider_id IS NULL OR p.provider_id = take_payment.provider_id)
    ORDER BY p.state IN ('failed', 'cancelled'), p.id DESC LIMIT 1 FOR UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown', NULL::bigint, NULL, NULL, 0, 0::bigint, NULL::bigint,
            NULL::bigint, NULL, NULL::bigint, NULL, NULL;
        RETURN;
    END IF;
    holder := held.job_id;
    IF holder IS DISTINCT FROM take_payment.job_id THEN
        -- Of a payment that is settled or was refused the last job has nothing more to do with it.
        IF held.state IN ('open', 'processing', 'action_required')
           AND payments.standing_of(holder) = 'live' THEN
            said := 'busy';
        ELSIF held.state IN ('authorized', 'failed')
              AND payments.standing_of(holder) = 'live' THEN
            said := 'busy';
        ELSIF held.state IN ('open', 'processing') THEN
            said := 'doubt';
        ELSIF held.provider_id IS NULL
              OR (take_payment.purpose = 'capture' AND held.state <> 'authorized')
              OR (take_payment.purpose = 'retry'
                  AND held.state NOT IN ('failed', 'action_required')) THEN
            said := CASE WHEN held.state = 'succeeded' THEN 'paid' ELSE 'unfit' END;
        ELSE
            BEGIN
                UPDATE payments.payment p
                SET job_id = take_payment.job_id, generation = 0, changed_at = clock_timestamp(),
                    state = CASE take_payment.purpose WHEN 'retry' THEN 'open' ELSE p.state END,
                    failure = NULL,
                    created_at = CASE take_payment.purpose WHEN 'retry' THEN clock_timestamp()
                                 ELSE p.created_at END
                WHERE p.id = held.id RETURNING p.* INTO held;
            EXCEPTION WHEN unique_violation THEN
                said := payments.order_taken(held);
            END;
        END IF;
    ELSIF held.state IN ('failed', 'cancelled') AND take_payment.purpose = 'retry' THEN
        BEGIN
            UPDATE payments.payment p
            SET state = 'open', generation = p.generation + 1, failure = NULL,
                created_at = clock_timestamp(), changed_at = clock_timestamp()
            WHERE p.id = held.id RETURNING p.* INTO held;
        EXCEPTION WHEN unique_violation THEN
            said := payments.order_taken(held);
        END;
    END IF;
    RETURN QUERY SELECT said, held.id, held.state, held.provider_id, held.generation,
        extract(epoch FROM clock_timestamp() - held.created_at)::bigint,
        nullif(holder, take_payment.job_id), held.amount, held.currency, held.captured,
        held.order_id, held.provider;
END
$$;
COMMENT ON FUNCTION payments.take_payment IS
    'Takes a payment for a job that confirms or captures it.';

-- A new idempotency key for what the job does, because the old one is known to have done nothing.
CREATE FUNCTION payments.next_key(job_id bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    made integer;
BEGIN
    UPDATE payments.payment p SET generation = p.generation + 1
    WHERE p.job_id = next_key.job_id RETURNING p.generation INTO made;
    IF NOT FOUND THEN
        UPDATE payments.refund r SET generation = r.generation + 1
        WHERE r.job_id = next_key.job_id RETURNING r.generation INTO made;
    END IF;
    IF made IS NULL THEN
        RAISE EXCEPTION 'job % holds no payment and no refund', next_key.job_id
            USING ERRCODE = 'LQ005';
    END IF;
    RETURN made;
END
$$;

-- Which topic tells of a payment that has come to this state; NULL: none. Internal.
CREATE FUNCTION payments.topic_of(state text) RETURNS text
IMMUTABLE LANGUAGE sql
RETURN CASE state WHEN 'succeeded' THEN 'payment.completed'
    WHEN 'authorized' THEN 'payment.authorized'
    WHEN 'action_required' THEN 'payment.action_required' WHEN 'failed' THEN 'payment.failed'
    WHEN 'cancelled' THEN 'payment.failed' END;

-- Where the payment of this job stands now, as the provider said. In the transaction that records
-- the run; publishes a topic when the state is another than before. `about` is added to the event
-- (next_action). A job that holds no payment changes nothing.
CREATE FUNCTION payments.record_payment(
    job_id bigint, state text, provider_id text DEFAULT NULL, captured bigint DEFAULT NULL,
    failure text DEFAULT NULL, about jsonb DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    before payments.payment;
    held payments.payment;
    twin bigint;
    topic text;
BEGIN
    SELECT p.* INTO before FROM payments.payment p
    WHERE p.job_id = record_payment.job_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- Refunded by its id while we were in doubt, it was taken over as if nobody here had made it.
    SELECT p.id INTO twin FROM payments.payment p
    WHERE p.provider = before.provider AND p.provider_id = record_payment.provider_id
          AND p.job_id IS NULL AND p.tenant_id = before.tenant_id FOR UPDATE;
    IF FOUND THEN
        UPDATE payments.refund r SET payment_id = before.id WHERE r.payment_id = twin;
        DELETE FROM payments.payment p WHERE p.id = twin;
    END IF;
    UPDATE payments.payment p
    SET state = record_payment.state,
        provider_id = coalesce(record_payment.provider_id, p.provider_id),
        captured = coalesce(record_payment.captured, p.captured),
        failure = record_payment.failure, changed_at = clock_timestamp()
    WHERE p.job_id = record_payment.job_id RETURNING p.* INTO held;
    topic := payments.topic_of(held.state);
    IF topic IS NOT NULL AND before.state <> held.state THEN
        PERFORM queue.publish(topic,
            jsonb_strip_nulls(jsonb_build_object(
                'payment_id', held.id, 'order_id', held.order_id, 'part', nullif(held.part, ''),
                'provider', held.provider, 'provider_id', held.provider_id,
                'amount', held.amount, 'captured', held.captured, 'currency', held.currency,
                'state', held.state, 'failure', held.failure, 'job_id', held.job_id))
            || coalesce(record_payment.about, '{}'),
            tenant_id => nullif(held.tenant_id, '00000000-0000-0000-0000-000000000000'));
    END IF;
END
$$;
COMMENT ON FUNCTION payments.record_payment IS 'What became of the payment of a job; publishes it.';

-- Runs the job that waits for the customer or the bank now instead of later: for whoever hears of
-- it first, as the receiver of the provider's webhooks does. Returns whether there is such a job.
CREATE FUNCTION payments.poke(provider text, provider_id text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    held payments.payment;
BEGIN
    SELECT p.* INTO held FROM payments.payment p
    WHERE p.provider = poke.provider AND p.provider_id = poke.provider_id;
    IF held.job_id IS NULL OR held.state NOT IN ('processing', 'action_required') THEN
        RETURN false;
    END IF;
    PERFORM queue.retry(held.job_id);
    RETURN true;
EXCEPTION WHEN SQLSTATE 'LQ006' THEN
    RETURN true;  -- It runs at this moment and asks the provider itself.
END
$$;
COMMENT ON FUNCTION payments.poke IS 'Lets the job of a payment look at the provider now.';

-- A person's word on a payment in doubt, after a look at the provider.
CREATE FUNCTION payments.decide(
    payment_id bigint, state text, provider_id text DEFAULT NULL, captured bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    held payments.payment;
BEGIN
    IF decide.state NOT IN ('succeeded', 'authorized', 'failed') OR decide.state IS NULL THEN
        RAISE EXCEPTION 'state: expected succeeded, authorized or failed, got %',
            coalesce(quote_literal(left(decide.state, 50)), 'NULL') USING ERRCODE = 'LQ001';
    END IF;
    SELECT p.* INTO held FROM payments.payment p WHERE p.id = decide.payment_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no payment %', decide.payment_id USING ERRCODE = 'LQ005';
    END IF;
    IF held.state IN ('succeeded', 'authorized')
       OR payments.standing_of(held.job_id) = 'live' THEN
        RAISE EXCEPTION 'payment % is not in doubt: it is % and job % has it', held.id, held.state,
            coalesce(held.job_id::text, '-') USING ERRCODE = 'LQ006';
    END IF;
    UPDATE payments.payment p
    SET state = decide.state, provider_id = coalesce(decide.provider_id, p.provider_id),
        captured = CASE decide.state WHEN 'succeeded' THEN coalesce(decide.captured, p.amount)
                   ELSE 0 END,
        changed_at = clock_timestamp()
    WHERE p.id = held.id;
END
$$;
COMMENT ON FUNCTION payments.decide IS 'A person says what became of a payment in doubt.';

-- Enqueues payment.process. The default key makes a second call for the same user, order and amount
-- return the first job; an explicit key wins. `more` is added to the payload (capture, part,
-- customer, return_url, then, ...).
CREATE FUNCTION payments.enqueue_payment(
    user_id text, order_id text, amount bigint, currency text, payment_method text,
    more jsonb DEFAULT '{}', tenant_id uuid DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN queue.enqueue('payment.process',
        coalesce(enqueue_payment.more, '{}') || jsonb_build_object(
            'order_id', enqueue_payment.order_id, 'amount', enqueue_payment.amount,
            'currency', enqueue_payment.currency,
            'payment_method', enqueue_payment.payment_method),
        tenant_id => enqueue_payment.tenant_id,
        idempotency_key => coalesce(enqueue_payment.idempotency_key,
            format('payment:%s:%s:%s', enqueue_payment.user_id, enqueue_payment.order_id,
                   enqueue_payment.amount)));
END
$$;
COMMENT ON FUNCTION payments.enqueue_payment IS 'Enqueues payment.process under its default key.';

-- Removes settled payments, with their refunds, of which nothing was heard for so long. Returns how
-- many. Call it again until it returns less than max_rows; a schedule of yours decides when, for
-- how long books are kept is the law's affair.
CREATE FUNCTION payments.prune(
    keep interval DEFAULT interval '10 years', max_rows integer DEFAULT 1000) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    gone bigint[];
BEGIN
    SELECT coalesce(array_agg(x.id), '{}') INTO gone FROM (
        SELECT p.id FROM payments.payment p
        WHERE p.changed_at < clock_timestamp() - prune.keep
              AND p.state IN ('succeeded', 'failed', 'cancelled')
              AND NOT EXISTS (SELECT FROM payments.refund r WHERE r.payment_id = p.id
                              AND (r.state = 'reserved'
                                   OR r.changed_at >= clock_timestamp() - prune.keep))
        ORDER BY p.changed_at LIMIT prune.max_rows FOR UPDATE SKIP LOCKED) x;
    DELETE FROM payments.refund r WHERE r.payment_id = ANY (gone);
    DELETE FROM payments.payment p WHERE p.id = ANY (gone);
    RETURN cardinality(gone);
END
$$;
COMMENT ON FUNCTION payments.prune IS 'Removes settled payments and refunds older than so long.';
