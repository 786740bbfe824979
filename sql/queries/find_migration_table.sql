-- Whether the schema has ever been migrated.
-- No parameters. One row: boolean. Index: the catalog's. Locks: none.
SELECT to_regclass('queue.migration') IS NOT NULL
