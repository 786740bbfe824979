-- Records that the mint is there, with the end of the job.
-- $1 text business key  $2 uuid tenant or NULL  $3 jsonb output
-- One row of nothing. Index: mint_key_unique, attempt_open_index. Locks: the mint's row.
SELECT mint.complete($1::text, $2::uuid, $3::jsonb)
