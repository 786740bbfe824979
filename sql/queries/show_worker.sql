-- One worker process and what it runs.
-- $1 bigint id. At most one row: the columns of list_workers, ended (how it died), heartbeat_ms,
-- lease_ms, jobs (JSON: ids, lowest first). Index: worker_pkey, lease_worker_idx, attempt_pkey.
-- Locks: none.
SELECT w.id, w.name, w.state,
       w.beat_at > clock_timestamp() - make_interval(secs => w.lease_ms / 1000.0) AS live,
       w.host, w.pid, w.version, w.active, to_jsonb(w.queues) AS queues,
       to_jsonb(w.kinds) AS kinds, w.slots, w.started_at, w.beat_at, w.asked, w.ended,
       w.heartbeat_ms, w.lease_ms, coalesce(r.jobs, '[]'::jsonb) AS jobs
FROM queue.worker w
CROSS JOIN LATERAL (
    SELECT jsonb_agg(t.job_id ORDER BY t.job_id) AS jobs
    FROM queue.lease s
    CROSS JOIN LATERAL unnest(s.job_ids) t (job_id)
    WHERE s.worker_id = w.id
      AND NOT EXISTS (SELECT FROM queue.attempt a
                      WHERE a.job_id = t.job_id AND a.lease_id = s.id)) r
WHERE w.id = $1::bigint
