-- breaking: no
-- What an operator asks of one worker process: it hears of it with its next sign of life. See
-- docs/operations.md.

ALTER TABLE queue.worker
    ADD COLUMN asked text COLLATE "C",
    ADD CONSTRAINT worker_asked_valid CHECK (asked IN ('quiet', 'drain', 'stop'));
COMMENT ON COLUMN queue.worker.asked IS
    'quiet: claims nothing; drain: leaves when it has nothing to do; stop: leaves as at SIGTERM';

-- Asks a worker to be quiet, to drain or to stop, or to go on (`resume`) when it was to be quiet or
-- to drain. Raises LQ001 for another wish, LQ005 for an unknown worker, LQ006 for one that leaves
-- or does not answer. For the platform's operators: tenants' roles have no right to it.
CREATE FUNCTION queue.ask_worker(worker_id bigint, wish text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    w record;
BEGIN
    IF NOT coalesce(ask_worker.wish IN ('quiet', 'drain', 'stop', 'resume'), false) THEN
        RAISE EXCEPTION 'wish: expected quiet, drain, stop or resume, got %',
            quote_nullable(left(ask_worker.wish, 100)) USING ERRCODE = 'LQ001';
    END IF;
    SELECT x.state, x.ended, x.asked,
           x.beat_at > clock_timestamp() - make_interval(secs => x.lease_ms / 1000.0) AS live
    INTO w FROM queue.worker x WHERE x.id = ask_worker.worker_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no worker %', ask_worker.worker_id USING ERRCODE = 'LQ005';
    ELSIF w.ended IS NOT NULL OR NOT w.live THEN
        RAISE EXCEPTION 'worker % gives no sign of life: what it ran is run by others',
            ask_worker.worker_id USING ERRCODE = 'LQ006';
    ELSIF w.state = 'draining' OR w.asked = 'stop' THEN
        RAISE EXCEPTION 'worker % is leaving', ask_worker.worker_id USING ERRCODE = 'LQ006';
    END IF;
    PERFORM queue.record_action('workers.' || ask_worker.wish, ask_worker.worker_id::text);
    UPDATE queue.worker x SET asked = nullif(ask_worker.wish, 'resume')
    WHERE x.id = ask_worker.worker_id;
END
$$;
COMMENT ON FUNCTION queue.ask_worker IS 'quiet, drain, stop or resume; heard with its next beat';

SELECT queue.apply_rights();
