-- Enqueues one job under an idempotency key, or finds the job that already has it.
-- $1 text kind  $2 jsonb payload  $3 text queue  $4 integer priority  $5 timestamptz run_at
-- $6 text idempotency_key  $7 integer max_attempts  $8 uuid tenant_id  $9 jsonb meta
-- $10 interval delay  $11 text[] tags  $12 text traceparent  $13 interval idempotency_ttl
-- $14 bigint batch_id  $15 text ordering_key  $16 text concurrency_key  $17 integer key_concurrency
-- $18 text limit_key  $19 integer cost  $20 text subject  $21 bigint id
-- One row: id bigint, duplicate boolean, output text. Every NULL takes its default.
-- Index: idempotency_pkey. Locks: the key, until the transaction ends.
SELECT o.id, o.duplicate, o.output
FROM queue.enqueue_once($1::text, $2::jsonb, $3::text, $4::integer, $5::timestamptz, $6::text,
                        $7::integer, $8::uuid, $9::jsonb, $10::interval, $11::text[], $12::text,
                        $13::interval, $14::bigint, $15::text, $16::text, $17::integer,
                        $18::text, $19::integer, $20::text, $21::bigint) o
