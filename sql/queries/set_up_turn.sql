-- What a turn connection sets once for its session, for this transaction only: index scans always,
-- for the line is often analysed while empty, and a commit that waits for the disk where the
-- server's default does not. For sessions that belong to a pooler. As a function, because SET LOCAL
-- in a pipeline warns, into the server's log, that it met no BEGIN.
-- Rows: one, of no meaning. Index: none. Locks: none.
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
       set_config('jit', 'off', true),
       CASE current_setting('synchronous_commit')
           WHEN 'off' THEN set_config('synchronous_commit', 'on', true)
       END
