-- How many runs failed of late, by queue. $1 integer minutes to look back.
-- Rows: queue, failed. Index: sample_pkey. Locks: none.
SELECT s.queue, sum(s.retried + s.discarded + s.unknown)::bigint AS failed
FROM queue.sample s
WHERE s.at > clock_timestamp() - make_interval(mins => $1::integer + 1) AND s.process <> ''
GROUP BY s.queue
ORDER BY s.queue
