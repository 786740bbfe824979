#include "server/route_uses.hpp"

#include <algorithm>
#include <array>

namespace qctl {

namespace {

// Some verbs make do with parts of their flags: what the API cannot do they say themselves.
constexpr std::array uses{
    route_use{verb::enqueue, "POST", "/jobs"},
    route_use{verb::enqueue, "POST", "/jobs/batch"},
    route_use{verb::jobs_list, "GET", "/jobs"},
    route_use{verb::jobs_count, "GET", "/jobs/count"},
    route_use{verb::jobs_show, "GET", "/jobs/{id}"},
    route_use{verb::jobs_show, "GET", "/jobs/{id}/attempts"},
    route_use{verb::jobs_explain, "GET", "/jobs/{id}/explain"},
    route_use{verb::jobs_lineage, "GET", "/jobs/{id}/lineage"},
    route_use{verb::jobs_wait, "GET", "/jobs/{id}"},
    route_use{verb::jobs_logs, "GET", "/jobs/{id}/logs"},
    route_use{verb::jobs_effects, "GET", "/jobs/{id}/effects"},
    route_use{verb::jobs_retry, "POST", "/jobs/{id}/retry"},
    route_use{verb::jobs_run_now, "POST", "/jobs/{id}/run-now"},
    route_use{verb::jobs_snooze, "POST", "/jobs/{id}/snooze"},
    route_use{verb::jobs_clone, "POST", "/jobs/{id}/clone"},
    route_use{verb::jobs_cancel, "DELETE", "/jobs/{id}"},
    route_use{verb::dlq_list, "GET", "/dead-letters"},
    route_use{verb::dlq_show, "GET", "/dead-letters/{id}"},
    route_use{verb::dlq_groups, "GET", "/dead-letters/groups"},
    route_use{verb::dlq_note, "PUT", "/dead-letters/groups/{fingerprint}"},
    route_use{verb::dlq_stats, "GET", "/dead-letters/groups"},
    route_use{verb::dlq_replay, "POST", "/dead-letters/{id}/replay"},
    route_use{verb::dlq_discard, "POST", "/dead-letters/{id}/discard"},
    route_use{verb::dlq_replay, "POST", "/operations"},
    route_use{verb::dlq_replay, "GET", "/operations/{id}"},
    route_use{verb::dlq_replay, "POST", "/operations/{id}/cancel"},
    route_use{verb::dlq_export, "GET", "/dead-letters/export"},
    route_use{verb::ops_run, "POST", "/operations"},
    route_use{verb::ops_list, "GET", "/operations"},
    route_use{verb::ops_show, "GET", "/operations/{id}"},
    route_use{verb::ops_cancel, "POST", "/operations/{id}/cancel"},
    route_use{verb::queues_list, "GET", "/queues"},
    route_use{verb::queues_show, "GET", "/queues/{name}"},
    route_use{verb::queues_create, "POST", "/queues"},
    route_use{verb::queues_objective, "PUT", "/queues/{name}/objective"},
    route_use{verb::queues_pause, "POST", "/queues/{name}/pause"},
    route_use{verb::queues_resume, "POST", "/queues/{name}/resume"},
    route_use{verb::queues_drain, "GET", "/queues/{name}"},
    route_use{verb::queues_purge, "POST", "/queues/{name}/clear"},
    route_use{verb::limits_list, "GET", "/limits"},
    route_use{verb::limits_list, "GET", "/limits/{name}"},
    route_use{verb::limits_set, "PUT", "/limits/{name}"},
    route_use{verb::limits_reset, "POST", "/limits/{name}/reset"},
    route_use{verb::limits_stop, "POST", "/limits/{name}/stop"},
    route_use{verb::limits_resume, "POST", "/limits/{name}/resume"},
    route_use{verb::schedules_list, "GET", "/schedules"},
    route_use{verb::schedules_show, "GET", "/schedules/{name}"},
    route_use{verb::schedules_show, "GET", "/schedules/{name}/runs"},
    route_use{verb::schedules_next, "GET", "/schedules/{name}/next"},
    route_use{verb::schedules_next, "GET", "/schedules/preview"},
    route_use{verb::schedules_set, "PUT", "/schedules/{name}"},
    route_use{verb::schedules_remove, "DELETE", "/schedules/{name}"},
    route_use{verb::schedules_pause, "POST", "/schedules/{name}/pause"},
    route_use{verb::schedules_resume, "POST", "/schedules/{name}/resume"},
    route_use{verb::schedules_run, "POST", "/schedules/{name}/run"},
    route_use{verb::batches_list, "GET", "/batches"},
    route_use{verb::batches_show, "GET", "/batches/{id}"},
    route_use{verb::batches_wait, "GET", "/batches/{id}"},
    route_use{verb::batches_items, "GET", "/batches/{id}/items"},
    route_use{verb::batches_cancel, "POST", "/batches/{id}/cancel"},
    route_use{verb::workflows_show, "GET", "/workflows/{job_id}"},
    route_use{verb::topics_list, "GET", "/subscriptions"},
    route_use{verb::topics_subscribe, "POST", "/subscriptions"},
    route_use{verb::topics_unsubscribe, "DELETE", "/subscriptions/{id}"},
    route_use{verb::topics_unrouted, "GET", "/subscriptions/unrouted"},
    route_use{verb::webhooks_endpoints_list, "GET", "/webhooks/endpoints"},
    route_use{verb::webhooks_endpoints_show, "GET", "/webhooks/endpoints"},
    route_use{verb::webhooks_endpoints_create, "POST", "/webhooks/endpoints"},
    route_use{verb::webhooks_endpoints_remove, "DELETE", "/webhooks/endpoints/{id}"},
    route_use{verb::webhooks_endpoints_rotate, "POST", "/webhooks/endpoints/{id}/rotate-secret"},
    route_use{verb::webhooks_endpoints_enable, "POST", "/webhooks/endpoints/{id}/enable"},
    route_use{verb::webhooks_endpoints_disable, "POST", "/webhooks/endpoints/{id}/disable"},
    route_use{verb::webhooks_deliveries_list, "GET", "/webhooks/deliveries"},
    route_use{verb::webhooks_deliveries_replay, "POST", "/webhooks/deliveries/{event_id}/replay"},
    route_use{verb::templates_list, "GET", "/templates"},
    route_use{verb::templates_preview, "POST", "/templates/{name}/preview"},
    route_use{verb::tokens_create, "POST", "/tokens"},
    route_use{verb::tokens_list, "GET", "/tokens"},
    route_use{verb::tokens_revoke, "DELETE", "/tokens/{token_id}"},
    route_use{verb::tokens_revoke_jwt, "POST", "/tokens/revocations"},
    route_use{verb::tokens_whoami, "GET", "/whoami"},
    route_use{verb::tenants_create, "POST", "/tenants"},
    route_use{verb::tenants_list, "GET", "/tenants"},
    route_use{verb::audit_list, "GET", "/audit"},
    route_use{verb::audit_verify, "GET", "/audit/verify"},
    route_use{verb::config_show, "GET", "/settings"},
    route_use{verb::top, "GET", "/overview"},
    route_use{verb::workers_list, "GET", "/workers"},
    route_use{verb::workers_show, "GET", "/workers/{id}"},
    route_use{verb::workers_quiet, "POST", "/workers/{id}/quiet"},
    route_use{verb::workers_drain, "POST", "/workers/{id}/drain"},
    route_use{verb::workers_stop, "POST", "/workers/{id}/stop"},
    route_use{verb::workers_resume, "POST", "/workers/{id}/resume"},
    route_use{verb::kinds_list, "GET", "/kinds"},
    route_use{verb::kinds_unhandled, "GET", "/kinds/unhandled"},
    route_use{verb::stats_series, "GET", "/stats/series"},
    route_use{verb::database, "GET", "/database"},
    route_use{verb::alerts_list, "GET", "/alerts"},
    route_use{verb::alerts_history, "GET", "/alerts/history"},
    route_use{verb::alerts_acknowledge, "POST", "/alerts/{id}/acknowledge"},
};

constexpr std::array excused{
    route_excuse{"GET", "/queues/{name}/status", "the same as /queues/{name}"},
    route_excuse{"GET", "/queues/{name}/jobs", "the same as /jobs with a filter"},
    route_excuse{"GET", "/rate-limits/status/{key}", "the same as /limits/{name}"},
    route_excuse{"POST", "/rate-limits/reset/{key}", "the same as /limits/{name}/reset"},
    route_excuse{"GET", "/openapi.json", "for programs that make clients"},
    route_excuse{"GET", "/stream", "for pages that stay open; top asks /overview"},
    route_excuse{"GET", "/health", "for probes of one process; doctor looks at the whole"},
    route_excuse{"GET", "/filters/complete", "for whoever types a filter into a page"},
};

}  // namespace

std::span<const route_excuse> excused_routes() noexcept {
    return excused;
}

std::span<const route_use> route_uses() noexcept {
    return uses;
}

bool works_with_server(verb id) noexcept {
    return id == verb::api ||
           std::ranges::any_of(uses, [&](const route_use& use) { return use.id == id; });
}

bool is_local(verb id) noexcept {
    const auto& group = find_command(id).group;
    return group == "context" || id == verb::webhooks_verify || id == verb::completion ||
           id == verb::man || id == verb::version || id == verb::help ||
           id == verb::config_validate || id == verb::config_schema || id == verb::config_init ||
           id == verb::config_show;
}

}  // namespace qctl
