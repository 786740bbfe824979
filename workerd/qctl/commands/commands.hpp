#pragma once

#include "context.hpp"
#include "exit_code.hpp"

// One function per verb of the command table. Each prints its result and returns the exit code, or
// throws: `stop` for what qctl itself finds, `libqueue::domain_failure` and `libqueue::failure`
// for what the library says.

namespace qctl {

[[nodiscard]] exit_code run_enqueue(context& with);
[[nodiscard]] exit_code run_enqueue_bulk(context& with);

[[nodiscard]] exit_code run_jobs_list(context& with);
[[nodiscard]] exit_code run_jobs_count(context& with);
[[nodiscard]] exit_code run_jobs_show(context& with);
[[nodiscard]] exit_code run_jobs_explain(context& with);
[[nodiscard]] exit_code run_jobs_lineage(context& with);
[[nodiscard]] exit_code run_jobs_wait(context& with);
[[nodiscard]] exit_code run_jobs_logs(context& with);
[[nodiscard]] exit_code run_jobs_effects(context& with);
[[nodiscard]] exit_code run_jobs_resolve(context& with);
[[nodiscard]] exit_code run_jobs_retry(context& with);
[[nodiscard]] exit_code run_jobs_run_now(context& with);
[[nodiscard]] exit_code run_jobs_snooze(context& with);
[[nodiscard]] exit_code run_jobs_clone(context& with);
[[nodiscard]] exit_code run_jobs_cancel(context& with);

[[nodiscard]] exit_code run_dlq_list(context& with);
[[nodiscard]] exit_code run_dlq_show(context& with);
[[nodiscard]] exit_code run_dlq_groups(context& with);
[[nodiscard]] exit_code run_dlq_note(context& with);
[[nodiscard]] exit_code run_dlq_replay(context& with);
[[nodiscard]] exit_code run_dlq_discard(context& with);
[[nodiscard]] exit_code run_dlq_export(context& with);
[[nodiscard]] exit_code run_dlq_stats(context& with);

[[nodiscard]] exit_code run_ops_run(context& with);
[[nodiscard]] exit_code run_ops_list(context& with);
[[nodiscard]] exit_code run_ops_show(context& with);
[[nodiscard]] exit_code run_ops_cancel(context& with);

[[nodiscard]] exit_code run_queues_list(context& with);
[[nodiscard]] exit_code run_queues_show(context& with);
[[nodiscard]] exit_code run_queues_create(context& with);
[[nodiscard]] exit_code run_queues_objective(context& with);
[[nodiscard]] exit_code run_queues_pause(context& with);
[[nodiscard]] exit_code run_queues_resume(context& with);
[[nodiscard]] exit_code run_queues_drain(context& with);
[[nodiscard]] exit_code run_queues_purge(context& with);

[[nodiscard]] exit_code run_limits_list(context& with);
[[nodiscard]] exit_code run_limits_set(context& with);
[[nodiscard]] exit_code run_limits_reset(context& with);
[[nodiscard]] exit_code run_limits_close(context& with);
[[nodiscard]] exit_code run_limits_stop(context& with);
[[nodiscard]] exit_code run_limits_resume(context& with);
[[nodiscard]] exit_code run_schedules_list(context& with);
[[nodiscard]] exit_code run_schedules_show(context& with);
[[nodiscard]] exit_code run_schedules_next(context& with);
[[nodiscard]] exit_code run_schedules_set(context& with);
[[nodiscard]] exit_code run_schedules_remove(context& with);
[[nodiscard]] exit_code run_schedules_pause(context& with);
[[nodiscard]] exit_code run_schedules_resume(context& with);
[[nodiscard]] exit_code run_schedules_run(context& with);
[[nodiscard]] exit_code run_batches_list(context& with);
[[nodiscard]] exit_code run_batches_show(context& with);
[[nodiscard]] exit_code run_batches_create(context& with);
[[nodiscard]] exit_code run_batches_seal(context& with);
[[nodiscard]] exit_code run_batches_cancel(context& with);
[[nodiscard]] exit_code run_batches_items(context& with);
[[nodiscard]] exit_code run_batches_wait(context& with);
[[nodiscard]] exit_code run_workflows_show(context& with);
[[nodiscard]] exit_code run_topics_list(context& with);
[[nodiscard]] exit_code run_topics_publish(context& with);
[[nodiscard]] exit_code run_topics_subscribe(context& with);
[[nodiscard]] exit_code run_topics_unsubscribe(context& with);
[[nodiscard]] exit_code run_topics_unrouted(context& with);

[[nodiscard]] exit_code run_webhooks_endpoints_list(context& with);
[[nodiscard]] exit_code run_webhooks_endpoints_show(context& with);
[[nodiscard]] exit_code run_webhooks_endpoints_create(context& with);
[[nodiscard]] exit_code run_webhooks_endpoints_enable(context& with);
[[nodiscard]] exit_code run_webhooks_endpoints_disable(context& with);
[[nodiscard]] exit_code run_webhooks_endpoints_rotate(context& with);
[[nodiscard]] exit_code run_webhooks_endpoints_remove(context& with);
[[nodiscard]] exit_code run_webhooks_deliveries_list(context& with);
[[nodiscard]] exit_code run_webhooks_deliveries_replay(context& with);
[[nodiscard]] exit_code run_webhooks_verify(context& with);
[[nodiscard]] exit_code run_templates_list(context& with);
[[nodiscard]] exit_code run_templates_show(context& with);
[[nodiscard]] exit_code run_templates_preview(context& with);
[[nodiscard]] exit_code run_preferences_show(context& with);
[[nodiscard]] exit_code run_preferences_history(context& with);
[[nodiscard]] exit_code run_preferences_set(context& with);
[[nodiscard]] exit_code run_preferences_suppress(context& with);
[[nodiscard]] exit_code run_preferences_unsuppress(context& with);

[[nodiscard]] exit_code run_archive_list(context& with);
[[nodiscard]] exit_code run_archive_jobs(context& with);
[[nodiscard]] exit_code run_archive_set(context& with);
[[nodiscard]] exit_code run_archive_keep(context& with);
[[nodiscard]] exit_code run_archive_export(context& with);
[[nodiscard]] exit_code run_archive_prune(context& with);
[[nodiscard]] exit_code run_erase(context& with);

[[nodiscard]] exit_code run_keys_create(context& with);
[[nodiscard]] exit_code run_keys_list(context& with);
[[nodiscard]] exit_code run_keys_check(context& with);
[[nodiscard]] exit_code run_keys_rotate(context& with);
[[nodiscard]] exit_code run_keys_usage(context& with);
[[nodiscard]] exit_code run_keys_reseal(context& with);
[[nodiscard]] exit_code run_tokens_create(context& with);
[[nodiscard]] exit_code run_tokens_list(context& with);
[[nodiscard]] exit_code run_tokens_revoke(context& with);
[[nodiscard]] exit_code run_tokens_revoke_jwt(context& with);
[[nodiscard]] exit_code run_tokens_whoami(context& with);
[[nodiscard]] exit_code run_tenants_create(context& with);
[[nodiscard]] exit_code run_tenants_list(context& with);
[[nodiscard]] exit_code run_audit_list(context& with);
[[nodiscard]] exit_code run_audit_verify(context& with);
[[nodiscard]] exit_code run_audit_prune(context& with);
[[nodiscard]] exit_code run_roles_list(context& with);
[[nodiscard]] exit_code run_roles_install(context& with);

[[nodiscard]] exit_code run_alerts_list(context& with);
[[nodiscard]] exit_code run_alerts_history(context& with);
[[nodiscard]] exit_code run_alerts_acknowledge(context& with);
[[nodiscard]] exit_code run_workers_list(context& with);
[[nodiscard]] exit_code run_workers_show(context& with);
[[nodiscard]] exit_code run_workers_quiet(context& with);
[[nodiscard]] exit_code run_workers_drain(context& with);
[[nodiscard]] exit_code run_workers_stop(context& with);
[[nodiscard]] exit_code run_workers_resume(context& with);
[[nodiscard]] exit_code run_kinds_list(context& with);
[[nodiscard]] exit_code run_kinds_unhandled(context& with);
[[nodiscard]] exit_code run_stats_series(context& with);
[[nodiscard]] exit_code run_stats(context& with);
[[nodiscard]] exit_code run_database(context& with);
[[nodiscard]] exit_code run_top(context& with);
[[nodiscard]] exit_code run_doctor(context& with);
[[nodiscard]] exit_code run_maintain(context& with);

[[nodiscard]] exit_code run_migrate_status(context& with);
[[nodiscard]] exit_code run_migrate_up(context& with);
[[nodiscard]] exit_code run_migrate_verify(context& with);
[[nodiscard]] exit_code run_migrate_check(context& with);
[[nodiscard]] exit_code run_migrate_sql(context& with);
[[nodiscard]] exit_code run_migrate_adopt(context& with);

[[nodiscard]] exit_code run_config_validate(context& with);
[[nodiscard]] exit_code run_config_show(context& with);
[[nodiscard]] exit_code run_config_schema(context& with);
[[nodiscard]] exit_code run_config_init(context& with);
[[nodiscard]] exit_code run_context_list(context& with);
[[nodiscard]] exit_code run_context_use(context& with);
[[nodiscard]] exit_code run_context_set(context& with);
[[nodiscard]] exit_code run_context_delete(context& with);
[[nodiscard]] exit_code run_api(context& with);
[[nodiscard]] exit_code run_man(context& with);

[[nodiscard]] exit_code run_completion(context& with);
[[nodiscard]] exit_code run_version(context& with);
[[nodiscard]] exit_code run_help(context& with);

/// `qctl __complete WHAT WORDS...`: names for the completion scripts, on one line. Never fails.
[[nodiscard]] exit_code run_complete(const std::vector<std::string>& words);

/// The verb of the command line.
[[nodiscard]] exit_code run_verb(context& with);

}  // namespace qctl
