-- A job of the kind $1 text for every tenant that has customers.
-- Returns how many. Index: customer_pkey, one look per tenant. Locks: none.
SELECT analytics.for_each_tenant($1::text)
