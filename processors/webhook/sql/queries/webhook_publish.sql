-- Publishes an event of tenant $1 (uuid, NULL: of none) with type $2, data $3 (jsonb) and id $4.
-- Index: filter_pkey, event_pkey. Locks: the new rows.
SELECT webhooks.publish($1::uuid, $2::text, $3::jsonb, $4::text);
