-- What an address has said. $1 uuid tenant or NULL, $2 text channel, $3 text address.
-- Index: the preferences' by contact. Locks: none.
SELECT p.tenant AS tenant_id, p.category, p.enabled, p.changed_at
FROM contacts.preferences_of($1::uuid, $2::text, $3::text) p
