-- Puts the transaction it runs in under a principal; the values are put in as literals, because it
-- travels in one message with BEGIN.
-- $1 text actor, $2 text role, $3 uuid tenant or NULL, $4 text request id, $5 int longest time of
-- a statement in ms or 0. One row, nothing in it.
-- Index: none. Locks: none.
SELECT queue.act_as($1::text, $2::text, $3::uuid, $4::text, $5::integer)
