-- Asks whom a job may write to now, and counts those against their limits.
-- $1 bigint: the job. $2 uuid: its tenant or NULL. $3 text: channel. $4 text: category.
-- $5 text[]: addresses. $6 integer: how many each gets within an hour at most, 0: any number.
-- Rows: per address its place, decision, until, wait_ms, token.
-- Index: preference_key, rule_key, suppression_key, sending_contact_idx.
-- Locks: advisory, one per contact in the order of their hashes.
SELECT a.place, a.decision, a.until, a.wait_ms, a.token
FROM contacts.admit($1::bigint, $2::uuid, $3::text, $4::text, $5::text[], $6::integer) a
ORDER BY a.place
