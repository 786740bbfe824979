-- Every change of an address, newest first. $1 uuid tenant or NULL, $2 text channel, $3 text
-- address, $4 int most. Index: the changes' by contact. Locks: none.
SELECT h.at, h.tenant AS tenant_id, h.what, h.before, h.after, h.source
FROM contacts.history_of($1::uuid, $2::text, $3::text, $4::int) h
