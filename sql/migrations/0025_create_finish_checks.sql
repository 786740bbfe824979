-- breaking: no
-- What commits with the end of a run: not without it, and findable as what it follows from.

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

-- A job that follows from another holds data of the same subjects.
CREATE FUNCTION queue.inherit_subjects(from_job_id bigint, to_job_id bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO queue.subject (job_id, subject_hash)
    SELECT inherit_subjects.to_job_id, s.subject_hash
    FROM queue.subject s
    WHERE s.job_id = inherit_subjects.from_job_id AND inherit_subjects.to_job_id IS NOT NULL
    ON CONFLICT DO NOTHING
$$;
COMMENT ON FUNCTION queue.inherit_subjects IS
    'Whoever erases a subject of the first job finds the second one, too.';
