-- Limits under which nothing starts, and those above that nobody defined.
-- No parameters. Rows: severity, found, cure (text).
-- Index: none, few rows. Locks: none.
(SELECT 'error' AS severity,
        format('limit %s is under %s, which is not defined: nothing of it starts', r.name,
               r.parent) AS found,
        format('qctl limits set %s', r.parent) AS cure
 FROM queue.limit_rule r
 WHERE r.parent IS NOT NULL
   AND NOT EXISTS (SELECT FROM queue.limit_rule p WHERE p.name = r.parent)
 ORDER BY r.name
 LIMIT 20)
UNION ALL
(SELECT 'warning',
        format('the circuit of limit %s%s is open since %s', b.limit_name,
               CASE WHEN b.key = '' THEN '' ELSE ' of key ' || b.key END,
               date_trunc('second', b.opened_at)),
        format('see to the provider; qctl limits reset %s closes it', b.limit_name)
 FROM queue.limit_breaker b
 JOIN queue.limit_rule r ON r.name = b.limit_name AND r.breaker_ratio IS NOT NULL
 WHERE b.state <> 'closed'
 ORDER BY b.opened_at
 LIMIT 20)
UNION ALL
(SELECT 'note',
        format('limit %s%s is closed until %s', t.limit_name,
               CASE WHEN t.key = '' THEN '' ELSE ' of key ' || t.key END,
               date_trunc('second', max(t.closed_until))),
        format('wait, or qctl limits reset %s', t.limit_name)
 FROM queue.limit_tally t
 WHERE t.closed_until > now() + interval '1 minute'
 GROUP BY t.limit_name, t.key
 ORDER BY t.limit_name, t.key
 LIMIT 20)
UNION ALL
SELECT 'warning',
       format('limit %s is stopped since %s by %s', r.name, date_trunc('second', r.stopped_at),
              r.stopped_by),
       format('qctl limits resume %s', r.name)
FROM queue.limit_rule r
WHERE r.stopped_at IS NOT NULL
