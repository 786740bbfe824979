-- Stores and counts events, one per element of the arrays; with the end of the jobs they are of.
-- $1 uuid[] tenants, $2 uuid[] event keys, $3 bigint[] microseconds since 1970 UTC,
-- $4 smallint[] codes of types, $5 integer[] quantities, $6 bigint[] amounts in minor units,
-- $7 uuid[] pseudonyms of customers or NULL, $8 text[] venues, $9 text[] channels,
-- $10 text[] currencies, $11 text[] references or NULL.
-- Returns how many were new. Index and locks: see analytics.ingest.
SELECT analytics.ingest($1::uuid[], $2::uuid[], $3::bigint[], $4::smallint[], $5::integer[],
    $6::bigint[], $7::uuid[], $8::text[], $9::text[], $10::text[], $11::text[])
