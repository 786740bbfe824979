-- Before the end of runs is recorded together with statements of their handlers, for this
-- transaction only: what set_up_turn says, and that it is over before the silence of its connection
-- is taken for a fault.
-- Rows: one, of no meaning. Index: none. Locks: none.
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
       set_config('jit', 'off', true), set_config('statement_timeout', '8s', true),
       CASE current_setting('synchronous_commit')
           WHEN 'off' THEN set_config('synchronous_commit', 'on', true)
       END
