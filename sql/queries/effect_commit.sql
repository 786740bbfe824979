-- The effect that this run began has happened. Raises LQ007 when another run decided about it.
-- $1 bigint job  $2 bigint lease  $3 text step  $4 jsonb result. One row of nothing.
-- Index: effect_pkey. Locks: the row of the effect.
SELECT queue.effect_commit($1::bigint, $2::bigint, $3::text, $4::jsonb)
