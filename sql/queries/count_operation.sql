-- What an operation would act on now. $1 text action  $2 jsonb filter.
-- One row: count bigint, exact boolean. Raises LQ001. Index: those queue.find_jobs chooses from.
-- Locks: none.
SELECT c.count, c.exact FROM queue.count_operation($1::text, $2::jsonb) c
