-- Takes over a payment that the provider knows and we do not.
-- $1 uuid tenant  $2 text provider  $3 text provider id  $4 text order  $5 bigint amount
-- $6 text currency  $7 bigint captured  $8 bigint refunded before
-- One row: whether it is new here. Index: payment_provider_id. Locks: none of others.
SELECT payments.adopt_payment($1::uuid, $2, $3, $4, $5::bigint, $6, $7::bigint, $8::bigint)
