-- What a queue still has to do.
-- $1 text queue. At most one row: waiting bigint, running bigint, last_id bigint (the newest job).
-- Index: queue_name_key, ready_pkey, attempt_pkey. Locks: none.
SELECT (SELECT count(*)
        FROM queue.waiting r
        WHERE r.line_id = ANY (ARRAY(SELECT unnest(ARRAY[l.id, -l.id])
                                     FROM queue.line l WHERE l.queue_id = q.id)))
       AS waiting,
       (SELECT count(*)
        FROM queue.lease s
        CROSS JOIN LATERAL unnest(s.job_ids) t (job_id)
        JOIN queue.job j ON j.id = t.job_id
        JOIN queue.line l ON l.id = j.line_id AND l.queue_id = q.id
        WHERE NOT EXISTS (
            SELECT FROM queue.attempt a WHERE a.job_id = t.job_id AND a.lease_id = s.id))
       AS running,
       coalesce(pg_sequence_last_value('queue.job_id_seq'), 0) AS last_id
FROM queue.queue q
WHERE q.name = $1::text
