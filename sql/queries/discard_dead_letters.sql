-- Deletes dead letters for good.
-- $1 bigint[] ids. One row: how many bigint. Index: dead_letter_pkey. Locks: the letters.
SELECT queue.discard($1::bigint[])
