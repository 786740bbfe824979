-- Creates the schema unless it is there; run under lock_migrations, which makes the race harmless.
-- No parameters, no rows. Index: the catalog's. Locks: the catalog's row of the schema.
DO $$
BEGIN
    IF to_regnamespace(rtrim('queue.', '.')) IS NULL THEN
        EXECUTE format('CREATE SCHEMA %I', rtrim('queue.', '.'));
    END IF;
END
$$
