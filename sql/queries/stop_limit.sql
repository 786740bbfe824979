-- Nothing of this limit starts any more. $1 text name  $2 text reason.
-- Index: limit_rule_pkey. Locks: the limit's row.
SELECT queue.limit_stop($1::text, $2::text)
