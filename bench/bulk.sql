-- :jobs dead letters in each of :pairs queues that nobody serves; and when each job is claimed,
-- which no table keeps: a trigger notes it, the same for all that is compared.
SELECT count(queue.create_queue('bulk' || n)) FROM generate_series(1, :pairs) n;
INSERT INTO queue.line (queue_id, priority, kind)
SELECT q.id, 5, 'email.send' FROM queue.queue q WHERE q.name LIKE 'bulk%';
INSERT INTO queue.job (id, created_at, run_at, line_id, max_attempts, payload)
SELECT nextval('queue.job_id_seq'), now() - interval '1 day', now() - interval '1 day', l.id, 4,
       jsonb_build_object('to', 'buyer' || n || '@example.com')
FROM queue.line l, generate_series(1, :jobs) n;
INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, worker_id, outcome, attempt,
                           error)
SELECT j.id, nextval('queue.lease_id_seq'), j.created_at, j.created_at, 1, 'discarded', 1, 'no host'
FROM queue.job j;
INSERT INTO queue.dead_letter (job_id, died_at, created_at, queue, kind, priority, max_attempts,
                               attempt, reason, error, fingerprint, payload, attempts)
SELECT j.id, j.created_at, j.created_at, q.name, l.kind, l.priority, 4, 1, 'discarded', 'no host',
       queue.fingerprint(l.kind, 'no host'), j.payload, '[]'
FROM queue.job j
JOIN queue.line l ON l.id = j.line_id
JOIN queue.queue q ON q.id = l.queue_id;
CREATE TABLE public.bench_claim (at timestamptz NOT NULL, job_ids bigint[] NOT NULL);
CREATE FUNCTION public.bench_note_claim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.bench_claim VALUES (clock_timestamp(), NEW.job_ids);
    RETURN NULL;
END
$$;
CREATE TRIGGER bench_note AFTER INSERT ON queue.lease
FOR EACH ROW EXECUTE FUNCTION public.bench_note_claim();
-- `started_ms`: the start as it is recorded, which has the time of recording the end in it.
CREATE VIEW public.bench_latency AS
SELECT j.created_at, 1000 * extract(epoch FROM c.at - j.created_at) AS ms,
       1000 * extract(epoch FROM a.started_at - j.created_at) AS started_ms
FROM public.bench_claim c
CROSS JOIN unnest(c.job_ids) u (id)
JOIN queue.job j ON j.id = u.id
JOIN queue.attempt a ON a.job_id = j.id;
VACUUM ANALYZE;
