-- Ids for jobs whose payloads are sealed for them before they are enqueued.
-- $1 integer how many, 1 to 100000. Rows: id bigint, ascending.
-- Index: none. Locks: none.
SELECT queue.draw_job_ids($1::integer)
