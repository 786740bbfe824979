-- breaking: no
-- Sealed texts are also in archives, checkpoints and the ledger of effects.

CREATE OR REPLACE FUNCTION queue.key_usage()
RETURNS TABLE (key_id text, source text, texts bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH encrypted_line AS (
        SELECT l.id FROM queue.line l JOIN queue.kind k ON k.name = l.kind WHERE k.encrypted),
    encrypted_job AS (
        SELECT j.id FROM queue.job j WHERE j.line_id IN (SELECT e.id FROM encrypted_line e)),
    found AS (
        SELECT 'job' AS source, j.payload AS content,
               j.line_id IN (SELECT e.id FROM encrypted_line e) AS encrypted
        FROM queue.job j
        UNION ALL
        SELECT 'output', a.output, a.job_id IN (SELECT e.id FROM encrypted_job e)
        FROM queue.attempt a WHERE a.output IS NOT NULL
        UNION ALL
        SELECT 'dead_letter', d.payload,
               d.kind IN (SELECT k.name FROM queue.kind k WHERE k.encrypted)
        FROM queue.dead_letter d
        UNION ALL
        SELECT 'archived_job', a.payload,
               a.kind IN (SELECT k.name FROM queue.kind k WHERE k.encrypted)
        FROM queue.archived_job a
        UNION ALL
        SELECT 'archived_output', a.output,
               a.kind IN (SELECT k.name FROM queue.kind k WHERE k.encrypted)
        FROM queue.archived_job a WHERE a.output IS NOT NULL
        UNION ALL
        SELECT 'checkpoint', c.data, c.job_id IN (SELECT e.id FROM encrypted_job e)
        FROM queue.checkpoint c
        UNION ALL
        SELECT 'effect', f.result, f.job_id IN (SELECT e.id FROM encrypted_job e)
        FROM queue.effect f WHERE f.result IS NOT NULL)
    SELECT CASE WHEN queue.is_sealed(f.content) THEN f.content ->> 'kid' END, f.source, count(*)
    FROM found f
    WHERE queue.is_sealed(f.content) OR f.encrypted
    GROUP BY 1, 2
    ORDER BY 1 NULLS FIRST, 2
$$;
