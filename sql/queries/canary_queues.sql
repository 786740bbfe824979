-- Queues that are not paused and that a live worker serves which handles the canary kind.
-- $1 text kind. Rows: queue. Index: none, few rows. Locks: none.
SELECT q.name AS queue
FROM queue.queue q
WHERE q.paused_at IS NULL
  AND EXISTS (SELECT FROM queue.worker k
              WHERE q.name = ANY (k.queues) AND $1::text = ANY (k.kinds)
                AND k.beat_at > clock_timestamp() - make_interval(secs => k.lease_ms / 1000.0))
ORDER BY q.name
