-- Which migrations a schema has; the only table that no migration creates. Run under
-- lock_migrations.
-- No parameters, no rows. Index: none. Locks: ACCESS EXCLUSIVE on the new table.
CREATE TABLE IF NOT EXISTS queue.migration (
    number integer NOT NULL PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    -- SHA-256 of the migration's text as it is written for the schema "queue".
    checksum text COLLATE "C" NOT NULL,
    -- TRUE: code that does not know this migration cannot serve the schema.
    breaking boolean NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
