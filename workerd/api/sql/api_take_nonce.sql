-- Remembers the nonce of a signed call for all processes, among the keys of requests, which are
-- pruned after a day; nobody ever asks for its answer.
-- $1 text SHA-256 of service and nonce in hexadecimal. Row: there was none; no row: it came before.
-- Index: request_key_pkey. Locks: the row made.
INSERT INTO queue.request_key (key_hash, request_hash)
VALUES (decode($1::text, 'hex'), decode($1::text, 'hex'))
ON CONFLICT DO NOTHING
RETURNING true AS taken
