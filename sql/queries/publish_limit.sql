-- A limit as the configuration of a worker has it; what a person has set stays.
-- $1 text name  $2 int burst (0: one second's worth)  $3 double precision rate per second (0: none)
-- $4 int concurrency (0: none)  $5 text key  $6 text parent ('': none)
-- $7 double precision breaker ratio (0: none, the rest is NULL then)  $8 int breaker min requests
-- $9 bigint breaker window, ms  $10 bigint breaker cooldown, ms. Rows: none that matter.
-- Index: limit_rule_pkey. Locks: the row, only when it changes.
SELECT queue.publish_limit($1::text, $2::int, $3::double precision, $4::int, $5::text, $6::text,
                           $7::double precision, $8::int, $9::bigint * interval '1 millisecond',
                           $10::bigint * interval '1 millisecond')
