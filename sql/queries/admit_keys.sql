-- Puts jobs in line whose keys let them in.
-- $1 int queue  $2 boolean look at all words left, however old.
-- One row: admitted int (NULL: another session is at it), wait_us bigint (look again after; NULL:
-- nothing is known to come). Index: key_look_pkey, key_wait_key_idx, key_hold_pkey.
-- Locks: an advisory lock for the queue, not waited for; the jobs admitted, SKIP LOCKED.
SELECT a.admitted, a.wait_us FROM queue.admit_keys($1::int, $2::boolean) a
