-- What the tables take. No parameters. Rows: name, bytes, table_bytes, index_bytes, rows (an
-- estimate), dead_rows, vacuumed_at, analyzed_at; the largest first.
-- Index: none; statistics and catalogs. Locks: none.
SELECT t.relname AS name, pg_total_relation_size(t.relid) AS bytes,
       pg_relation_size(t.relid) AS table_bytes, pg_indexes_size(t.relid) AS index_bytes,
       t.n_live_tup AS rows, t.n_dead_tup AS dead_rows,
       greatest(t.last_vacuum, t.last_autovacuum) AS vacuumed_at,
       greatest(t.last_analyze, t.last_autoanalyze) AS analyzed_at
FROM pg_stat_all_tables t
WHERE t.relid IN (SELECT c.oid FROM pg_class c
                  WHERE c.relkind = 'r'
                    AND c.relnamespace = (SELECT j.relnamespace FROM pg_class j
                                          WHERE j.oid = 'queue.job'::regclass))
ORDER BY 2 DESC
