-- Says that a transaction can no longer land; see mint.end_attempt.
-- $1 text signature  $2 text state  $3 text error
-- One row of nothing. Index: attempt_pkey. Locks: the attempt's row.
SELECT mint.end_attempt($1::text, $2::text, $3::text)
