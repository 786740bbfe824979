#include "rights.hpp"

#include <algorithm>
#include <array>

namespace workerd::api {

namespace {

using libqueue::role;

constexpr std::array rights{
    right{"self.read", role::viewer, "see who one is"},
    right{"overview.read", role::viewer, "see the overview and live events"},
    right{"database.read", role::viewer, "see sizes and troubles of the database", true},
    right{"topics.read", role::viewer, "see topics that nobody heard", true},
    right{"jobs.read", role::viewer, "see jobs, their payloads, attempts and logs"},
    right{"dead_letters.read", role::viewer, "see dead letters and failure groups"},
    right{"queues.read", role::viewer, "see queues"},
    right{"schedules.read", role::viewer, "see schedules and their runs"},
    right{"batches.read", role::viewer, "see batches and their items"},
    right{"workers.read", role::viewer, "see workers and the kinds they handle", true},
    right{"limits.read", role::viewer, "see limits and what is left of them", true},
    right{"subscriptions.read", role::viewer, "see who subscribed to which events"},
    right{"webhooks.read", role::viewer, "see webhook endpoints and deliveries"},
    right{"templates.read", role::viewer, "see mail templates"},
    right{"operations.read", role::viewer, "see bulk operations"},
    right{"alerts.read", role::viewer, "see alerts"},
    right{"stats.read", role::viewer, "see charts", true},

    right{"jobs.enqueue", role::operate, "enqueue one job"},
    right{"alerts.acknowledge", role::operate, "acknowledge alerts", true},
    right{"workers.control", role::operate, "ask workers to be quiet, to drain and to go on", true},
    right{"failures.annotate", role::operate, "note and mute failure groups"},
    right{"schedules.run", role::operate, "run a schedule once now"},
    right{"dead_letters.replay", role::operate, "replay one dead letter"},
    right{"deliveries.replay", role::operate, "send a webhook delivery again"},
    right{"templates.preview", role::operate, "see what a mail template makes of variables"},
    right{"operations.dry_run", role::operate, "count what a bulk operation would touch"},

    right{"jobs.enqueue_many", role::admin, "enqueue many jobs at once"},
    right{"jobs.retry", role::admin, "retry, run now, snooze and clone jobs"},
    right{"jobs.cancel", role::admin, "cancel jobs"},
    right{"dead_letters.discard", role::admin, "discard dead letters"},
    right{"queues.create", role::admin, "create queues", true},
    right{"queues.change", role::admin, "change a queue's settings", true},
    right{"queues.pause", role::admin, "pause and resume queues", true},
    right{"queues.clear", role::admin, "cancel all that waits in a queue", true},
    right{"schedules.change", role::admin, "set, remove, pause and resume schedules"},
    right{"batches.cancel", role::admin, "cancel batches"},
    right{"limits.change", role::admin, "change, stop, resume and reset limits", true},
    right{"workers.stop", role::admin, "ask workers to stop", true},
    right{"subscriptions.change", role::admin, "add and remove subscriptions"},
    right{"endpoints.change", role::admin, "enable and disable webhook endpoints"},
    right{"operations.run", role::admin, "run and cancel bulk operations"},
    right{"alerts.change", role::admin, "change alert rules", true},
    right{"tokens.read", role::admin, "see API tokens"},
    right{"tokens.change", role::admin, "create and revoke API tokens"},
    right{"tokens.revoke_jwt", role::admin, "revoke JWTs", true},
    right{"tenants.read", role::admin, "see tenants", true},
    right{"tenants.change", role::admin, "create tenants", true},
    right{"audit.read", role::admin, "see the audit record"},
    right{"audit.verify", role::admin, "recompute the chain of the audit record", true},
    right{"settings.read", role::admin, "see the configuration in force", true},
    right{"health.read", role::admin, "see the detailed health report", true},
};

}  // namespace

std::span<const right> all_rights() {
    return rights;
}

const right* find_right(std::string_view name) {
    const auto found = std::ranges::find(rights, name, &right::name);
    return found == rights.end() ? nullptr : &*found;
}

bool has_right(const libqueue::principal& who, std::string_view name,
               const std::set<std::string, std::less<>>& extra) {
    const auto* found = find_right(name);
    if (found == nullptr || (found->shared && who.tenant_id))
        return false;
    return who.role >= found->least || (who.role == role::operate && extra.contains(name));
}

std::vector<std::string> rights_of(const libqueue::principal& who,
                                   const std::set<std::string, std::less<>>& extra) {
    std::vector<std::string> all;
    for (const auto& each : rights)
        if (has_right(who, each.name, extra))
            all.emplace_back(each.name);
    return all;
}

}  // namespace workerd::api
