-- What processors keep, as screens.sql: theirs are made by workerd's first start.
SELECT count(webhooks.endpoint_create(NULL, 'https://shop-' || n || '.example.com/hook',
                                      ARRAY['order.*']))
FROM generate_series(1, 100) n;
INSERT INTO webhooks.event (owner, id, at, type, data)
SELECT webhooks.owner_of(NULL), 'event-' || n, now() - n * interval '10 seconds', 'order.paid', '{}'
FROM generate_series(1, :many) n;
INSERT INTO webhooks.delivery (endpoint_id, at, event_id, job_id, attempt, outcome, status,
                               duration_ms, request_bytes)
SELECT e.id, now() - n * interval '10 seconds', 'event-' || n, n, 1,
       CASE n % 50 WHEN 0 THEN 'failed' ELSE 'delivered' END, 200, n % 300, 400
FROM generate_series(1, :many) n
JOIN (SELECT x.id, row_number() OVER (ORDER BY x.id) AS place FROM webhooks.endpoint x) e
  ON e.place = n % 100 + 1;
INSERT INTO mail.template (name, locale, version, category, subject, html)
SELECT 'mail-' || n, 'en', v, 'transactional', 'About {{order}}', repeat('x', 2000)
FROM generate_series(1, 100) n, generate_series(1, 10) v;
VACUUM ANALYZE;
