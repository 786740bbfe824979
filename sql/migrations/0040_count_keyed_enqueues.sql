-- breaking: no
-- Counts enqueues with an idempotency key: those that made a job and those that found one. Two
-- sequences are the counters: drawing from one takes no lock until the transaction's end, leaves no
-- dead row and is not undone, so an enqueue that was rolled back counts as well. Enqueues without
-- a key draw from neither. After a crash or a failover of the server up to 32 more are counted than
-- there were. See docs/metrics.md.

CREATE SEQUENCE queue.idempotency_miss_seq AS bigint;
CREATE SEQUENCE queue.idempotency_hit_seq AS bigint;
COMMENT ON SEQUENCE queue.idempotency_miss_seq IS 'Keyed enqueues that made a job';
COMMENT ON SEQUENCE queue.idempotency_hit_seq IS 'Keyed enqueues that found their job there';

-- queue.enqueue_once is the one way in for all of them; it keeps its body and gets two lines.
DO $do$
DECLARE
    f text;
    counted text;
    line record;
BEGIN
    SELECT pg_get_functiondef(p.oid) INTO STRICT f FROM pg_proc p
    WHERE p.pronamespace = rtrim('queue.', '.')::regnamespace AND p.proname = 'enqueue_once';
    FOR line IN
        SELECT * FROM (VALUES
            (E'\n        duplicate := true;\n', 'hit'),
            (E'\n    UPDATE queue.idempotency i SET job_id = enqueue_once.id\n', 'miss'))
            v (before, result)
    LOOP
        counted := replace(f, line.before, format(
            E'\n    PERFORM nextval(''queue.idempotency_%s_seq'');%s', line.result, line.before));
        IF counted = f THEN
            RAISE EXCEPTION 'queue.enqueue_once: expected a body with %', quote_literal(line.before);
        END IF;
        f := counted;
    END LOOP;
    EXECUTE f;
END
$do$;

SELECT queue.apply_rights();
