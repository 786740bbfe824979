-- An operation on all jobs that match a filter.
-- $1 text action  $2 jsonb filter  $3 text filter as written  $4 double precision per second
-- $5 text reason  $6 double precision seconds to undo; NULL: as fast as possible, none, ten.
-- One row: its id. Raises LQ001. Index: those queue.find_jobs chooses from. Locks: none.
SELECT queue.create_operation(
    $1::text, $2::jsonb, $3::text, $4::double precision, $5::text,
    make_interval(secs => coalesce($6::double precision, 10))) AS id
