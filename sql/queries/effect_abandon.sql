-- The effect that this run began surely did not happen. Raises LQ007 when another run decided.
-- $1 bigint job  $2 bigint lease  $3 text step. One row of nothing.
-- Index: effect_pkey. Locks: the row of the effect.
SELECT queue.effect_abandon($1::bigint, $2::bigint, $3::text)
