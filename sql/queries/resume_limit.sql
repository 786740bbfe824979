-- Ends a stop. $1 text name. Index: limit_rule_pkey. Locks: the limit's row.
SELECT queue.limit_resume($1::text)
