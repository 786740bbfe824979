-- The server's clock.
-- No parameters. One row: microseconds since 1970 bigint. Index: none. Locks: none.
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS server_us
