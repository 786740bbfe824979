#include <libqueue/effect.hpp>
#include <libqueue/job_context.hpp>
#include <libqueue/observer.hpp>
#include <libqueue/outcome.hpp>
#include <libqueue/worker.hpp>

// The words for the worker side's enumerations: those of logs, metrics and the SQL API.

namespace libqueue {

std::string_view to_string(outcome::type type) noexcept {
    switch (type) {
        case outcome::type::completed:
            return "completed";
        case outcome::type::retry:
            return "retry";
        case outcome::type::snooze:
            return "snooze";
        case outcome::type::discard:
            return "discard";
        case outcome::type::cancelled:
            return "cancelled";
        case outcome::type::unknown:
            return "unknown";
    }
    return "invalid";
}

std::string_view to_string(stop_reason reason) noexcept {
    switch (reason) {
        case stop_reason::none:
            return "none";
        case stop_reason::cancelled:
            return "cancelled";
        case stop_reason::timeout:
            return "timeout";
        case stop_reason::lease_lost:
            return "lease_lost";
        case stop_reason::shutdown:
            return "shutdown";
    }
    return "invalid";
}

std::string_view to_string(log_level level) noexcept {
    switch (level) {
        case log_level::debug:
            return "debug";
        case log_level::info:
            return "info";
        case log_level::warning:
            return "warning";
        case log_level::error:
            return "error";
    }
    return "invalid";
}

std::string_view to_string(effect_state state) noexcept {
    switch (state) {
        case effect_state::begun:
            return "begun";
        case effect_state::committed:
            return "committed";
        case effect_state::unknown:
            return "unknown";
    }
    return "invalid";
}

std::string_view to_string(on_lost policy) noexcept {
    switch (policy) {
        case on_lost::retry:
            return "retry";
        case on_lost::dead:
            return "dead";
        case on_lost::hold:
            return "hold";
        case on_lost::reconcile:
            return "reconcile";
    }
    return "invalid";
}

std::optional<on_lost> parse_on_lost(std::string_view text) noexcept {
    for (const on_lost policy :
         {on_lost::retry, on_lost::dead, on_lost::hold, on_lost::reconcile}) {
        if (text == to_string(policy)) {
            return policy;
        }
    }
    return std::nullopt;
}

std::string_view to_string(event_type type) noexcept {
    switch (type) {
        case event_type::worker_started:
            return "worker_started";
        case event_type::worker_ready:
            return "worker_ready";
        case event_type::worker_lost:
            return "worker_lost";
        case event_type::worker_draining:
            return "worker_draining";
        case event_type::worker_asked:
            return "worker_asked";
        case event_type::worker_dismissed:
            return "worker_dismissed";
        case event_type::worker_stopped:
            return "worker_stopped";
        case event_type::database_lost:
            return "database_lost";
        case event_type::database_back:
            return "database_back";
        case event_type::job_started:
            return "job_started";
        case event_type::job_finished:
            return "job_finished";
        case event_type::job_timed_out:
            return "job_timed_out";
        case event_type::job_dead:
            return "job_dead";
        case event_type::lease_lost:
            return "lease_lost";
        case event_type::jobs_rescued:
            return "jobs_rescued";
        case event_type::suspects_waiting:
            return "suspects_waiting";
        case event_type::suspects_cleared:
            return "suspects_cleared";
        case event_type::job_cancel_asked:
            return "job_cancel_asked";
        case event_type::schema_migrated:
            return "schema_migrated";
        case event_type::output_unstorable:
            return "output_unstorable";
        case event_type::internal_error:
            return "internal_error";
        case event_type::schedules_fired:
            return "schedules_fired";
        case event_type::batches_ended:
            return "batches_ended";
        case event_type::batch_callback_failed:
            return "batch_callback_failed";
        case event_type::schedule_failed:
            return "schedule_failed";
        case event_type::server_unsafe:
            return "server_unsafe";
        case event_type::audit_anchor:
            return "audit_anchor";
        case event_type::key_missing:
            return "key_missing";
        case event_type::jobs_claimed:
            return "jobs_claimed";
        case event_type::job_measured:
            return "job_measured";
        case event_type::call_made:
            return "call_made";
    }
    return "invalid";
}

}  // namespace libqueue
