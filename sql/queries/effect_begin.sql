-- Says that an effect on the outside world is about to happen. Raises LQ007 unless the lease still
-- owes the job, LQ006 while another job does the same, LQ004 for another key than before.
-- $1 bigint job  $2 bigint lease  $3 text step  $4 text key, NULL: that of the job and the step
-- One row: state (begun, committed, unknown), idempotency_key, result as text.
-- Index: lease_pkey, attempt_pkey, effect_pkey, effect_key_idx. Locks: the lease, FOR SHARE; the
-- row of the effect.
SELECT b.state, b.idempotency_key, b.result::text AS result
FROM queue.effect_begin($1::bigint, $2::bigint, $3::text, $4::text) b
