-- What is in the schema, as far as a look can tell that something is missing or was changed.
-- No parameters. Rows: what, name, body (of functions) (text). Index: the catalog's. Locks: none.
SELECT 'table' AS what, c.relname::text AS name, '' AS body
FROM pg_class c
WHERE c.relnamespace = to_regnamespace(rtrim('queue.', '.'))
  AND c.relkind IN ('r', 'p')
UNION ALL
SELECT 'column', format('%s.%s', c.relname, a.attname), ''
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = to_regnamespace(rtrim('queue.', '.'))
  AND c.relkind IN ('r', 'p')
  AND a.attnum > 0
  AND NOT a.attisdropped
UNION ALL
SELECT 'view', c.relname::text, ''
FROM pg_class c
WHERE c.relnamespace = to_regnamespace(rtrim('queue.', '.'))
  AND c.relkind = 'v'
UNION ALL
SELECT 'index', c.relname::text, ''
FROM pg_class c
JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.relnamespace = to_regnamespace(rtrim('queue.', '.'))
  AND i.indisvalid
UNION ALL
SELECT 'constraint', t.conname::text, ''
FROM pg_constraint t
WHERE t.connamespace = to_regnamespace(rtrim('queue.', '.'))
UNION ALL
SELECT 'function', f.proname::text, f.prosrc
FROM pg_proc f
WHERE f.pronamespace = to_regnamespace(rtrim('queue.', '.'))
