#pragma once

#include "pg/pipeline.hpp"

#include <string>
#include <string_view>

namespace libqueue::engine {

/// The engine's statements, written for one schema. At one address while pipelines use them.
class statements {
   public:
    explicit statements(std::string_view schema);
    statements(const statements&) = delete;
    statements& operator=(const statements&) = delete;

    pg::prepared admit_keys;
    pg::prepared assert_recorded;
    pg::prepared assign_limits;
    pg::prepared audit_anchor;
    pg::prepared bury;
    pg::prepared check_server;
    pg::prepared claim;
    pg::prepared claim_limited;
    pg::prepared claim_strays;
    pg::prepared count_completed;
    pg::prepared deregister_worker;
    pg::prepared effect_abandon;
    pg::prepared effect_begin;
    pg::prepared effect_commit;
    pg::prepared effect_resolve;
    pg::prepared ensure_queue;
    pg::prepared find_cancel_requests;
    pg::prepared find_finished;
    pg::prepared find_strays;
    pg::prepared find_suspects;
    pg::prepared finish_completed;
    pg::prepared finish_other;
    pg::prepared fire_schedules;
    pg::prepared fold_batches;
    pg::prepared forgotten_leases;
    pg::prepared heartbeat;
    pg::prepared hold_slots;
    pg::prepared last_checkpoint;
    pg::prepared leave_to_handler;
    pg::prepared list_lines;
    pg::prepared list_liveness;
    pg::prepared list_owed;
    pg::prepared lock_dead_worker;
    pg::prepared lock_leases;
    pg::prepared next_due;
    pg::prepared note_reports;
    pg::prepared prune_archives;
    pg::prepared prune_jobs;
    pg::prepared prune_keys;
    pg::prepared prune_limits;
    pg::prepared prune_side_tables;
    pg::prepared publish_kind;
    pg::prepared publish_limit;
    pg::prepared put_checkpoint;
    pg::prepared put_job_log;
    pg::prepared put_progress;
    pg::prepared register_worker;
    pg::prepared release_leases;
    pg::prepared return_unstarted;
    pg::prepared run_operations;
    pg::prepared set_doorbells;
    pg::prepared set_kind_keeping;
    pg::prepared set_queue_retention;
    pg::prepared set_up_finish;
    pg::prepared settle;
    pg::prepared take_session_lock;
    pg::prepared tell_suspects;
};

}  // namespace libqueue::engine
