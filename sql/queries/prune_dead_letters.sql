-- Deletes dead letters that died long ago, a batch at a time.
-- $1 double precision age in seconds  $2 integer limit  $3 timestamptz now (NULL: the database
-- clock). The number of rows deleted tells whether there may be more.
-- Index: dead_letter_died_at_idx. Locks: the letters, SKIP LOCKED.
DELETE FROM queue.dead_letter
WHERE job_id = ANY (ARRAY(
    SELECT d.job_id
    FROM queue.dead_letter d
    WHERE d.died_at < coalesce($3::timestamptz, now())
                      - make_interval(secs => $1::double precision)
    ORDER BY d.died_at
    LIMIT $2::integer
    FOR UPDATE SKIP LOCKED))
