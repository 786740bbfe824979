-- Dead letters that match a filter, the latest death first, without what they hold.
-- $1 jsonb filter, of which the state is dead  $2 text behind this cursor, or NULL
-- $3 integer limit
-- Rows: id, tenant_id, queue, kind, priority, attempt, max_attempts, reason, error, fingerprint,
-- created_at, died_at, tags, behind_it. A last row without id: the time was up, go on behind it.
-- Index: those of dead_letter by died_at, then dead_letter_pkey. Locks: none.
SELECT f.id, d.tenant_id, d.queue, d.kind, d.priority::integer AS priority,
       d.attempt::integer AS attempt, d.max_attempts::integer AS max_attempts, d.reason, d.error,
       d.fingerprint, d.created_at, d.died_at, d.meta -> 'tags' AS tags, f.behind_it
FROM queue.find_jobs($1::jsonb, $2::text, $3::integer) WITH ORDINALITY
     AS f (id, behind_it, place)
LEFT JOIN LATERAL (SELECT x.* FROM queue.dead_letter x WHERE x.job_id = f.id OFFSET 0) d ON true
WHERE f.id IS NULL OR d.job_id IS NOT NULL
ORDER BY f.place
