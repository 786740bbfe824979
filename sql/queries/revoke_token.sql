-- Ends a token. $1 uuid its id. One row, nothing in it.
-- Index: api_token_pkey. Locks: the token's row; the head of the audit.
SELECT queue.revoke_token($1::uuid)
