-- Failure groups with what people said about them; muted ones last, the latest first.
-- $1 jsonb filter  $2 timestamptz since when deaths are counted by time  $3 integer buckets of it
-- $4 integer groups at most
-- Rows: fingerprint, kind, queue, queues, tenants, count, count_exact (FALSE: at least so many),
-- first_died_at, last_died_at, sample_id, reason, error, series (deaths per bucket), is_new (since
-- the workers' present version was started), note, muted, updated_by, updated_at.
-- Index: dead_letter_fingerprint_idx, failure_group_pkey. Locks: none.
SELECT g.fingerprint, g.kind, g.queue, g.queues, g.tenants, g.count, g.count_exact, g.first_died_at,
       g.last_died_at, g.sample_id, g.reason, g.error, to_jsonb(g.series) AS series,
       coalesce(g.first_died_at > (
           SELECT min(w.started_at) FROM queue.worker w
           WHERE w.version = (SELECT v.version FROM queue.worker v
                              ORDER BY v.started_at DESC LIMIT 1)), false) AS is_new,
       n.note, coalesce(n.muted, false) AS muted, n.updated_by, n.updated_at
FROM queue.failure_groups($1::jsonb, $2::timestamptz, $3::integer, $4::integer, 1000) g
LEFT JOIN queue.failure_group n
    ON n.fingerprint = g.fingerprint
       AND n.tenant_id = coalesce(nullif(current_setting('queue.tenant', true), '')::uuid,
                                  '00000000-0000-0000-0000-000000000000')
ORDER BY coalesce(n.muted, false), g.last_died_at DESC
