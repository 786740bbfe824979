-- For this transaction only: its commit waits neither for the disk nor for a standby. What a beat
-- says need not outlive a crash. For sessions that belong to a pooler; others are set once.
-- Rows: one, of no meaning. Index: none. Locks: none.
SELECT set_config('synchronous_commit', 'off', true)
