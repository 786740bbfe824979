-- Lists events that are not counted, with the end of the jobs they are of.
-- $1 uuid[] tenants, $2 uuid[] event keys, $3 smallint[] codes of types, $4 bigint[] microseconds
-- since 1970 UTC, $5 text[] reasons.
-- Returns how many. Index: none. Locks: none.
SELECT analytics.reject($1::uuid[], $2::uuid[], $3::smallint[], $4::bigint[], $5::text[])
