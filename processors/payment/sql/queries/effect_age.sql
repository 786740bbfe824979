-- How long ago an effect was begun.
-- $1 bigint job  $2 text step
-- One row of seconds, none without the effect. Index: effect_pkey. Locks: none.
SELECT floor(extract(epoch FROM clock_timestamp() - e.begun_at))::bigint
FROM queue.effects e WHERE e.job_id = $1::bigint AND e.step = $2
