-- Replays a dead letter as a new job whose payload was sealed for it, due as in
-- replay_dead_letters.
-- $1 bigint job  $2 bigint id of the new job  $3 jsonb payload  $4 text new queue
-- $5 double precision seconds between two  $6 timestamptz start of the sweep
-- $7 bigint letters replayed before in this sweep
-- One row: the new id, NULL when somebody else has taken the letter.
-- Index: dead_letter_pkey. Locks: the letter.
SELECT queue.replay_sealed(
           $1::bigint, $2::bigint, $3::jsonb, $4::text,
           $6::timestamptz + make_interval(secs => $5::double precision * $7::bigint))
