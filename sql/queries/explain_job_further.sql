-- Why a job is not running, where it stands in line, and what would help.
-- $1 bigint job. One row: reason, detail, until; ahead (due jobs before it, up to 1,000; NULL
-- unless it is ready); cure (JSON: action and what to do it to; NULL: nothing but waiting).
-- Raises LQ005 for an unknown job. Index: job_pkey, attempt_pkey, ready_pkey. Locks: none.
SELECT e.reason, e.detail, e.until, queue.jobs_ahead(j.id) AS ahead,
       CASE
           WHEN e.reason = 'queue paused'
               THEN jsonb_build_object('action', 'resume_queue', 'queue', j.queue)
           WHEN e.reason IN ('no live worker', 'unhandled kind')
               THEN jsonb_build_object('action', 'start_worker', 'queue', j.queue, 'kind', j.kind)
           WHEN e.reason = 'limit stopped' THEN jsonb_build_object('action', 'resume_limit')
           WHEN e.reason IN ('limit closed', 'circuit open')
               THEN jsonb_build_object('action', 'reset_limit')
           WHEN e.reason = 'unknown limit' THEN jsonb_build_object('action', 'set_limit')
           WHEN e.reason = 'concurrency'
               THEN jsonb_build_object('action', 'raise_concurrency', 'queue', j.queue)
           WHEN e.reason IN ('scheduled', 'retrying')
               THEN jsonb_build_object('action', 'run_now', 'id', j.id)
           WHEN e.reason = 'cancelled' THEN jsonb_build_object('action', 'retry', 'id', j.id)
           WHEN e.reason = 'dead' THEN jsonb_build_object('action', 'replay', 'id', j.id)
       END AS cure
FROM queue.explain($1::bigint) e
JOIN queue.jobs j ON j.id = $1::bigint
