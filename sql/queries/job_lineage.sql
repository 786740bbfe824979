-- The jobs linked with one, from the first of its chain on. $1 bigint job.
-- Rows: id, from_id, relation, kind, queue, state, batch_id, created_at, finished_at, last_error.
-- Raises LQ005. Index: job_pkey, job_origin_idx. Locks: none.
SELECT g.id, g.from_id, g.relation, g.kind, g.queue, g.state, g.batch_id, g.created_at,
       g.finished_at, g.last_error
FROM queue.job_lineage($1::bigint) g
