-- A database as it is after a year: :finished jobs in history, one in 50 dead, and :waiting jobs in
-- line, in 64 queues of four kinds each. Straight into the tables, which takes some minutes.
SELECT count(queue.create_queue('q' || n)) FROM generate_series(1, 64) n;
INSERT INTO queue.line (queue_id, priority, kind)
SELECT q.id, 5, k
FROM queue.queue q,
     unnest(ARRAY['email.send', 'payment.charge', 'mint.token', 'webhook.deliver']) k;
CREATE TABLE seed_line AS SELECT row_number() OVER () - 1 AS n, id FROM queue.line;
CREATE INDEX ON seed_line (n);
INSERT INTO queue.job (id, created_at, run_at, line_id, max_attempts, payload, meta)
SELECT g.n, t.at, t.at, l.id, 4,
       jsonb_build_object('user', jsonb_build_object('id', g.n % 100000), 'total', g.n % 977),
       CASE WHEN g.n % 1000 = 0 THEN '{"tags": ["vip"]}'::jsonb END
FROM generate_series(1::bigint, :finished + :waiting) g (n)
CROSS JOIN LATERAL (
    SELECT now() - (:finished + :waiting - g.n) * interval '200 milliseconds' AS at) t
JOIN seed_line l ON l.n = (g.n * 7919) % 256;
INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, worker_id, outcome, attempt,
                           error)
SELECT j.id, j.id, j.created_at + interval '1 s', j.created_at + interval '2 s', 1,
       (CASE WHEN j.id % 50 = 0 THEN 'discarded' WHEN j.id % 77 = 0 THEN 'cancelled'
             ELSE 'completed' END)::queue.attempt_outcome, 1,
       CASE WHEN j.id % 50 = 0
            THEN 'timeout of host ' || chr(65 + (j.id / 50 % 20)::integer) || (j.id % 7) END
FROM queue.job j WHERE j.id <= :finished;
INSERT INTO queue.dead_letter (job_id, died_at, created_at, tenant_id, queue, kind, priority,
                               max_attempts, attempt, reason, error, fingerprint, payload, meta,
                               attempts)
SELECT j.id, j.created_at + interval '2 s', j.created_at, j.tenant_id, q.name, l.kind, l.priority,
       4, 1, 'discarded', a.error, queue.fingerprint(l.kind, a.error), j.payload, j.meta, '[]'
FROM queue.job j
JOIN queue.line l ON l.id = j.line_id
JOIN queue.queue q ON q.id = l.queue_id
JOIN queue.attempt a ON a.job_id = j.id
WHERE j.id <= :finished AND j.id % 50 = 0;
INSERT INTO queue.ready (id, run_at, line_id, attempt)
SELECT j.id, j.run_at, j.line_id, 0 FROM queue.job j WHERE j.id > :finished;
SELECT setval('queue.job_id_seq', :finished + :waiting),
       setval('queue.lease_id_seq', :finished + :waiting);
VACUUM ANALYZE;
