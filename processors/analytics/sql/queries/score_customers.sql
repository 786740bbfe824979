-- Scores the customers of the tenant $1 uuid as of now, in place of their scores before.
-- Returns how many. Index: customer_pkey. Locks: one at a time per tenant.
SELECT analytics.compute_scores($1::uuid)
