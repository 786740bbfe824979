-- Removes a subscription. $1 bigint id. Rows: whether there was one.
-- Index: subscription_pkey. Locks: one at a time.
SELECT queue.unsubscribe($1::bigint)
