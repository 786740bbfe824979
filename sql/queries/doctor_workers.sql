-- Workers that are silent and have not left; and whether anybody is there for what waits.
-- No parameters. Rows: severity, found, cure (text).
-- Index: ready_pkey for one entry per line. Locks: none.
WITH worker AS (
    SELECT w.id, w.name, w.host, w.pid, w.beat_at,
           w.beat_at > clock_timestamp() - make_interval(secs => w.lease_ms / 1000.0) AS live,
           (SELECT count(*) FROM queue.lease l WHERE l.worker_id = w.id) AS leases
    FROM queue.worker w)
SELECT 'warning' AS severity,
       format('worker %s (%s, process %s on %s) has been silent since %s; %s leases are its own',
              w.id, w.name, w.pid, w.host, date_trunc('second', w.beat_at), w.leases) AS found,
       'systemctl status workerd on that host; any live worker takes its jobs over' AS cure
FROM worker w
WHERE NOT w.live
UNION ALL
SELECT 'error', 'jobs are due and no worker is live', 'systemctl start workerd'
WHERE NOT EXISTS (SELECT FROM worker w WHERE w.live)
  AND EXISTS (
      SELECT FROM queue.line l
      CROSS JOIN LATERAL (
          SELECT r.run_at FROM queue.ready r
          WHERE r.line_id = l.id
          ORDER BY r.run_at
          LIMIT 1) due
      WHERE due.run_at <= clock_timestamp())
