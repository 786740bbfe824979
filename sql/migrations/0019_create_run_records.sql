-- breaking: no

-- Forgets what else is kept of jobs that go. Internal.
CREATE FUNCTION queue.forget_jobs(ids bigint[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
BEGIN
    DELETE FROM queue.progress p WHERE p.job_id = ANY (forget_jobs.ids);
    DELETE FROM queue.cancel_request c WHERE c.job_id = ANY (forget_jobs.ids);
END
$$;
