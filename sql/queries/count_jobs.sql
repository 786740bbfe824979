-- How many jobs match a filter, up to a bound.
-- $1 jsonb filter  $2 integer at most. One row: count bigint, exact boolean (FALSE: at least so
-- many). Index: those queue.find_jobs chooses from. Locks: none.
SELECT c.count, c.exact FROM queue.count_jobs($1::jsonb, $2::integer) c
