-- Enqueues jobs that differ in nothing but their payload.
-- $1 text kind  $2 jsonb[] payloads  $3 text queue  $4 integer priority
-- $5 timestamptz run_at  $6 integer max_attempts  $7 uuid tenant_id  $8 jsonb meta
-- $9 interval delay  $10 text[] tags  $11 text traceparent
-- $12 bigint batch_id  $13 text ordering_key  $14 text concurrency_key  $15 integer key_concurrency
-- $16 text limit_key  $17 integer cost  $18 text subject  $19 bigint[] ids
-- Rows: id bigint, in the order of the payloads.
-- Index: queue_name_key, line_triple_idx. Locks: the new rows.
SELECT queue.enqueue_many($1::text, $2::jsonb[], $3::text, $4::integer, $5::timestamptz,
                          $6::integer, $7::uuid, $8::jsonb, $9::interval, $10::text[], $11::text,
                          $12::bigint, $13::text, $14::text, $15::integer, $16::text, $17::integer,
                          $18::text, $19::bigint[])
