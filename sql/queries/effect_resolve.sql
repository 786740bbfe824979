-- What became of an effect whose answer was lost. Raises LQ007 unless the lease still owes the job.
-- $1 bigint job  $2 bigint lease  $3 text step  $4 boolean happened  $5 jsonb result
-- One row of nothing. Index: lease_pkey, attempt_pkey, effect_pkey. Locks: the lease, FOR SHARE;
-- the row of the effect.
SELECT queue.effect_resolve($1::bigint, $2::bigint, $3::text, $4::boolean, $5::jsonb)
