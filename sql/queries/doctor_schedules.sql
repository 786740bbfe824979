-- Schedules that do not fire, and those that are paused.
-- No parameters. Rows: severity, found, cure (text).
-- Index: schedule_next_at_idx, else none needed. Locks: none.
(SELECT 'error' AS severity,
        format('schedule %s did not fire%s: %s', s.name,
               coalesce(' at ' || s.last_slot, ''), s.error) AS found,
        format('qctl schedules show %s%s --runs 5', s.name,
               coalesce(' --tenant ' || s.tenant_id, '')) AS cure
 FROM queue.schedule s
 WHERE s.error IS NOT NULL
 ORDER BY s.id
 LIMIT 20)
UNION ALL
SELECT 'error',
       format('%s schedules are overdue, the first since %s: no worker fires them', count(*),
              date_trunc('second', min(s.next_at))),
       'start a worker; qctl workers list'
FROM queue.schedule s
WHERE s.next_at < now() - interval '2 minutes'
HAVING count(*) > 0
UNION ALL
SELECT 'note', format('%s schedules are paused', count(*)), 'qctl schedules list'
FROM queue.schedule s
WHERE s.paused_at IS NOT NULL
HAVING count(*) > 0
