-- What the tables suffer from, and the command against it; nothing when all is well. While a
-- snapshot is held nothing else helps, so it then is the only row.
-- $1 bigint dead rows that are many  $2 bigint bytes of an index that are many
-- $3 double precision seconds a snapshot may be held
-- Rows: problem text, command text, by_hand boolean (ends somebody's session: a person decides).
-- Index: none; statistics and catalogs. Locks: none.
WITH ours AS (
    SELECT t.relid, t.n_live_tup AS live, t.n_dead_tup AS dead
    FROM pg_stat_all_tables t
    WHERE t.relid IN (SELECT c.oid FROM pg_class c
                      WHERE c.relkind = 'r'
                        AND c.relnamespace = (SELECT j.relnamespace FROM pg_class j
                                              WHERE j.oid = 'queue.job'::regclass))),
held AS (
    SELECT o.holder, o.seconds, o.command, d.dead
    FROM queue.oldest_snapshot() o
    CROSS JOIN (SELECT sum(u.dead)::bigint AS dead FROM ours u) d
    WHERE coalesce(o.seconds >= $3::double precision, true) AND d.dead >= $1::bigint)
SELECT f.problem, f.command, f.by_hand
FROM (
    SELECT 1 AS place,
           format('%s holds a snapshot%s: up to %s dead rows cannot be removed', h.holder,
                  ' of ' || justify_interval(make_interval(secs => floor(h.seconds))), h.dead)
               AS problem,
           h.command, true AS by_hand
    FROM held h
    UNION ALL
    SELECT 2, format('%s has %s dead rows beside %s live ones', u.relid::regclass, u.dead, u.live),
           format('VACUUM %s', u.relid::regclass), false
    FROM ours u
    WHERE u.dead >= $1::bigint AND u.dead > u.live / 5 AND NOT EXISTS (SELECT FROM held)
    UNION ALL
    SELECT 3, format('%s takes %s for %s rows', i.indexrelid::regclass,
                     pg_size_pretty(pg_relation_size(i.indexrelid)), u.live),
           format('REINDEX INDEX CONCURRENTLY %s', i.indexrelid::regclass), false
    FROM ours u
    JOIN pg_index i ON i.indrelid = u.relid
    -- Their keys are narrow: four times 64 bytes a row is far more than they need.
    WHERE u.relid IN ('queue.ready'::regclass, 'queue.lease'::regclass, 'queue.job'::regclass,
                      'queue.attempt'::regclass)
      AND pg_relation_size(i.indexrelid) >= $2::bigint
      AND pg_relation_size(i.indexrelid) > 4 * 64 * u.live
      AND NOT EXISTS (SELECT FROM held)) f
ORDER BY f.place, f.problem
