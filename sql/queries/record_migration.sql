-- Marks a migration as applied, in its own transaction and before its first statement: the primary
-- key refuses a second application whatever else goes wrong.
-- $1 integer number  $2 text name  $3 text checksum  $4 boolean breaking
-- No rows. Index: migration_pkey. Locks: the new row.
INSERT INTO queue.migration (number, name, checksum, breaking)
VALUES ($1::integer, $2::text, $3::text, $4::boolean)
