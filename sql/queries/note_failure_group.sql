-- A note on a failure group, and whether it is muted. $1 text fingerprint  $2 text note
-- $3 boolean muted. One row of nothing. Raises LQ005. Index: failure_group_pkey. Locks: its row.
SELECT queue.note_failure_group($1::text, $2::text, $3::boolean)
