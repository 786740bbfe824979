-- Records that the mint will not be, with the end of the job.
-- $1 text business key  $2 uuid tenant or NULL  $3 bigint job  $4 text error
-- One row of nothing. Index: mint_key_unique. Locks: the mint's row.
SELECT mint.fail($1::text, $2::uuid, $3::bigint, $4::text)
