-- History for a chart. $1 text metric  $2 text queue (NULL: all)  $3 timestamptz from
-- $4 timestamptz to  $5 integer seconds of a step.
-- Rows: at, seconds (since 1970), name, value (NULL: nothing known), ordered by series and time.
-- Index: sample_pkey. Locks: none.
SELECT s.at, extract(epoch FROM s.at)::bigint AS seconds, s.name, s.value
FROM queue.sample_series($1::text, $2::text, $3::timestamptz, $4::timestamptz,
                         make_interval(secs => $5::integer)) s
