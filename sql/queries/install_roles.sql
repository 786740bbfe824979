-- Makes the roles and puts row-level security in force, as far as not done. No parameters. One
-- row: empty, or why it could not.
-- Index: the catalog's. Locks: ACCESS EXCLUSIVE on each table that is not protected yet.
SELECT coalesce(queue.install_roles(), '')
