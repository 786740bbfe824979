-- Defines or changes a limit.
-- $1 text name  $2 int burst  $3 double precision rate per second  $4 int concurrency
-- $5 text key  $6 boolean pinned. NULL: as it was; 0: none.
-- Rows: none that matter. Index: limit_rule_pkey. Locks: the row.
SELECT queue.limit_set($1::text, $2::int, $3::double precision, $4::int, $5::text, $6::boolean)
