-- Queues and kinds whose name begins so: what a filter may go on with.
-- $1 text field: queue or kind  $2 text beginning  $3 integer limit. Rows: value text.
-- Whoever acts for a tenant is told of no kinds: they say what others do.
-- Index: queue_name_key; line_triple_idx for the kinds, which are few. Locks: none.
SELECT v.value
FROM (SELECT q.name AS value FROM queue.queue q WHERE $1::text = 'queue'
      UNION
      SELECT l.kind FROM queue.line l
      WHERE $1::text = 'kind' AND queue.current_tenant() IS NULL) v
WHERE starts_with(v.value, $2::text)
ORDER BY v.value
LIMIT $3::integer
