#include "logging/job_log.hpp"

#include <utility>
#include <vector>

namespace workerd {

namespace {

log_level level_of_finish(libqueue::outcome::type kind, bool every_job) {
    const auto quiet = every_job ? log_level::info : log_level::debug;
    switch (kind) {
        case libqueue::outcome::type::completed:
        case libqueue::outcome::type::snooze:
            return quiet;
        case libqueue::outcome::type::cancelled:
            return log_level::info;
        case libqueue::outcome::type::retry:
        case libqueue::outcome::type::discard:
        case libqueue::outcome::type::unknown:
            return log_level::warn;
    }
    return log_level::warn;
}

struct line_style {
    log_level level;
    std::string_view message;
};

line_style style_of(const libqueue::event& e, bool every_job) {
    switch (e.type) {
        case libqueue::event_type::worker_started:
            return {log_level::info, "registered in the database"};
        case libqueue::event_type::worker_ready:
            return {log_level::info, "claiming jobs"};
        case libqueue::event_type::worker_lost:
            return {log_level::error, "declared dead by other workers; starting afresh"};
        case libqueue::event_type::worker_draining:
            return {log_level::info, "draining: claiming no more"};
        case libqueue::event_type::worker_asked:
            return {log_level::info, "an operator asks this worker"};
        case libqueue::event_type::worker_dismissed:
            return {log_level::info, "an operator asked this worker to leave"};
        case libqueue::event_type::worker_stopped:
            return {log_level::info, "stopped"};
        case libqueue::event_type::database_lost:
            return {log_level::warn, "database unreachable; trying again"};
        case libqueue::event_type::database_back:
            return {log_level::info, "database reachable again"};
        case libqueue::event_type::job_started:
            return {every_job ? log_level::info : log_level::debug, "job started"};
        case libqueue::event_type::job_finished:
            return {level_of_finish(e.outcome, every_job), "job finished"};
        case libqueue::event_type::job_timed_out:
            return {log_level::warn, "job timed out"};
        case libqueue::event_type::job_dead:
            return {log_level::error, "job is a dead letter"};
        case libqueue::event_type::lease_lost:
            return {log_level::warn, "finish refused: another worker owns the job"};
        case libqueue::event_type::jobs_rescued:
            return {log_level::warn, "jobs of a dead worker rescued"};
        case libqueue::event_type::suspects_waiting:
            return {log_level::debug, "jobs that lost their worker wait to run apart"};
        case libqueue::event_type::suspects_cleared:
            return {log_level::debug, "no job that lost its worker is left"};
        case libqueue::event_type::job_cancel_asked:
            return {log_level::info, "running job asked to stop"};
        case libqueue::event_type::schema_migrated:
            return {log_level::info, "migrations applied"};
        case libqueue::event_type::output_unstorable:
            return {log_level::warn, "output or error text had to be made storable"};
        case libqueue::event_type::internal_error:
            return {log_level::error, "a loop failed and goes on"};
        case libqueue::event_type::schedules_fired:
            return {log_level::debug, "schedules fired"};
        case libqueue::event_type::batches_ended:
            return {log_level::debug, "batches ended"};
        case libqueue::event_type::batch_callback_failed:
            return {log_level::error, "a callback of a batch could not be enqueued"};
        case libqueue::event_type::schedule_failed:
            return {log_level::error, "a schedule could not fire"};
        case libqueue::event_type::server_unsafe:
            return {log_level::warn, "the database server may lose what it acknowledged"};
        case libqueue::event_type::audit_anchor:
            return {log_level::info, "head of the audit"};
        case libqueue::event_type::key_missing:
            return {log_level::error, "a key of an encrypted job is missing"};
        case libqueue::event_type::jobs_claimed:
        case libqueue::event_type::job_measured:
        case libqueue::event_type::call_made:
            break;  // for counters alone
    }
    return {log_level::warn, "unknown event"};
}

bool is_for_people(libqueue::event_type type) {
    return type != libqueue::event_type::jobs_claimed &&
           type != libqueue::event_type::job_measured && type != libqueue::event_type::call_made;
}

bool is_finish(const libqueue::event& e) {
    return e.type == libqueue::event_type::job_finished ||
           e.type == libqueue::event_type::job_timed_out;
}

void add_job(const libqueue::event& e, std::vector<log_field>& fields) {
    fields.emplace_back("job_id", e.job->id);
    fields.emplace_back("kind", e.job->kind);
    fields.emplace_back("queue", e.job->queue);
    fields.emplace_back("attempt", e.job->attempt);
}

std::string_view code_of(const libqueue::event& e) {
    return is_finish(e) ? libqueue::to_string(e.outcome) : libqueue::to_string(e.type);
}

}  // namespace

repeat_limit::verdict repeat_limit::take(std::chrono::steady_clock::time_point now) {
    verdict answer;
    if (now - second_ >= std::chrono::seconds{1}) {
        answer.held_back = count_ > per_second_ ? count_ - per_second_ : 0;
        second_ = now;
        count_ = 0;
    }
    answer.allowed = ++count_ <= per_second_;
    return answer;
}

bool job_log::wants_every_job() const noexcept {
    return every_job_ || log_.enabled(log_level::debug);
}

void job_log::on_event(const libqueue::event& e) noexcept {
    if (!is_for_people(e.type))
        return;
    try {
        write(e);
    } catch (const std::exception&) {
        // Out of memory while formatting: losing a line is better than losing the worker.
    }
}

bool job_log::passes_limit(const libqueue::event& e) {
    // Only what comes once per job can flood.
    if (e.job == nullptr)
        return true;
    auto& limit = limits_.at(static_cast<std::size_t>(e.type));
    const auto verdict = limit.take(std::chrono::steady_clock::now());
    if (verdict.held_back > 0)
        log_.warn("log_held_back", "too many lines of one event; some were not written",
                  {{"of", libqueue::to_string(e.type)}, {"count", verdict.held_back}});
    return verdict.allowed;
}

void job_log::write(const libqueue::event& e) {
    const auto style = style_of(e, every_job_);
    if (!log_.enabled(style.level) || !passes_limit(e))
        return;

    std::vector<log_field> fields;
    if (e.job != nullptr)
        add_job(e, fields);
    if (e.worker != 0)
        fields.emplace_back("worker", e.worker);
    if (e.other_worker != 0)
        fields.emplace_back("other_worker", e.other_worker);
    if (is_finish(e))
        fields.emplace_back("outcome", libqueue::to_string(e.outcome));
    if (e.count != 0)
        fields.emplace_back("count", e.count);
    if (e.duration.count() != 0)
        fields.emplace_back("dur_ms", static_cast<double>(e.duration.count()) / 1000.0);
    if (e.waited.count() != 0)
        fields.emplace_back("waited_ms", static_cast<double>(e.waited.count()) / 1000.0);
    if (!e.message.empty()) {
        fields.emplace_back("err.code", code_of(e));
        fields.emplace_back("err.msg", e.message);
    }
    log_.write(style.level, libqueue::to_string(e.type), style.message, fields);
}

}  // namespace workerd
