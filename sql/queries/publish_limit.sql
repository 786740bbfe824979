-- A limit as the configuration of a worker has it; what a person has set stays.
-- $1 text name  $2 int burst (0: one second's worth)  $3 double precision rate per second (0: none)
-- $4 int concurrency (0: none)  $5 text key. Rows: none that matter.
-- Index: limit_rule_pkey. Locks: the row, only when it changes.
SELECT queue.publish_limit($1::text, $2::int, $3::double precision, $4::int, $5::text)
