-- Topics that were published and heard by nobody, the most frequent first. $1 int limit.
-- Index: none, reads at most 10,000 topics and what is not folded. Locks: none.
SELECT u.topic, u.count, u.first_at, u.last_at, u.sample
FROM queue.unrouted_topics u
ORDER BY u.count DESC, u.topic
LIMIT $1::int
