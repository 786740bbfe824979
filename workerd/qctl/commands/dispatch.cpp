#include "commands/commands.hpp"

namespace qctl {

// No default: a verb of the table without a function is a compiler warning, hence an error.
exit_code run_verb(context& with) {
    switch (with.call.leaf->id) {
        case verb::enqueue:
            return with.call.has("bulk") ? run_enqueue_bulk(with) : run_enqueue(with);
        case verb::jobs_list:
            return run_jobs_list(with);
        case verb::jobs_show:
            return run_jobs_show(with);
        case verb::jobs_explain:
            return run_jobs_explain(with);
        case verb::jobs_wait:
            return run_jobs_wait(with);
        case verb::jobs_retry:
            return run_jobs_retry(with);
        case verb::jobs_cancel:
            return run_jobs_cancel(with);
        case verb::dlq_list:
            return run_dlq_list(with);
        case verb::dlq_show:
            return run_dlq_show(with);
        case verb::dlq_groups:
            return run_dlq_groups(with);
        case verb::dlq_replay:
            return run_dlq_replay(with);
        case verb::dlq_discard:
            return run_dlq_discard(with);
        case verb::dlq_export:
            return run_dlq_export(with);
        case verb::dlq_stats:
            return run_dlq_stats(with);
        case verb::queues_list:
            return run_queues_list(with);
        case verb::queues_show:
            return run_queues_show(with);
        case verb::queues_create:
            return run_queues_create(with);
        case verb::queues_pause:
            return run_queues_pause(with);
        case verb::queues_resume:
            return run_queues_resume(with);
        case verb::queues_drain:
            return run_queues_drain(with);
        case verb::queues_purge:
            return run_queues_purge(with);
        case verb::workers_list:
            return run_workers_list(with);
        case verb::kinds_unhandled:
            return run_kinds_unhandled(with);
        case verb::stats:
            return run_stats(with);
        case verb::maintain:
            return run_maintain(with);
        case verb::migrate_status:
            return run_migrate_status(with);
        case verb::migrate_up:
            return run_migrate_up(with);
        case verb::migrate_verify:
            return run_migrate_verify(with);
        case verb::migrate_check:
            return run_migrate_check(with);
        case verb::migrate_sql:
            return run_migrate_sql(with);
        case verb::version:
            return run_version(with);
        case verb::help:
            return run_help(with);
    }
    return exit_code::failed;
}

}  // namespace qctl
