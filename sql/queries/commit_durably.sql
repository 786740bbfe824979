-- Makes commits of this session wait for the disk where the server's default does not. Stronger
-- settings stay: only "off" loses what was acknowledged.
-- No parameters. At most one row: the new setting. Index: none. Locks: none.
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') = 'off'
