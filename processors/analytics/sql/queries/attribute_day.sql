-- Credits the channels of the tenant $1 uuid with the purchases of the day (UTC) that was
-- $2 integer days ago, in place of what was there.
-- Returns how many purchases. Index: none, reads the days within reach. Locks: one at a time per
-- tenant.
SELECT analytics.attribute_day($1::uuid, $2::integer)
