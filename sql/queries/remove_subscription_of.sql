-- Removes the subscription of a pattern and kind. $1 text pattern  $2 text kind  $3 uuid tenant_id
-- or NULL. Rows: whether there was one. Index: subscription_key. Locks: one at a time.
SELECT queue.unsubscribe($1::text, $2::text, $3::uuid)
