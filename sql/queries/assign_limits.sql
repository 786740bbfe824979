-- Publishes which limits the kinds and queues of a worker are under, for explain.
-- $1 text[] kinds  $2 text[] the limit of each ('' : none)  $3 text[] queues  $4 text[] likewise
-- Rows: name of each limit that is assigned here, or above one that is, and not defined.
-- Index: kind_pkey, queue_name_key. Locks: the rows that change, in order of their names.
WITH kinds AS MATERIALIZED (
    SELECT k.name, u.limit_name
    FROM unnest($1::text[], $2::text[]) AS u (name, limit_name)
    JOIN queue.kind k ON k.name = u.name
    WHERE k.limit_name IS DISTINCT FROM nullif(u.limit_name, '')
    ORDER BY k.name
    FOR UPDATE OF k),
kind_set AS (
    UPDATE queue.kind k SET limit_name = nullif(x.limit_name, '')
    FROM kinds x WHERE k.name = x.name),
queues AS MATERIALIZED (
    SELECT q.name, u.limit_name
    FROM unnest($3::text[], $4::text[]) AS u (name, limit_name)
    JOIN queue.queue q ON q.name = u.name
    WHERE q.limit_name IS DISTINCT FROM nullif(u.limit_name, '')
    ORDER BY q.name
    FOR UPDATE OF q),
queue_set AS (
    UPDATE queue.queue q SET limit_name = nullif(x.limit_name, '')
    FROM queues x WHERE q.name = x.name)
SELECT n.name
FROM unnest(queue.limit_chain($2::text[] || $4::text[])) AS n (name)
WHERE n.name <> '' AND NOT EXISTS (SELECT FROM queue.limit_rule r WHERE r.name = n.name)
