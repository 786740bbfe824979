#include "store/operator_store.hpp"

#include "core/limits.hpp"
#include "core/text.hpp"
#include "pg/schema_name.hpp"
#include "store/host_name.hpp"
#include "store/new_job_check.hpp"
#include "store/sql_text.hpp"

#include <sql/ask_worker.hpp>
#include <sql/count_dead_letters.hpp>
#include <sql/count_outstanding.hpp>
#include <sql/create_queue.hpp>
#include <sql/discard_dead_letters.hpp>
#include <sql/explain_job.hpp>
#include <sql/group_dead_letters.hpp>
#include <sql/list_attempts.hpp>
#include <sql/list_cures.hpp>
#include <sql/list_dead_jobs.hpp>
#include <sql/list_dead_letters.hpp>
#include <sql/list_jobs.hpp>
#include <sql/list_kinds.hpp>
#include <sql/list_queues.hpp>
#include <sql/list_running_jobs.hpp>
#include <sql/list_unhandled_kinds.hpp>
#include <sql/list_waiting_jobs.hpp>
#include <sql/list_workers.hpp>
#include <sql/next_dead_letters.hpp>
#include <sql/pause_queue.hpp>
#include <sql/prune_dead_letters.hpp>
#include <sql/purge_queue.hpp>
#include <sql/record_worker_end.hpp>
#include <sql/replay_dead_letters.hpp>
#include <sql/resume_queue.hpp>
#include <sql/show_queue.hpp>
#include <sql/show_stats.hpp>
#include <sql/show_worker.hpp>

#include <algorithm>

namespace libqueue::store {
namespace {

/// Of history, for the rates: 64 MiB, which bounds the time `stats` takes.
constexpr int history_pages{8'192};

pg::result run(const session& with, std::string_view sql, const pg::params& parameters = {}) {
    return with.on.exec(pg::with_schema(sql, with.schema), parameters);
}

[[noreturn]] void refuse(std::string message) {
    throw domain_failure{error{errc::invalid_argument, std::move(message)}};
}

/// Text of a filter: what PostgreSQL cannot store cannot be found either.
void add_text(pg::params& to, const char* name, const std::optional<std::string>& value) {
    if (value && !core::is_storable_text(*value)) {
        refuse(std::string{name} + ": expected UTF-8 without NUL, got other bytes");
    }
    to.text(value);
}

void add_tenant(pg::params& to, const std::optional<std::string>& tenant) {
    if (tenant && !is_uuid(*tenant)) {
        refuse("tenant_id: expected a UUID, got something else");
    }
    to.text(tenant);
}

void add_id(pg::params& to, const std::optional<job_id>& id) {
    id ? to.number(*id) : to.null();
}

void add_limit(pg::params& to, int limit) {
    if (limit < 1 || limit > limits::list_rows_max) {
        refuse("limit: expected 1 to 10000, got " + std::to_string(limit));
    }
    to.number(limit);
}

[[nodiscard]] pg::params job_parameters(const job_filter& filter) {
    pg::params to;
    if (filter.states.empty()) {
        to.null();
    } else {
        std::vector<std::string> states;
        for (const job_state state : filter.states) {
            states.emplace_back(to_string(state));
        }
        to.text_array(std::span<const std::string>{states});
    }
    add_text(to, "queue", filter.queue);
    add_text(to, "kind", filter.kind);
    add_tenant(to, filter.tenant_id);
    add_text(to, "tag", filter.tag);
    to.text(time_text(filter.since));
    add_id(to, filter.before);
    add_limit(to, filter.limit);
    return to;
}

/// $1 to $9 of all statements over dead letters.
[[nodiscard]] pg::params letter_parameters(const dead_letter_filter& filter) {
    pg::params to;
    filter.ids.empty() ? to.null() : to.int8_array(filter.ids);
    add_text(to, "queue", filter.queue);
    add_text(to, "kind", filter.kind);
    add_tenant(to, filter.tenant_id);
    add_text(to, "error", filter.error_like);
    add_text(to, "fingerprint", filter.fingerprint);
    to.text(time_text(filter.since));
    to.text(time_text(filter.until));
    add_id(to, filter.before);
    return to;
}

[[nodiscard]] pg::params one_text(std::string_view value) {
    pg::params to;
    to.text(value);
    return to;
}

[[nodiscard]] pg::params one_id(job_id id) {
    pg::params to;
    to.number(id);
    return to;
}

}  // namespace

pg::result list_jobs(const session& with, const job_filter& filter, int examine) {
    pg::params to = job_parameters(filter);
    to.number(examine);
    return run(with, sql::list_jobs, to);
}

pg::result list_waiting_jobs(const session& with, const job_filter& filter) {
    return run(with, sql::list_waiting_jobs, job_parameters(filter));
}

pg::result list_running_jobs(const session& with, const job_filter& filter) {
    return run(with, sql::list_running_jobs, job_parameters(filter));
}

pg::result list_dead_jobs(const session& with, const job_filter& filter) {
    return run(with, sql::list_dead_jobs, job_parameters(filter));
}

pg::result list_attempts(const session& with, job_id id) {
    return run(with, sql::list_attempts, one_id(id));
}

pg::result explain_job(const session& with, job_id id) {
    return run(with, sql::explain_job, one_id(id));
}

pg::result list_dead_letters(const session& with, const dead_letter_filter& filter) {
    pg::params to = letter_parameters(filter);
    add_limit(to, filter.limit);
    return run(with, sql::list_dead_letters, to);
}

pg::result group_dead_letters(const session& with, const dead_letter_filter& filter) {
    pg::params to = letter_parameters(filter);
    add_limit(to, filter.limit);
    return run(with, sql::group_dead_letters, to);
}

sweep count_dead_letters(const session& with, const dead_letter_filter& filter) {
    const pg::result row = run(with, sql::count_dead_letters, letter_parameters(filter));
    sweep all;
    all.total = row.int64(0, 0);
    all.last_id = row.is_null(0, 1) ? 0 : row.int64(0, 1);
    all.started_at = row.text(0, 2);
    return all;
}

std::vector<job_id> next_dead_letters(const session& with, const dead_letter_filter& filter,
                                      job_id after, job_id last) {
    pg::params to = letter_parameters(filter);
    to.number(after).number(last).number(limits::sweep_batch_max);
    const pg::result found = run(with, sql::next_dead_letters, to);
    std::vector<job_id> ids;
    ids.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) {
        ids.push_back(found.int64(row, 0));
    }
    return ids;
}

std::int64_t replay_dead_letters(const session& with, std::span<const job_id> ids,
                                 const replay_options& options, const sweep& all,
                                 std::int64_t done) {
    const double seconds = options.per_second > 0 ? 1.0 / options.per_second : 0.0;
    pg::params to;
    to.int8_array(ids).text(std::to_string(seconds)).text(all.started_at).number(done);
    to.text(options.payload).text(options.to_queue);
    return run(with, sql::replay_dead_letters, to).rows();
}

std::int64_t discard_dead_letters(const session& with, std::span<const job_id> ids) {
    pg::params to;
    to.int8_array(ids);
    return run(with, sql::discard_dead_letters, to).int64(0, 0);
}

std::int64_t prune_dead_letters(const session& with, std::chrono::seconds age) {
    pg::params to;
    to.number(std::max<std::int64_t>(0, age.count())).number(limits::sweep_batch_max).null();
    return run(with, sql::prune_dead_letters, to).affected();
}

pg::result list_queues(const session& with) {
    return run(with, sql::list_queues);
}

pg::result show_queue(const session& with, std::string_view queue) {
    return run(with, sql::show_queue, one_text(queue));
}

void create_queue(const session& with, std::string_view queue) {
    run(with, sql::create_queue, one_text(queue));
}

void pause_queue(const session& with, std::string_view queue, std::string_view reason) {
    pg::params to = one_text(queue);
    reason.empty() ? to.null() : to.text(core::storable_text(reason, limits::note_bytes));
    run(with, sql::pause_queue, to);
}

void resume_queue(const session& with, std::string_view queue) {
    run(with, sql::resume_queue, one_text(queue));
}

std::optional<outstanding_jobs> count_outstanding(const session& with, std::string_view queue) {
    const pg::result row = run(with, sql::count_outstanding, one_text(queue));
    if (row.rows() == 0) {
        return std::nullopt;
    }
    outstanding_jobs jobs;
    jobs.waiting = row.int64(0, 0);
    jobs.running = row.int64(0, 1);
    jobs.last_id = row.int64(0, 2);
    return jobs;
}

std::int64_t purge_queue(const session& with, std::string_view queue, job_id last) {
    pg::params to = one_text(queue);
    to.number(last).number(limits::sweep_batch_max);
    return run(with, sql::purge_queue, to).rows();
}

pg::result list_workers(const session& with) {
    return run(with, sql::list_workers);
}

pg::result show_worker(const session& with, std::int64_t worker) {
    return run(with, sql::show_worker, one_id(worker));
}

void ask_worker(const session& with, std::int64_t worker, std::string_view wish) {
    pg::params to = one_id(worker);
    to.text(wish);
    run(with, sql::ask_worker, to);
}

bool record_worker_end(const session& with, int pid, std::string_view how) {
    pg::params to = one_text(host_name());
    to.number(pid).text(core::storable_text(how, limits::note_bytes));
    return run(with, sql::record_worker_end, to).rows() > 0;
}

pg::result list_kinds(const session& with) {
    return run(with, sql::list_kinds);
}

pg::result list_unhandled_kinds(const session& with) {
    return run(with, sql::list_unhandled_kinds);
}

pg::result show_stats(const session& with) {
    pg::params to;
    to.number(history_pages);
    return run(with, sql::show_stats, to);
}

pg::result list_cures(const session& with, const cure_thresholds& many) {
    pg::params to;
    to.number(many.dead_rows).number(many.index_bytes);
    to.number(std::chrono::duration_cast<std::chrono::seconds>(many.snapshot_age).count());
    return run(with, sql::list_cures, to);
}

void run_cure(const session& with, const std::string& command) {
    with.on.exec_outside(command);
}

}  // namespace libqueue::store
