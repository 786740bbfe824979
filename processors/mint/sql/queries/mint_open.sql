-- The mint of a business key and the transaction that is under way for it; see mint.open.
-- $1 text business key  $2 uuid tenant or NULL  $3 bigint job  $4 text strategy
-- $5 text fingerprint  $6 text payer  $7 text address  $8 text recipient
-- One row: state, output, fingerprint and payer of what is wanted, signature, last valid block
-- height and transaction (base64) of what is under way.
-- Index: mint_key_unique, attempt_open_index. Locks: the mint's row.
SELECT state, output, wanted_fingerprint, wanted_payer, signature, last_valid_height, transaction
FROM mint.open($1::text, $2::uuid, $3::bigint, $4::text, $5::text, $6::text, $7::text, $8::text)
