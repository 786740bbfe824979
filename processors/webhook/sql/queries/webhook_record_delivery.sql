-- Writes an attempt into the log: endpoint $1, event id $2, job $3, attempt $4, outcome $5, status
-- $6, duration in ms $7, size of the request in bytes $8, ms until the next attempt $9, error $10,
-- beginning of the answer $11. Index: none. Locks: the new row.
SELECT webhooks.record_delivery($1::bigint, $2::text, $3::bigint, $4::integer, $5::text,
                                $6::integer, $7::integer, $8::integer, $9::bigint, $10::text,
                                $11::text);
