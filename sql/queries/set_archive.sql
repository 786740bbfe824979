-- Where jobs of a kind go when their retention is over. $1 text kind  $2 text archive (NULL: none).
-- Index: kind_pkey, archive_pkey. Locks: the rows.
SELECT queue.set_archive($1::text, $2::text)
