-- Tells every worker that suspects stand in line, when this transaction commits.
-- No parameters. Index: none. Locks: none.
SELECT pg_notify('queue.wake', 'suspects')
