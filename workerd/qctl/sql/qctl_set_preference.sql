-- $1 uuid tenant or NULL (all), $2 text channel, $3 text address, $4 text category, $5 boolean on.
-- One row: changed. Locks: the preference.
SELECT contacts.preference_set($1::uuid, $2::text, $3::text, $4::text, $5::boolean, 'support')
           AS changed
