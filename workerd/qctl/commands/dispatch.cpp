#include "commands/commands.hpp"

#include <array>
#include <cstddef>

namespace qctl {

namespace {

exit_code run_enqueue_any(context& with) {
    return with.call.has("bulk") ? run_enqueue_bulk(with) : run_enqueue(with);
}

class entry {
   public:
    verb id;
    exit_code (*run)(context&);
};

constexpr std::array entries{
    entry{verb::enqueue, run_enqueue_any},
    entry{verb::jobs_list, run_jobs_list},
    entry{verb::jobs_count, run_jobs_count},
    entry{verb::jobs_show, run_jobs_show},
    entry{verb::jobs_explain, run_jobs_explain},
    entry{verb::jobs_lineage, run_jobs_lineage},
    entry{verb::jobs_wait, run_jobs_wait},
    entry{verb::jobs_logs, run_jobs_logs},
    entry{verb::jobs_effects, run_jobs_effects},
    entry{verb::jobs_resolve, run_jobs_resolve},
    entry{verb::jobs_retry, run_jobs_retry},
    entry{verb::jobs_run_now, run_jobs_run_now},
    entry{verb::jobs_snooze, run_jobs_snooze},
    entry{verb::jobs_clone, run_jobs_clone},
    entry{verb::jobs_cancel, run_jobs_cancel},
    entry{verb::dlq_list, run_dlq_list},
    entry{verb::dlq_show, run_dlq_show},
    entry{verb::dlq_groups, run_dlq_groups},
    entry{verb::dlq_note, run_dlq_note},
    entry{verb::dlq_replay, run_dlq_replay},
    entry{verb::dlq_discard, run_dlq_discard},
    entry{verb::dlq_export, run_dlq_export},
    entry{verb::dlq_stats, run_dlq_stats},
    entry{verb::ops_run, run_ops_run},
    entry{verb::ops_list, run_ops_list},
    entry{verb::ops_show, run_ops_show},
    entry{verb::ops_cancel, run_ops_cancel},
    entry{verb::queues_list, run_queues_list},
    entry{verb::queues_show, run_queues_show},
    entry{verb::queues_create, run_queues_create},
    entry{verb::queues_objective, run_queues_objective},
    entry{verb::queues_pause, run_queues_pause},
    entry{verb::queues_resume, run_queues_resume},
    entry{verb::queues_drain, run_queues_drain},
    entry{verb::queues_purge, run_queues_purge},
    entry{verb::limits_list, run_limits_list},
    entry{verb::limits_set, run_limits_set},
    entry{verb::limits_reset, run_limits_reset},
    entry{verb::limits_close, run_limits_close},
    entry{verb::limits_stop, run_limits_stop},
    entry{verb::limits_resume, run_limits_resume},
    entry{verb::schedules_list, run_schedules_list},
    entry{verb::schedules_show, run_schedules_show},
    entry{verb::schedules_next, run_schedules_next},
    entry{verb::schedules_set, run_schedules_set},
    entry{verb::schedules_remove, run_schedules_remove},
    entry{verb::schedules_pause, run_schedules_pause},
    entry{verb::schedules_resume, run_schedules_resume},
    entry{verb::schedules_run, run_schedules_run},
    entry{verb::batches_list, run_batches_list},
    entry{verb::batches_show, run_batches_show},
    entry{verb::batches_create, run_batches_create},
    entry{verb::batches_seal, run_batches_seal},
    entry{verb::batches_cancel, run_batches_cancel},
    entry{verb::batches_items, run_batches_items},
    entry{verb::batches_wait, run_batches_wait},
    entry{verb::workflows_show, run_workflows_show},
    entry{verb::topics_list, run_topics_list},
    entry{verb::topics_publish, run_topics_publish},
    entry{verb::topics_subscribe, run_topics_subscribe},
    entry{verb::topics_unsubscribe, run_topics_unsubscribe},
    entry{verb::topics_unrouted, run_topics_unrouted},
    entry{verb::webhooks_endpoints_list, run_webhooks_endpoints_list},
    entry{verb::webhooks_endpoints_show, run_webhooks_endpoints_show},
    entry{verb::webhooks_endpoints_create, run_webhooks_endpoints_create},
    entry{verb::webhooks_endpoints_enable, run_webhooks_endpoints_enable},
    entry{verb::webhooks_endpoints_disable, run_webhooks_endpoints_disable},
    entry{verb::webhooks_endpoints_rotate, run_webhooks_endpoints_rotate},
    entry{verb::webhooks_endpoints_remove, run_webhooks_endpoints_remove},
    entry{verb::webhooks_deliveries_list, run_webhooks_deliveries_list},
    entry{verb::webhooks_deliveries_replay, run_webhooks_deliveries_replay},
    entry{verb::webhooks_verify, run_webhooks_verify},
    entry{verb::templates_list, run_templates_list},
    entry{verb::templates_show, run_templates_show},
    entry{verb::templates_preview, run_templates_preview},
    entry{verb::preferences_show, run_preferences_show},
    entry{verb::preferences_history, run_preferences_history},
    entry{verb::preferences_set, run_preferences_set},
    entry{verb::preferences_suppress, run_preferences_suppress},
    entry{verb::preferences_unsuppress, run_preferences_unsuppress},
    entry{verb::archive_list, run_archive_list},
    entry{verb::archive_jobs, run_archive_jobs},
    entry{verb::archive_set, run_archive_set},
    entry{verb::archive_keep, run_archive_keep},
    entry{verb::archive_export, run_archive_export},
    entry{verb::archive_prune, run_archive_prune},
    entry{verb::erase, run_erase},
    entry{verb::keys_create, run_keys_create},
    entry{verb::keys_list, run_keys_list},
    entry{verb::keys_check, run_keys_check},
    entry{verb::keys_rotate, run_keys_rotate},
    entry{verb::keys_usage, run_keys_usage},
    entry{verb::keys_reseal, run_keys_reseal},
    entry{verb::tokens_create, run_tokens_create},
    entry{verb::tokens_list, run_tokens_list},
    entry{verb::tokens_revoke, run_tokens_revoke},
    entry{verb::tokens_revoke_jwt, run_tokens_revoke_jwt},
    entry{verb::tokens_whoami, run_tokens_whoami},
    entry{verb::tenants_create, run_tenants_create},
    entry{verb::tenants_list, run_tenants_list},
    entry{verb::audit_list, run_audit_list},
    entry{verb::audit_verify, run_audit_verify},
    entry{verb::audit_prune, run_audit_prune},
    entry{verb::roles_list, run_roles_list},
    entry{verb::roles_install, run_roles_install},
    entry{verb::alerts_list, run_alerts_list},
    entry{verb::alerts_history, run_alerts_history},
    entry{verb::alerts_acknowledge, run_alerts_acknowledge},
    entry{verb::workers_list, run_workers_list},
    entry{verb::workers_show, run_workers_show},
    entry{verb::workers_quiet, run_workers_quiet},
    entry{verb::workers_drain, run_workers_drain},
    entry{verb::workers_stop, run_workers_stop},
    entry{verb::workers_resume, run_workers_resume},
    entry{verb::kinds_list, run_kinds_list},
    entry{verb::kinds_unhandled, run_kinds_unhandled},
    entry{verb::stats_series, run_stats_series},
    entry{verb::stats, run_stats},
    entry{verb::database, run_database},
    entry{verb::top, run_top},
    entry{verb::doctor, run_doctor},
    entry{verb::maintain, run_maintain},
    entry{verb::migrate_status, run_migrate_status},
    entry{verb::migrate_up, run_migrate_up},
    entry{verb::migrate_verify, run_migrate_verify},
    entry{verb::migrate_check, run_migrate_check},
    entry{verb::migrate_sql, run_migrate_sql},
    entry{verb::migrate_adopt, run_migrate_adopt},
    entry{verb::config_validate, run_config_validate},
    entry{verb::config_show, run_config_show},
    entry{verb::config_schema, run_config_schema},
    entry{verb::config_init, run_config_init},
    entry{verb::context_list, run_context_list},
    entry{verb::context_use, run_context_use},
    entry{verb::context_set, run_context_set},
    entry{verb::context_delete, run_context_delete},
    entry{verb::api, run_api},
    entry{verb::man, run_man},
    entry{verb::completion, run_completion},
    entry{verb::version, run_version},
    entry{verb::help, run_help},
};

// A verb of the table without a function does not compile.
consteval bool every_verb_in_order() {
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (static_cast<std::size_t>(entries[i].id) != i) {
            return false;
        }
    }
    return entries.size() == static_cast<std::size_t>(verb::help) + 1;
}
static_assert(every_verb_in_order());

}  // namespace

exit_code run_verb(context& with) {
    return entries[static_cast<std::size_t>(with.call.leaf->id)].run(with);
}

}  // namespace qctl
