-- Keeps the present levels of things that handlers told of.
-- $1 jsonb array of {name, labels, value}.
-- Rows: one, empty. Index: level_pkey. Locks: the rows put.
SELECT queue.put_levels($1::jsonb)
