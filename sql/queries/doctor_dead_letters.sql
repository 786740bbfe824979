-- Kinds of which more jobs die than did.
-- No parameters. Rows: severity, found, cure (text). Index: dead_letter_died_at_idx. Locks: none.
SELECT 'warning' AS severity,
       format('%s jobs of kind %s died within the last hour, %s in the 24 hours before',
              count(*) FILTER (WHERE d.died_at > now() - interval '1 hour'), d.kind,
              count(*) FILTER (WHERE d.died_at <= now() - interval '1 hour')) AS found,
       format('qctl dlq groups --kind %s --since 1h', d.kind) AS cure
FROM queue.dead_letters d
WHERE d.died_at > now() - interval '25 hours'
GROUP BY d.kind
HAVING 24 * count(*) FILTER (WHERE d.died_at > now() - interval '1 hour')
       > 2 * count(*) FILTER (WHERE d.died_at <= now() - interval '1 hour')
ORDER BY d.kind
LIMIT 20
