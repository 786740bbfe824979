#include "engine/statements.hpp"

#include "pg/schema_name.hpp"

#include <sql/admit_keys.hpp>
#include <sql/assert_recorded.hpp>
#include <sql/assign_limits.hpp>
#include <sql/audit_anchor.hpp>
#include <sql/bury.hpp>
#include <sql/check_server.hpp>
#include <sql/claim.hpp>
#include <sql/claim_limited.hpp>
#include <sql/claim_strays.hpp>
#include <sql/count_completed.hpp>
#include <sql/deregister_worker.hpp>
#include <sql/effect_abandon.hpp>
#include <sql/effect_begin.hpp>
#include <sql/effect_commit.hpp>
#include <sql/effect_resolve.hpp>
#include <sql/ensure_queue.hpp>
#include <sql/find_cancel_requests.hpp>
#include <sql/find_finished.hpp>
#include <sql/find_strays.hpp>
#include <sql/find_suspects.hpp>
#include <sql/finish_completed.hpp>
#include <sql/finish_other.hpp>
#include <sql/fire_schedules.hpp>
#include <sql/fold_batches.hpp>
#include <sql/forgotten_leases.hpp>
#include <sql/heartbeat.hpp>
#include <sql/hold_slots.hpp>
#include <sql/last_checkpoint.hpp>
#include <sql/leave_to_handler.hpp>
#include <sql/list_lines.hpp>
#include <sql/list_liveness.hpp>
#include <sql/list_owed.hpp>
#include <sql/lock_dead_worker.hpp>
#include <sql/lock_leases.hpp>
#include <sql/next_due.hpp>
#include <sql/note_reports.hpp>
#include <sql/prune_archives.hpp>
#include <sql/prune_jobs.hpp>
#include <sql/prune_keys.hpp>
#include <sql/prune_limits.hpp>
#include <sql/prune_side_tables.hpp>
#include <sql/publish_kind.hpp>
#include <sql/publish_limit.hpp>
#include <sql/put_checkpoint.hpp>
#include <sql/put_job_log.hpp>
#include <sql/put_progress.hpp>
#include <sql/register_worker.hpp>
#include <sql/release_leases.hpp>
#include <sql/return_unstarted.hpp>
#include <sql/run_operations.hpp>
#include <sql/set_doorbells.hpp>
#include <sql/set_kind_keeping.hpp>
#include <sql/set_queue_retention.hpp>
#include <sql/set_up_finish.hpp>
#include <sql/settle.hpp>
#include <sql/take_session_lock.hpp>
#include <sql/tell_suspects.hpp>

namespace libqueue::engine {
namespace {

pg::prepared write(const char* name, std::string_view sql, std::string_view schema) {
    return pg::prepared{name, pg::with_schema(sql, schema)};
}

}  // namespace

statements::statements(std::string_view schema)
    : admit_keys{write("admit_keys", sql::admit_keys, schema)},
      assert_recorded{write("assert_recorded", sql::assert_recorded, schema)},
      assign_limits{write("assign_limits", sql::assign_limits, schema)},
      audit_anchor{write("audit_anchor", sql::audit_anchor, schema)},
      bury{write("bury", sql::bury, schema)},
      check_server{write("check_server", sql::check_server, schema)},
      claim{write("claim", sql::claim, schema)},
      claim_limited{write("claim_limited", sql::claim_limited, schema)},
      claim_strays{write("claim_strays", sql::claim_strays, schema)},
      count_completed{write("count_completed", sql::count_completed, schema)},
      deregister_worker{write("deregister_worker", sql::deregister_worker, schema)},
      effect_abandon{write("effect_abandon", sql::effect_abandon, schema)},
      effect_begin{write("effect_begin", sql::effect_begin, schema)},
      effect_commit{write("effect_commit", sql::effect_commit, schema)},
      effect_resolve{write("effect_resolve", sql::effect_resolve, schema)},
      ensure_queue{write("ensure_queue", sql::ensure_queue, schema)},
      find_cancel_requests{write("find_cancel_requests", sql::find_cancel_requests, schema)},
      find_finished{write("find_finished", sql::find_finished, schema)},
      find_strays{write("find_strays", sql::find_strays, schema)},
      find_suspects{write("find_suspects", sql::find_suspects, schema)},
      finish_completed{write("finish_completed", sql::finish_completed, schema)},
      finish_other{write("finish_other", sql::finish_other, schema)},
      fire_schedules{write("fire_schedules", sql::fire_schedules, schema)},
      fold_batches{write("fold_batches", sql::fold_batches, schema)},
      forgotten_leases{write("forgotten_leases", sql::forgotten_leases, schema)},
      heartbeat{write("heartbeat", sql::heartbeat, schema)},
      hold_slots{write("hold_slots", sql::hold_slots, schema)},
      last_checkpoint{write("last_checkpoint", sql::last_checkpoint, schema)},
      leave_to_handler{write("leave_to_handler", sql::leave_to_handler, schema)},
      list_lines{write("list_lines", sql::list_lines, schema)},
      list_liveness{write("list_liveness", sql::list_liveness, schema)},
      list_owed{write("list_owed", sql::list_owed, schema)},
      lock_dead_worker{write("lock_dead_worker", sql::lock_dead_worker, schema)},
      lock_leases{write("lock_leases", sql::lock_leases, schema)},
      next_due{write("next_due", sql::next_due, schema)},
      note_reports{write("note_reports", sql::note_reports, schema)},
      prune_archives{write("prune_archives", sql::prune_archives, schema)},
      prune_jobs{write("prune_jobs", sql::prune_jobs, schema)},
      prune_keys{write("prune_keys", sql::prune_keys, schema)},
      prune_limits{write("prune_limits", sql::prune_limits, schema)},
      prune_side_tables{write("prune_side_tables", sql::prune_side_tables, schema)},
      publish_kind{write("publish_kind", sql::publish_kind, schema)},
      publish_limit{write("publish_limit", sql::publish_limit, schema)},
      put_checkpoint{write("put_checkpoint", sql::put_checkpoint, schema)},
      put_job_log{write("put_job_log", sql::put_job_log, schema)},
      put_progress{write("put_progress", sql::put_progress, schema)},
      register_worker{write("register_worker", sql::register_worker, schema)},
      release_leases{write("release_leases", sql::release_leases, schema)},
      return_unstarted{write("return_unstarted", sql::return_unstarted, schema)},
      run_operations{write("run_operations", sql::run_operations, schema)},
      set_doorbells{write("set_doorbells", sql::set_doorbells, schema)},
      set_kind_keeping{write("set_kind_keeping", sql::set_kind_keeping, schema)},
      set_queue_retention{write("set_queue_retention", sql::set_queue_retention, schema)},
      set_up_finish{write("set_up_finish", sql::set_up_finish, schema)},
      settle{write("settle", sql::settle, schema)},
      take_session_lock{write("take_session_lock", sql::take_session_lock, schema)},
      tell_suspects{write("tell_suspects", sql::tell_suspects, schema)} {}

}  // namespace libqueue::engine
