#include "api_matrix.hpp"
#include "support/wait_until.hpp"

// One row per route: how to ask for it. A route without a row fails the test.

namespace test {

namespace {

using whose = matrix_row::whose;

// SQL text of a tenant, or NULL.
std::optional<std::string> owner(const std::string& tenant) {
    return tenant.empty() ? std::nullopt : std::optional{tenant};
}

std::string made_schedule(const test_database& db, const std::string& tenant) {
    static int number = 0;
    const auto name = "s" + std::to_string(++number);
    db.execute("SELECT queue.schedule($1, '@yearly', 'debug.echo', tenant_id => $2::uuid)",
               {name, owner(tenant)});
    return name;
}

std::string made_batch(const test_database& db, const std::string& tenant) {
    return db.query("SELECT queue.create_batch('b', tenant_id => $1::uuid)", {owner(tenant)});
}

std::string made_token(const test_database& db, const std::string& tenant) {
    return db.query(
        "INSERT INTO queue.api_token (id, tenant_id, hash, name, role, created_at) VALUES "
        "(gen_random_uuid(), $1::uuid, sha256(gen_random_uuid()::text::bytea), 'm', 'viewer', "
        "now()) RETURNING id",
        {owner(tenant)});
}

std::string made_subscription(const test_database& db, const std::string& tenant) {
    static int number = 0;
    return db.query("SELECT queue.subscribe($1, 'debug.echo', tenant_id => $2::uuid)",
                    {"m.n" + std::to_string(++number), owner(tenant)});
}

std::string made_job(const test_database& db, const std::string& tenant) {
    return db.query(
        "SELECT queue.enqueue('debug.echo', '{}', run_at => now() + interval '1 year', "
        "tenant_id => $1::uuid)",
        {owner(tenant)});
}

// Fails once and is given up.
std::string made_dead_letter(const test_database& db, const std::string& tenant) {
    const auto id = db.query(
        "SELECT queue.enqueue('debug.fail', '{}', max_attempts => 1, tenant_id => $1::uuid)",
        {owner(tenant)});
    const bool died = wait_until([&] {
        return db.query("SELECT count(*) FROM queue.dead_letter WHERE job_id = $1::bigint", {id}) ==
               "1";
    });
    return died ? id : "0";
}

std::string made_operation(const test_database& db, const std::string& tenant) {
    return db.query(
        "INSERT INTO queue.operation (tenant_id, actor, action, filter, condition, matched, "
        "matched_exact, starts_at, next_at) VALUES ($1::uuid, 'm', 'cancel', 'kind:none.such', "
        "'[]', 0, true, now() + interval '1 year', now() + interval '1 year') RETURNING id",
        {owner(tenant)});
}

// Alive for as long as the test runs.
std::string made_worker(const test_database& db, const std::string&) {
    return db.query(
        "INSERT INTO queue.worker (beat_at, started_at, heartbeat_ms, lease_ms, pid, name, host, "
        "version, queues, kinds) VALUES (clock_timestamp(), clock_timestamp(), 2000, 3600000, 1, "
        "'m', 'here', '0', '{}', '{}') RETURNING id");
}

std::string unique_name(const test_database&, const std::string&) {
    static int number = 0;
    return "n" + std::to_string(++number);
}

matrix_row absent(matrix_row row) {
    row.also = {404};
    return row;
}

// Producing is no operator's action, and what only counts or shows changes nothing.
matrix_row no_act(matrix_row row) {
    row.is_act = false;
    return row;
}

matrix_row counted(matrix_row row) {
    row.also = {200};
    return no_act(row);
}

std::vector<matrix_row> job_rows() {
    return {
        no_act({"POST /jobs", whose::seen, "/jobs", R"({"kind":"debug.noop"})"}),
        no_act({"POST /jobs/batch", whose::seen, "/jobs/batch",
                R"({"jobs":[{"kind":"debug.noop"}]})"}),
        {"GET /jobs", whose::seen, "/jobs"},
        {"GET /jobs/count", whose::seen, "/jobs/count"},
        {"GET /filters/complete", whose::seen, "/filters/complete?prefix=st"},
        {"GET /jobs/{id}", whose::own, "/jobs/@", {}, made_job},
        {"GET /jobs/{id}/attempts", whose::own, "/jobs/@/attempts", {}, made_job},
        {"GET /jobs/{id}/logs", whose::own, "/jobs/@/logs", {}, made_job},
        {"GET /jobs/{id}/effects", whose::own, "/jobs/@/effects", {}, made_job},
        {"GET /jobs/{id}/explain", whose::own, "/jobs/@/explain", {}, made_job},
        {"GET /jobs/{id}/lineage", whose::own, "/jobs/@/lineage", {}, made_job},
        {"POST /jobs/{id}/retry", whose::own, "/jobs/@/retry", {}, made_job},
        {"POST /jobs/{id}/run-now", whose::own, "/jobs/@/run-now", {}, made_job},
        {"POST /jobs/{id}/snooze", whose::own, "/jobs/@/snooze", R"({"seconds":60})", made_job},
        {"POST /jobs/{id}/clone", whose::own, "/jobs/@/clone", "{}", made_job},
        {"DELETE /jobs/{id}", whose::own, "/jobs/@", {}, made_job},
        {"GET /workflows/{job_id}", whose::own, "/workflows/@", {}, made_job},
        {"GET /dead-letters", whose::seen, "/dead-letters"},
        {"GET /dead-letters/groups", whose::seen, "/dead-letters/groups"},
        {"GET /dead-letters/export", whose::seen, "/dead-letters/export"},
        {"GET /dead-letters/{id}", whose::own, "/dead-letters/@", {}, made_dead_letter},
        absent({"PUT /dead-letters/groups/{fingerprint}", whose::seen, "/dead-letters/groups/f",
                R"({"note":"n"})"}),
        {"POST /dead-letters/{id}/replay", whose::own, "/dead-letters/@/replay", "{}",
         made_dead_letter},
        {"POST /dead-letters/{id}/discard",
         whose::own,
         "/dead-letters/@/discard",
         {},
         made_dead_letter},
        counted({"POST /operations", whose::seen, "/operations",
                 R"({"action":"cancel","filter":"kind:none.such","dry_run":true})"}),
        {"GET /operations", whose::seen, "/operations"},
        {"GET /operations/{id}", whose::own, "/operations/@", {}, made_operation},
        {"POST /operations/{id}/cancel", whose::own, "/operations/@/cancel", {}, made_operation},
        {"GET /overview", whose::seen, "/overview"},
        {"GET /database", whose::seen, "/database"},
        {"PUT /queues/{name}/objective", whose::seen, "/queues/default/objective",
         R"({"seconds":60})"},
        {"GET /alerts", whose::seen, "/alerts"},
        {"GET /alerts/history", whose::seen, "/alerts/history"},
        absent({"POST /alerts/{id}/acknowledge", whose::seen, "/alerts/1/acknowledge", "{}"}),
        {"GET /health", whose::seen, "/health"},
        {"GET /stats/series", whose::seen, "/stats/series?metric=depth"},
    };
}

std::vector<matrix_row> processor_rows() {
    return {
        absent({"GET /webhooks/endpoints", whose::seen, "/webhooks/endpoints"}),
        absent({"POST /webhooks/endpoints", whose::seen, "/webhooks/endpoints",
                R"({"url":"https://example.com/hook"})"}),
        absent({"DELETE /webhooks/endpoints/{id}", whose::seen, "/webhooks/endpoints/1"}),
        absent({"POST /webhooks/endpoints/{id}/rotate-secret", whose::seen,
                "/webhooks/endpoints/1/rotate-secret"}),
        absent({"GET /webhooks/deliveries", whose::seen, "/webhooks/deliveries"}),
        absent(
            {"POST /webhooks/endpoints/{id}/enable", whose::seen, "/webhooks/endpoints/1/enable"}),
        absent({"POST /webhooks/endpoints/{id}/disable", whose::seen,
                "/webhooks/endpoints/1/disable"}),
        absent({"POST /webhooks/deliveries/{event_id}/replay", whose::seen,
                "/webhooks/deliveries/e/replay", R"({"endpoint":1})"}),
        absent({"GET /templates", whose::seen, "/templates"}),
        no_act(absent(
            {"POST /templates/{name}/preview", whose::seen, "/templates/welcome/preview", "{}"})),
    };
}

std::vector<matrix_row> make_rows() {
    std::vector<matrix_row> all = job_rows();
    const std::vector<matrix_row> more{
        {"GET /whoami", whose::seen, "/whoami"},
        {"GET /openapi.json", whose::seen, "/openapi.json"},
        {"GET /settings", whose::seen, "/settings"},
        {"GET /workers", whose::seen, "/workers"},
        {"GET /workers/{id}", whose::seen, "/workers/@", {}, made_worker},
        {"POST /workers/{id}/quiet", whose::seen, "/workers/@/quiet", {}, made_worker},
        {"POST /workers/{id}/drain", whose::seen, "/workers/@/drain", {}, made_worker},
        {"POST /workers/{id}/stop", whose::seen, "/workers/@/stop", {}, made_worker},
        {"POST /workers/{id}/resume", whose::seen, "/workers/@/resume", {}, made_worker},
        {"GET /kinds", whose::seen, "/kinds"},
        {"GET /kinds/unhandled", whose::seen, "/kinds/unhandled"},
        {"GET /queues", whose::seen, "/queues"},
        {"POST /queues", whose::seen, "/queues", R"({"name":"@"})", unique_name},
        {"GET /queues/{name}", whose::seen, "/queues/default"},
        {"GET /queues/{name}/status", whose::seen, "/queues/default/status"},
        {"GET /queues/{name}/jobs", whose::seen, "/queues/default/jobs"},
        {"POST /queues/{name}/pause", whose::seen, "/queues/default/pause", "{}"},
        {"POST /queues/{name}/resume", whose::seen, "/queues/default/resume"},
        no_act({"POST /queues/{name}/clear", whose::seen, "/queues/default/clear",
                R"({"dry_run":true})"}),
        {"GET /schedules", whose::seen, "/schedules"},
        {"GET /schedules/preview", whose::seen, "/schedules/preview?cron=@daily"},
        {"GET /schedules/{name}", whose::own, "/schedules/@", {}, made_schedule},
        {"PUT /schedules/{name}", whose::seen, "/schedules/@",
         R"({"cron":"@yearly","kind":"debug.echo"})", unique_name},
        {"DELETE /schedules/{name}", whose::own, "/schedules/@", {}, made_schedule},
        {"POST /schedules/{name}/pause", whose::own, "/schedules/@/pause", {}, made_schedule},
        {"POST /schedules/{name}/resume", whose::own, "/schedules/@/resume", {}, made_schedule},
        {"POST /schedules/{name}/run", whose::own, "/schedules/@/run", {}, made_schedule},
        {"GET /schedules/{name}/runs", whose::own, "/schedules/@/runs", {}, made_schedule},
        {"GET /schedules/{name}/next", whose::own, "/schedules/@/next", {}, made_schedule},
        {"GET /batches", whose::seen, "/batches"},
        {"GET /batches/{id}", whose::own, "/batches/@", {}, made_batch},
        {"GET /batches/{id}/items", whose::own, "/batches/@/items", {}, made_batch},
        {"POST /batches/{id}/cancel", whose::own, "/batches/@/cancel", {}, made_batch},
        {"GET /limits", whose::seen, "/limits"},
        {"GET /limits/{name}", whose::seen, "/limits/m"},
        {"PUT /limits/{name}", whose::seen, "/limits/m", R"({"rate":5})"},
        {"POST /limits/{name}/stop", whose::seen, "/limits/m/stop"},
        {"POST /limits/{name}/resume", whose::seen, "/limits/m/resume"},
        {"POST /limits/{name}/reset", whose::seen, "/limits/m/reset"},
        {"GET /rate-limits/status/{key}", whose::seen, "/rate-limits/status/m"},
        {"POST /rate-limits/reset/{key}", whose::seen, "/rate-limits/reset/m"},
        {"GET /subscriptions", whose::seen, "/subscriptions"},
        {"GET /subscriptions/unrouted", whose::seen, "/subscriptions/unrouted"},
        {"POST /subscriptions", whose::seen, "/subscriptions",
         R"({"pattern":"a.@","kind":"debug.echo"})", unique_name},
        {"DELETE /subscriptions/{id}", whose::own, "/subscriptions/@", {}, made_subscription},
        {"GET /tokens", whose::seen, "/tokens"},
        {"POST /tokens", whose::seen, "/tokens", R"({"role":"viewer","ttl":"1h"})"},
        {"DELETE /tokens/{token_id}", whose::own, "/tokens/@", {}, made_token},
        {"POST /tokens/revocations", whose::seen, "/tokens/revocations",
         R"({"issuer":"i","jti":"j","expires_at":"2030-01-01T00:00:00Z"})"},
        {"GET /tenants", whose::seen, "/tenants"},
        {"POST /tenants", whose::seen, "/tenants", R"({"name":"@"})", unique_name},
        {"GET /audit", whose::seen, "/audit"},
        {"GET /audit/verify", whose::seen, "/audit/verify"},
    };
    all.insert(all.end(), more.begin(), more.end());
    const auto processors = processor_rows();
    all.insert(all.end(), processors.begin(), processors.end());
    return all;
}

}  // namespace

const std::vector<matrix_row>& matrix_rows() {
    static const std::vector<matrix_row> rows = make_rows();
    return rows;
}

}  // namespace test
