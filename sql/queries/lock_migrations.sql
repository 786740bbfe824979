-- Makes migrators of one schema take turns; held until the transaction ends. Waits, subject to
-- lock_timeout.
-- No parameters. One row of nothing. Index: none.
-- Locks: a transaction advisory lock keyed by the schema's name.
SELECT pg_advisory_xact_lock(hashtextextended('queue.migrate', 0))
