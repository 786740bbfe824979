-- Replays dead letters; those that somebody else took meanwhile are left out. With a rate, letter
-- number n of the sweep becomes due n times the spacing after its start.
-- $1 bigint[] ids  $2 double precision seconds between two  $3 timestamptz start of the sweep
-- $4 bigint letters replayed before in this sweep  $5 jsonb new payload  $6 text new queue
-- Rows: id, new_id. Index: dead_letter_pkey. Locks: the letters taken, SKIP LOCKED.
SELECT r.id, r.new_id
FROM queue.replay($1::bigint[], make_interval(secs => $2::double precision),
                  $3::timestamptz + make_interval(secs => $2::double precision * $4::bigint),
                  $5::jsonb, $6::text) r
