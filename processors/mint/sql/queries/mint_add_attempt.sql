-- Keeps a signed transaction before it is sent; see mint.add_attempt.
-- $1 text business key  $2 uuid tenant or NULL  $3 bigint job  $4 bigint lease  $5 text payer
-- $6 text signature  $7 bigint last valid block height  $8 text transaction (base64)
-- $9 bigint lamports of the wallet
-- One row of nothing. Index: mint_key_unique. Locks: the mint's row, the wallet's.
SELECT mint.add_attempt($1::text, $2::uuid, $3::bigint, $4::bigint, $5::text, $6::text, $7::bigint,
                        $8::text, $9::bigint)
