-- How well the database and what depends on it are, for whoever may know details.
-- No parameters. Rows: name, status (up, degraded, down), detail.
-- Index: none, few rows. Locks: none.
SELECT 'server' AS name, CASE WHEN pg_is_in_recovery() THEN 'down' ELSE 'up' END AS status,
       format('PostgreSQL %s%s', current_setting('server_version'),
              CASE WHEN pg_is_in_recovery() THEN ', in recovery' ELSE '' END) AS detail
UNION ALL
SELECT 'connections',
       CASE WHEN count(*) > 0.9 * current_setting('max_connections')::integer THEN 'degraded'
            ELSE 'up' END,
       format('%s of %s', count(*), current_setting('max_connections'))
FROM pg_stat_activity x WHERE x.backend_type = 'client backend'
UNION ALL
SELECT 'workers', CASE WHEN count(*) = 0 THEN 'down' ELSE 'up' END, format('%s live', count(*))
FROM queue.worker k
WHERE k.beat_at > clock_timestamp() - make_interval(secs => k.lease_ms / 1000.0)
UNION ALL
SELECT 'observer', CASE WHEN count(*) = 0 THEN 'degraded' ELSE 'up' END,
       coalesce(max(d.holder), 'no process measures the database')
FROM queue.duty d WHERE d.name = 'observe' AND d.held_until > clock_timestamp()
UNION ALL
SELECT 'alerts', CASE WHEN count(*) FILTER (WHERE a.severity = 'critical') > 0 THEN 'degraded'
                      ELSE 'up' END,
       format('%s open, %s critical', count(*), count(*) FILTER (WHERE a.severity = 'critical'))
FROM queue.alert a WHERE a.resolved_at IS NULL
UNION ALL
(SELECT 'provider ' || r.name,
        CASE WHEN bool_or(b.state = 'open') THEN 'down'
             WHEN bool_or(b.state <> 'closed') THEN 'degraded' ELSE 'up' END,
        format('circuit: %s open', count(*) FILTER (WHERE b.state = 'open'))
 FROM queue.limit_rule r LEFT JOIN queue.limit_breaker b ON b.limit_name = r.name
 WHERE r.breaker_ratio IS NOT NULL
 GROUP BY r.name ORDER BY r.name LIMIT 50)
