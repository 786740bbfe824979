-- What stands beside the jobs after a year, and is on operators' screens: :minutes of samples for
-- each queue, :many records of the audit, a hundredth of that of most other things. Beside
-- pages.sql; nothing here ends by itself while it is looked at.
UPDATE queue.queue SET retention = NULL, dead_letter_retention = NULL;
SELECT count(queue.create_tenant('tenant-' || n)) FROM generate_series(1, 64) n;
SELECT count(queue.create_token(sha256(convert_to('other ' || n, 'UTF8')), 'viewer',
                                name => 'other-' || n))
FROM generate_series(1, 200) n;
SELECT count(queue.schedule('report-' || n, '0 0 1 1 *', 'debug.echo', queue => 'q' || n % 64 + 1))
FROM generate_series(1, 200) n;
SELECT count(queue.subscribe('order.' || n || '.*', 'email.send')) FROM generate_series(1, 500) n;
INSERT INTO queue.unrouted_topic (topic, count, first_at, last_at)
SELECT 'gone.' || n, n, now() - interval '9 days', now() FROM generate_series(1, 1000) n;
SELECT count(queue.create_batch('import ' || n)) FROM generate_series(1, :many / 100) n;
SELECT queue.create_batch('the large one') AS batch \gset
SELECT count(*)
FROM generate_series(1, greatest(1, :many / 1000)),
     LATERAL queue.enqueue_many('email.send', array_fill('{}'::jsonb, ARRAY[1000]), queue => 'q1',
                                batch_id => :batch);
INSERT INTO queue.operation (actor, action, filter, condition, state, matched, matched_exact, done,
                             created_at, starts_at, started_at, finished_at, next_at)
SELECT 'token:other-' || n % 200 + 1, 'replay', 'queue:q' || n % 64 + 1, '[]', 'completed', n, true,
       n, at, at, at, at + interval '1 minute', at
FROM generate_series(1, :many / 100) n,
     LATERAL (SELECT now() - n * interval '10 minutes' AS at) t;
INSERT INTO queue.alert (rule, subject, severity, summary, value, threshold, raised_at, seen_at,
                         resolved_at)
SELECT 'queue_late', 'q' || n % 64 + 1, 'warning', 'The oldest job is late', 61, 60, at, at, at
FROM generate_series(1, :many / 100) n, LATERAL (SELECT now() - n * interval '5 minutes' AS at) t;
-- What the state of each queue was, and what one process did in it.
INSERT INTO queue.sample (at, queue, process, completed, retried, wait_buckets, run_buckets, ready,
                          scheduled, retrying, running, dead, oldest_seconds)
SELECT date_trunc('minute', now()) - m * interval '1 minute', 'q' || q, p,
       CASE p WHEN '' THEN 0 ELSE m % 600 END, 0,
       CASE p WHEN '' THEN NULL ELSE array_fill(m % 30, ARRAY[20])::bigint[] END,
       CASE p WHEN '' THEN NULL ELSE array_fill(m % 30, ARRAY[20])::bigint[] END,
       CASE p WHEN '' THEN m % 1000 END, CASE p WHEN '' THEN 10 END, CASE p WHEN '' THEN 1 END,
       CASE p WHEN '' THEN 4 END, CASE p WHEN '' THEN 7 END, CASE p WHEN '' THEN m % 60 END
FROM generate_series(1, :minutes) m, generate_series(1, 64) q, unnest(ARRAY['', 'worker-1']) p;
-- One that died, and said much before.
INSERT INTO queue.job_log (job_id, lease_id, line_no, at, level, message)
SELECT 50, 50, n, now(), 'info', 'line ' || n || ' of what the handler said'
FROM generate_series(1, 1000) n;
-- A record hangs on the one before it: in portions, or each would look through all versions of the
-- head that the transaction made.
SELECT set_config('bench.many', :'many', false);
DO $$
BEGIN
    FOR n IN 1..current_setting('bench.many')::integer LOOP
        PERFORM queue.append_audit('token:other-' || n % 200 + 1, 'operator', NULL,
                                   CASE n % 3 WHEN 0 THEN 'jobs.retry' ELSE 'jobs.cancel' END,
                                   'job:' || n, '{}', NULL);
        IF n % 100 = 0 THEN
            COMMIT;
        END IF;
    END LOOP;
END
$$;
VACUUM ANALYZE;
