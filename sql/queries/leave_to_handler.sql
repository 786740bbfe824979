-- After the end of runs was recorded: their handlers' statements are planned as the server would
-- plan them.
-- Rows: one, of no meaning. Index: none. Locks: none.
SELECT set_config('enable_seqscan', 'on', true), set_config('enable_bitmapscan', 'on', true)
