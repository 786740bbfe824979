-- Revokes a JWT. $1 text SHA-256 of issuer and jti in hexadecimal, $2 timestamptz when it ends.
-- Index: revoked_jwt_pkey. Locks: the row.
SELECT queue.revoke_jwt(decode($1::text, 'hex'), $2::timestamptz)
