-- Tells who subscribed what became of a mint.
-- $1 text topic  $2 jsonb payload  $3 uuid tenant or NULL
-- One row: how many jobs were made. Index: see queue.publish. Locks: none that last.
SELECT queue.publish($1::text, $2::jsonb, tenant_id => $3::uuid)
