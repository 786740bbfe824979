-- Test kit: makes everything so much older. All times move alike, so that a place in line can still
-- be computed. $1 bigint ms. Rows: one. Index: none, reads all tables.
-- Locks: every row.
WITH moved AS (SELECT $1::bigint * interval '1 millisecond' AS by),
job AS (
    UPDATE queue.job j SET created_at = j.created_at - m.by, run_at = j.run_at - m.by
    FROM moved m),
ready AS (UPDATE queue.ready r SET run_at = r.run_at - m.by FROM moved m),
key_wait AS (UPDATE queue.key_wait w SET run_at = w.run_at - m.by FROM moved m),
key_hold AS (UPDATE queue.key_hold h SET ready_at = h.ready_at - m.by FROM moved m),
key_look AS (UPDATE queue.key_look l SET look_at = l.look_at - m.by FROM moved m),
lease AS (UPDATE queue.lease s SET claimed_at = s.claimed_at - m.by FROM moved m),
attempt AS (
    UPDATE queue.attempt a
    SET started_at = a.started_at - m.by, finished_at = a.finished_at - m.by,
        next_run_at = a.next_run_at - m.by
    FROM moved m),
letter AS (
    UPDATE queue.dead_letter d SET died_at = d.died_at - m.by, created_at = d.created_at - m.by
    FROM moved m),
key AS (UPDATE queue.idempotency i SET expires_at = i.expires_at - m.by FROM moved m),
request AS (UPDATE queue.cancel_request c SET requested_at = c.requested_at - m.by FROM moved m),
progress AS (UPDATE queue.progress p SET updated_at = p.updated_at - m.by FROM moved m),
paused AS (UPDATE queue.queue q SET paused_at = q.paused_at - m.by FROM moved m),
rule AS (
    UPDATE queue.limit_rule r
    SET stopped_at = r.stopped_at - m.by, wanted_until = r.wanted_until - m.by
    FROM moved m),
bucket AS (
    UPDATE queue.limit_bucket b
    SET planned_at = b.planned_at - m.by, used_at = b.used_at - m.by
    FROM moved m)
SELECT m.by FROM moved m
