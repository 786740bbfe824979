-- The tenant this session is kept to, or NULL. One row, also where the schema is not there yet.
-- Index: none. Locks: none.
SELECT nullif(current_setting('queue.tenant', true), '')
