-- Says that this database is meant to run its jobs, whatever it is a copy of.
-- $1 text name, NULL keeps the one it has
-- One row of nothing. Index: installation_pkey. Locks: the row of the installation.
SELECT queue.adopt($1::text)
