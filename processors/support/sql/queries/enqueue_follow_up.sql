-- Enqueues a job that follows from another one, as meta.follows says, and whose data is of the same
-- subjects.
-- $1 bigint job it follows  $2 text kind  $3 jsonb payload  $4 text queue  $5 integer priority
-- $6 text idempotency_key  $7 integer max_attempts  $8 uuid tenant_id  $9 interval delay
-- $10 text traceparent  $11 text tracestate
-- One row of nothing. Every NULL takes its default. Index: subject_pkey; see enqueue.
-- Locks: the idempotency key, until the transaction ends.
SELECT queue.inherit_subjects(
    $1::bigint,
    queue.enqueue($2::text, $3::jsonb, queue => $4::text, priority => $5::integer,
                  idempotency_key => $6::text, max_attempts => $7::integer,
                  tenant_id => $8::uuid, delay => $9::interval, traceparent => $10::text,
                  meta => jsonb_strip_nulls(jsonb_build_object('follows', $1::bigint,
                                                               'tracestate', $11::text))))
