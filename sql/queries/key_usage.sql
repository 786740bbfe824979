-- How many texts each key is needed for.
-- Rows: key_id text (NULL: of an encrypted kind and not sealed), source text, texts bigint.
-- Index: none, reads job, attempt and dead_letter whole. Locks: none.
SELECT u.key_id, u.source, u.texts
FROM queue.key_usage() u
