-- A step of one operation that is due.
-- No parameters. One row: worked boolean, ended boolean, wait_ms bigint (until the next step of
-- any; NULL: there is none). Index: operation_next_at_idx, those queue.find_jobs chooses from.
-- Locks: the operation's row, SKIP LOCKED; those of what it does.
SELECT r.worked, r.ended, r.wait_ms FROM queue.run_operations() r
