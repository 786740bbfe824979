-- $1 uuid tenant or NULL (all), $2 text channel, $3 text address. One row: changed.
-- Locks: the suppression.
SELECT contacts.unsuppress($1::uuid, $2::text, $3::text, 'support') AS changed
