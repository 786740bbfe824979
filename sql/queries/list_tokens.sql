-- A page of API tokens this transaction may see, newest first. $1 uuid the last of the page before
-- or NULL, $2 int how many. Rows: id, name, role, tenant_id, created_at, created_by, expires_at,
-- revoked_at, last_used_at, state.
-- Index: api_token_number_key, api_token_pkey. Locks: none.
SELECT t.id, t.name, t.role, t.tenant_id, t.created_at, t.created_by, t.expires_at, t.revoked_at,
       t.last_used_at,
       CASE WHEN t.revoked_at IS NOT NULL THEN 'revoked'
            WHEN t.expires_at <= clock_timestamp() THEN 'expired'
            ELSE 'active' END AS state
FROM queue.api_token t
WHERE $1::uuid IS NULL
   OR t.number < (SELECT b.number FROM queue.api_token b WHERE b.id = $1::uuid)
ORDER BY t.number DESC
LIMIT $2::integer
