-- Writes to an address no more.
-- $1 uuid: tenant or NULL. $2 text: channel. $3 text: address. $4 text: bounce or stop.
-- $5 text: the provider's code.
-- Rows: one, whether it was new. Index: suppression_key. Locks: the row.
SELECT contacts.suppress($1::uuid, $2::text, $3::text, $4::text, $5::text, 'provider')
