-- Which process serves this session. A pooler answers a connect with a number of its own, so
-- another one than the connection was told means that a pooler stands between.
-- Rows: pid int. Index: none. Locks: none.
SELECT pg_backend_pid() AS pid
