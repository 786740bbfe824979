-- breaking: no
-- What commits with the end of a run must not commit without it.

-- Raises LQ007 unless the end of each of these runs was recorded in this transaction. Internal.
CREATE FUNCTION queue.assert_recorded(job_ids bigint[], lease_ids bigint[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    missing record;
BEGIN
    SELECT u.job_id, u.lease_id INTO missing
    FROM unnest(assert_recorded.job_ids, assert_recorded.lease_ids) AS u (job_id, lease_id)
    WHERE NOT EXISTS (SELECT FROM queue.attempt a
                      WHERE a.job_id = u.job_id AND a.lease_id = u.lease_id
                        AND a.xmin = pg_current_xact_id()::xid)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'lease % of job % is lost', missing.lease_id, missing.job_id
            USING ERRCODE = 'LQ007';
    END IF;
END
$$;
