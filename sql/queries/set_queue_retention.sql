-- How long a queue keeps finished jobs and dead letters; writes only what is given and changed.
-- $1 text queue  $2 bigint ms for finished jobs  $3 bigint ms for dead letters (NULL: as it is)
-- Index: queue_name_key. Locks: the row, only when it changes.
UPDATE queue.queue q
SET retention = coalesce($2::bigint * interval '1 millisecond', q.retention),
    dead_letter_retention = coalesce($3::bigint * interval '1 millisecond', q.dead_letter_retention)
WHERE q.name = $1::text
  AND (q.retention, q.dead_letter_retention)
      IS DISTINCT FROM (coalesce($2::bigint * interval '1 millisecond', q.retention),
                        coalesce($3::bigint * interval '1 millisecond', q.dead_letter_retention))
