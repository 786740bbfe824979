#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

// The one description of the command line. Parsing, --help, "did you mean" and docs/qctl.md are
// all derived from it, so they cannot disagree.

namespace qctl {

enum class verb {
    enqueue,
    jobs_list,
    jobs_count,
    jobs_show,
    jobs_explain,
    jobs_lineage,
    jobs_wait,
    jobs_logs,
    jobs_effects,
    jobs_resolve,
    jobs_retry,
    jobs_run_now,
    jobs_snooze,
    jobs_clone,
    jobs_cancel,
    dlq_list,
    dlq_show,
    dlq_groups,
    dlq_note,
    dlq_replay,
    dlq_discard,
    dlq_export,
    dlq_stats,
    ops_run,
    ops_list,
    ops_show,
    ops_cancel,
    queues_list,
    queues_show,
    queues_create,
    queues_objective,
    queues_pause,
    queues_resume,
    queues_drain,
    queues_purge,
    limits_list,
    limits_set,
    limits_reset,
    limits_close,
    limits_stop,
    limits_resume,
    schedules_list,
    schedules_show,
    schedules_next,
    schedules_set,
    schedules_remove,
    schedules_pause,
    schedules_resume,
    schedules_run,
    batches_list,
    batches_show,
    batches_create,
    batches_seal,
    batches_cancel,
    batches_items,
    batches_wait,
    workflows_show,
    topics_list,
    topics_publish,
    topics_subscribe,
    topics_unsubscribe,
    topics_unrouted,
    webhooks_endpoints_list,
    webhooks_endpoints_show,
    webhooks_endpoints_create,
    webhooks_endpoints_enable,
    webhooks_endpoints_disable,
    webhooks_endpoints_rotate,
    webhooks_endpoints_remove,
    webhooks_deliveries_list,
    webhooks_deliveries_replay,
    webhooks_verify,
    templates_list,
    templates_show,
    templates_preview,
    preferences_show,
    preferences_history,
    preferences_set,
    preferences_suppress,
    preferences_unsuppress,
    archive_list,
    archive_jobs,
    archive_set,
    archive_keep,
    archive_export,
    archive_prune,
    erase,
    keys_create,
    keys_list,
    keys_check,
    keys_rotate,
    keys_usage,
    keys_reseal,
    tokens_create,
    tokens_list,
    tokens_revoke,
    tokens_revoke_jwt,
    tokens_whoami,
    tenants_create,
    tenants_list,
    audit_list,
    audit_verify,
    audit_prune,
    roles_list,
    roles_install,
    alerts_list,
    alerts_history,
    alerts_acknowledge,
    workers_list,
    workers_show,
    workers_quiet,
    workers_drain,
    workers_stop,
    workers_resume,
    kinds_list,
    kinds_unhandled,
    stats_series,
    stats,
    database,
    top,
    doctor,
    maintain,
    migrate_status,
    migrate_up,
    migrate_verify,
    migrate_check,
    migrate_sql,
    migrate_adopt,
    config_validate,
    config_show,
    config_schema,
    config_init,
    context_list,
    context_use,
    context_set,
    context_delete,
    api,
    man,
    completion,
    version,
    help,
};

/// What a verb may do at its worst. none: reads only. mild: asks nothing. moderate: asks y/N.
/// severe: asks for a name to be typed.
enum class danger { none, mild, moderate, severe };

/// How a value is written. Everything but `text` is checked before the verb starts.
enum class value_type {
    none,  ///< a flag without value
    text,
    integer,            ///< from `least` to `most`
    duration,           ///< 250ms, 30s, 1h30m
    optional_duration,  ///< --flag or --flag=30s
    instant,            ///< 2026-01-31T08:00:00Z, with zone
    past,               ///< an instant, or a duration ago
    rate,               ///< 50/s, 10/m, 1/h
    states,             ///< job states, comma separated
    uuid,
    format,  ///< an output format
    when,    ///< auto, always, never
    zone,    ///< Europe/Berlin
};

class flag {
   public:
    std::string_view name;
    char letter{'\0'};
    value_type type{value_type::none};
    std::string_view metavar{};
    std::string_view doc{};
    bool repeated{false};
    std::int64_t least{1};
    std::int64_t most{std::numeric_limits<std::int64_t>::max()};
};

enum class arity { one, optional, at_least_one, any };

class argument {
   public:
    std::string_view name;
    arity count{arity::one};
    /// text, or integer for ids
    value_type type{value_type::text};
    std::string_view doc{};
};

class command {
   public:
    verb id;
    /// `jobs` of `jobs list`, `webhooks endpoints` of three words; empty for a command of one word.
    std::string_view group{};
    std::string_view name;
    std::string_view summary;  ///< one line, no full stop
    std::string_view doc{};    ///< paragraphs
    std::span<const argument> arguments{};
    std::span<const flag> flags{};
    std::span<const std::string_view> examples{};
    std::string_view columns{};  ///< what `-o table` shows of a list; empty: all
    danger risk{danger::none};
};

class command_group {
   public:
    std::string_view name;
    std::string_view summary;
};

/// In the order in which help shows them.
[[nodiscard]] std::span<const command> commands() noexcept;
[[nodiscard]] std::span<const command_group> command_groups() noexcept;
/// Accepted before and after every command.
[[nodiscard]] std::span<const flag> global_flags() noexcept;

[[nodiscard]] const command& find_command(verb id) noexcept;
/// Null when there is none.
[[nodiscard]] const command* find_command(std::string_view group, std::string_view name) noexcept;
[[nodiscard]] bool is_group(std::string_view name) noexcept;

}  // namespace qctl
