-- Takes or keeps a duty that one process has at a time.
-- $1 text duty  $2 text holder  $3 double precision seconds (0: lets go).
-- Rows: held (boolean): whether the caller holds it now. Index: duty_pkey. Locks: the duty's row.
SELECT queue.hold_duty($1::text, $2::text, make_interval(secs => $3::double precision)) AS held
