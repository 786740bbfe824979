-- The database's clock. No parameters. Rows: seconds since 1970. Index: none. Locks: none.
SELECT extract(epoch FROM clock_timestamp())::double precision AS seconds
