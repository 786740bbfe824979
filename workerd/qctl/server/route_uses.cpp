#include "server/route_uses.hpp"

#include <algorithm>
#include <array>

namespace qctl {

namespace {

constexpr std::array uses{
    route_use{verb::enqueue, "POST", "/jobs"},
    route_use{verb::enqueue, "POST", "/jobs/batch"},
    route_use{verb::jobs_list, "GET", "/jobs"},
    route_use{verb::jobs_show, "GET", "/jobs/{id}"},
    route_use{verb::jobs_show, "GET", "/jobs/{id}/attempts"},
    route_use{verb::jobs_explain, "GET", "/jobs/{id}/explain"},
    route_use{verb::jobs_wait, "GET", "/jobs/{id}"},
    route_use{verb::jobs_logs, "GET", "/jobs/{id}/logs"},
    route_use{verb::jobs_effects, "GET", "/jobs/{id}/effects"},
    route_use{verb::jobs_retry, "POST", "/jobs/{id}/retry"},
    route_use{verb::jobs_cancel, "DELETE", "/jobs/{id}"},
    route_use{verb::dlq_list, "GET", "/dead-letters"},
    route_use{verb::dlq_show, "GET", "/dead-letters/{id}"},
    route_use{verb::dlq_groups, "GET", "/dead-letters/groups"},
    route_use{verb::dlq_stats, "GET", "/dead-letters/groups"},
    route_use{verb::dlq_replay, "POST", "/dead-letters/{id}/replay"},
    route_use{verb::dlq_discard, "POST", "/dead-letters/{id}/discard"},
    route_use{verb::dlq_replay, "POST", "/operations"},
    route_use{verb::dlq_replay, "GET", "/operations/{id}"},
    route_use{verb::dlq_replay, "POST", "/operations/{id}/cancel"},
    route_use{verb::dlq_export, "GET", "/dead-letters"},
    route_use{verb::queues_list, "GET", "/queues"},
    route_use{verb::queues_show, "GET", "/queues/{name}"},
    route_use{verb::queues_create, "POST", "/queues"},
    route_use{verb::queues_pause, "POST", "/queues/{name}/pause"},
    route_use{verb::queues_resume, "POST", "/queues/{name}/resume"},
    route_use{verb::queues_drain, "GET", "/queues/{name}"},
    route_use{verb::queues_purge, "POST", "/queues/{name}/clear"},
    route_use{verb::limits_list, "GET", "/limits"},
    route_use{verb::limits_set, "PUT", "/limits/{name}"},
    route_use{verb::limits_reset, "POST", "/limits/{name}/reset"},
    route_use{verb::limits_stop, "POST", "/limits/{name}/stop"},
    route_use{verb::limits_resume, "POST", "/limits/{name}/resume"},
    route_use{verb::schedules_list, "GET", "/schedules"},
    route_use{verb::schedules_show, "GET", "/schedules/{name}"},
    route_use{verb::schedules_show, "GET", "/schedules/{name}/runs"},
    route_use{verb::schedules_next, "GET", "/schedules/{name}/next"},
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
    route_use{verb::topics_list, "GET", "/subscriptions"},
    route_use{verb::topics_subscribe, "POST", "/subscriptions"},
    route_use{verb::topics_unsubscribe, "DELETE", "/subscriptions/{id}"},
    route_use{verb::workers_list, "GET", "/workers"},
    route_use{verb::kinds_unhandled, "GET", "/kinds/unhandled"},
    // What has no verb of its own.
    route_use{verb::api, "GET", "/openapi.json"},
};

}  // namespace

std::span<const route_use> route_uses() noexcept {
    return uses;
}

bool works_with_server(verb id) noexcept {
    return id == verb::top ||
           std::ranges::any_of(uses, [&](const route_use& use) { return use.id == id; });
}

bool is_local(verb id) noexcept {
    const auto& group = find_command(id).group;
    return group == "context" || id == verb::completion || id == verb::man || id == verb::version ||
           id == verb::help || id == verb::config_validate || id == verb::config_schema ||
           id == verb::config_init || id == verb::config_show;
}

}  // namespace qctl
