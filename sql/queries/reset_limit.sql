-- Fills buckets. $1 text name  $2 text key (NULL: all). One row: how many were not full.
-- Index: limit_rule_pkey, limit_bucket_pkey. Locks: the limit's row, the buckets.
SELECT queue.limit_reset($1::text, $2::text)
