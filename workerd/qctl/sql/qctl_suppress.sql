-- $1 uuid tenant or NULL (all), $2 text channel, $3 text address, $4 text reason. One row: changed.
-- Locks: the suppression.
SELECT contacts.suppress($1::uuid, $2::text, $3::text, $4::text, '', 'support') AS changed
