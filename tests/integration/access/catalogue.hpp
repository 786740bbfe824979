#pragma once

#include "support/test_database.hpp"

#include <string>
#include <vector>

namespace test {

inline constexpr const char* escapes_query{R"(
WITH own AS (
    SELECT n.oid, n.nspname FROM pg_namespace n
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'),
relation AS (
    SELECT c.*, c.oid::regclass::text AS name FROM pg_class c JOIN own n ON n.oid = c.relnamespace),
policy AS (
    SELECT p.*, r.name, pg_get_expr(p.polqual, p.polrelid) AS sees,
           pg_get_expr(p.polwithcheck, p.polrelid) AS writes
    FROM pg_policy p JOIN relation r ON r.oid = p.polrelid),
-- Those who may be kept to one tenant.
bound AS (
    SELECT unnest(ARRAY['queue_producer'::regrole, 'queue_operator'::regrole])::oid AS role
    UNION ALL SELECT 0),
grants AS (
    SELECT r.oid, r.name, r.relkind, r.relispartition, a.privilege_type
    FROM relation r CROSS JOIN LATERAL aclexplode(r.relacl) a
    WHERE a.grantee IN (SELECT role FROM bound)),
-- Tables whose rows are of nobody: seen by all on purpose. Whoever adds one has thought about it.
shared (name) AS (VALUES
    ('queue.queue'), ('queue.kind'), ('queue.line'), ('queue.lease'), ('queue.worker'),
    ('queue.installation'), ('queue.keyed_queue'), ('queue.weighted_kind'), ('queue.archive'),
    ('analytics.event_type'), ('analytics.channel_weight')),
-- Functions with their owner's rights that nothing of a tenant comes out of.
harmless (name) AS (VALUES
    ('queue.draw_job_ids'), ('queue.preview_cron'), ('queue.assert_lease'), ('queue.limit_take'),
    ('queue.limit_reserve'), ('queue.limit_report'), ('queue.limit_close'),
    -- Where in the row of ids a time lies; takes the hash of a token whose text one must know.
    ('queue.find_id_at'), ('queue.revoke_jwt')),
-- Keys that are drawn by us, a provider or a chain, not chosen, tell nobody what others have.
drawn (name) AS (VALUES
    ('queue.tenant_name_key'), ('queue.api_token_hash_key'), ('mint.attempt_pkey'),
    ('queue.alert_open_key'),
    ('payments.payment_provider_id'))

SELECT format('table %s: no forced row-level security', r.name)
FROM relation r
WHERE r.relkind IN ('r', 'p') AND NOT r.relispartition
  AND NOT (r.relrowsecurity AND r.relforcerowsecurity)
UNION ALL
SELECT format('table %s: no policy for the engine', r.name)
FROM relation r
WHERE r.relkind IN ('r', 'p') AND NOT r.relispartition
  AND NOT EXISTS (SELECT FROM policy p WHERE p.polrelid = r.oid AND p.polname = 'engine')
UNION ALL
SELECT format('policy %s of %s: expected one of engine, auditor, tenant', p.polname, p.name)
FROM policy p
WHERE NOT (p.polname = 'engine' AND p.polroles = ARRAY['queue_engine'::regrole::oid])
  AND NOT (p.polname = 'auditor' AND p.polroles = ARRAY['queue_auditor'::regrole::oid]
           AND p.polcmd = 'r')
  AND NOT (p.polname = 'tenant' AND p.polroles = ARRAY['queue_producer'::regrole::oid]
           AND p.polcmd = '*' AND p.sees IS NOT NULL AND p.writes = p.sees)
UNION ALL
SELECT format('policy of %s: does not ask for the tenant: %s', p.name, p.sees)
FROM policy p
WHERE p.polname = 'tenant' AND p.name NOT IN (SELECT s.name FROM shared s)
  AND p.sees !~ 'tenant_id = queue\.current_tenant\(\)|owner = queue\.current_tenant\(\)'
  AND p.sees !~ '^\(id = queue\.current_tenant\(\)\)$'
  AND p.sees <> 'false'
UNION ALL
SELECT format('table %s: seen by all though it has column %s', p.name, a.attname)
FROM policy p JOIN pg_attribute a ON a.attrelid = p.polrelid
WHERE p.polname = 'tenant' AND p.sees = 'true'
  AND a.attname IN ('tenant_id', 'owner', 'payload', 'job_id', 'output', 'key')
UNION ALL
SELECT format('%s: %s granted to who may be kept to one tenant', g.name, g.privilege_type)
FROM grants g
WHERE g.relkind <> 'S' AND g.privilege_type <> 'SELECT'
   OR g.relkind IN ('r', 'p') AND g.relispartition
   OR g.relkind IN ('r', 'p') AND NOT EXISTS (
       SELECT FROM policy p WHERE p.polrelid = g.oid AND p.polname = 'tenant')
UNION ALL
SELECT format('view %s: not security_invoker', r.name)
FROM relation r
WHERE r.relkind = 'v'
  AND NOT coalesce('security_invoker=true' = ANY (r.reloptions), false)
UNION ALL
SELECT format('materialised view %s', r.name) FROM relation r WHERE r.relkind = 'm'
UNION ALL
SELECT format('function %s: no pinned search_path', f.oid::regprocedure)
FROM pg_proc f JOIN own n ON n.oid = f.pronamespace
WHERE f.prosecdef AND NOT EXISTS (
    SELECT FROM unnest(f.proconfig) c (text) WHERE c.text = 'search_path=pg_catalog, pg_temp')
UNION ALL
SELECT format('function %s: PUBLIC may call it with its owner''s rights', f.oid::regprocedure)
FROM pg_proc f JOIN own n ON n.oid = f.pronamespace
WHERE f.prosecdef AND has_function_privilege('public', f.oid, 'EXECUTE')
UNION ALL
SELECT format('function %s: does not look at the tenant', f.oid::regprocedure)
FROM pg_proc f JOIN own n ON n.oid = f.pronamespace
WHERE f.prosecdef AND has_function_privilege('queue_operator', f.oid, 'EXECUTE')
  AND f.oid::regproc::text NOT IN (SELECT h.name FROM harmless h)
  AND format('%s.%s', n.nspname, f.proname) NOT IN (SELECT h.name FROM harmless h)
  AND f.prosrc !~ ('queue\.(own_tenant|own_jobs|check_job|check_batch|is_own_subscription|'
                   'refuse_tenant|current_tenant|keep_own|operation_condition)\(|'
                   'payments\.check_payment\(|'
                   'analytics\.is_own_alert\(|webhooks\.lock_endpoint\(|queue\.lock_schedule\(')
UNION ALL
SELECT format('key %s of %s: chosen by tenants and without tenant_id', k.relname,
              i.indrelid::regclass)
FROM pg_index i JOIN relation k ON k.oid = i.indexrelid
JOIN policy p ON p.polrelid = i.indrelid AND p.polname = 'tenant'
WHERE i.indisunique
  AND p.name NOT IN (SELECT s.name FROM shared s)
  AND k.name NOT IN (SELECT d.name FROM drawn d)
  AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indrelid
              AND a.attnum = ANY (i.indkey) AND a.atttypid = 'text'::regtype)
  AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indrelid
                  AND a.attnum = ANY (i.indkey)
                  AND a.attname IN ('tenant_id', 'owner', 'job_id', 'endpoint_id'))
ORDER BY 1)"};

/// What of the catalogue escapes row-level security, one line each: tables, policies, views,
/// materialised views, functions with their owner's rights, unique keys, in all schemas that are
/// not the server's own.
[[nodiscard]] inline std::vector<std::string> escapes(const test_database& db) {
    std::vector<std::string> found;
    for (const row& one : db.rows(escapes_query)) {
        found.push_back(one.front().value_or(""));
    }
    return found;
}

}  // namespace test
