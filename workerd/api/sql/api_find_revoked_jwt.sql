-- One row when the JWT was revoked. $1 text SHA-256 of issuer and jti in hexadecimal.
-- Index: revoked_jwt_pkey. Locks: none.
SELECT 1 FROM queue.revoked_jwt r WHERE r.jti_hash = decode($1::text, 'hex')
