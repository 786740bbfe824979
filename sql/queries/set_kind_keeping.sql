-- How long a kind's cancelled jobs and dead letters stay, and where its jobs go then; writes only
-- what is given and changed.
-- $1 text kind  $2 bigint ms for cancelled jobs  $3 bigint ms for dead letters
-- $4 text archive (empty: none)  (NULL each: as it is)
-- Index: kind_pkey, archive_pkey. Locks: the rows, only when they change.
WITH made AS (
    INSERT INTO queue.archive (name)
    SELECT $4::text
    WHERE $4::text <> '' AND NOT EXISTS (SELECT FROM queue.archive n WHERE n.name = $4::text)
    ON CONFLICT (name) DO NOTHING)
UPDATE queue.kind k
SET cancelled_retention = coalesce($2::bigint * interval '1 millisecond', k.cancelled_retention),
    dead_letter_retention =
        coalesce($3::bigint * interval '1 millisecond', k.dead_letter_retention),
    archive = nullif(coalesce($4::text, k.archive), '')
WHERE k.name = $1::text
  AND (k.cancelled_retention, k.dead_letter_retention, k.archive)
      IS DISTINCT FROM
      (coalesce($2::bigint * interval '1 millisecond', k.cancelled_retention),
       coalesce($3::bigint * interval '1 millisecond', k.dead_letter_retention),
       nullif(coalesce($4::text, k.archive), ''))
