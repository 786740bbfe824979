-- How long jobs stay in an archive. $1 text archive  $2 bigint ms (NULL: for ever).
-- Index: archive_pkey. Locks: the row.
SELECT queue.set_archive_retention($1::text, $2::bigint * interval '1 millisecond')
