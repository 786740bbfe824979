-- Evaluates the alert rules of the tenant $1 uuid, or of all when NULL, and fires.
-- Returns how many fired. Index: bucket_pkey. Locks: the rules, by id; passes over locked ones.
SELECT analytics.check_alerts($1::uuid)
