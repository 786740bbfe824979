#include "store/search_store.hpp"

#include "pg/schema_name.hpp"
#include "store/arguments.hpp"
#include "store/sql_text.hpp"

#include <sql/cancel_operation.hpp>
#include <sql/clone_job.hpp>
#include <sql/count_jobs.hpp>
#include <sql/count_operation.hpp>
#include <sql/create_operation.hpp>
#include <sql/explain_job_further.hpp>
#include <sql/find_dead_letters.hpp>
#include <sql/find_jobs.hpp>
#include <sql/job_lineage.hpp>
#include <sql/list_failure_groups.hpp>
#include <sql/list_filter_values.hpp>
#include <sql/list_operations.hpp>
#include <sql/list_tables.hpp>
#include <sql/note_failure_group.hpp>
#include <sql/retry_edited.hpp>
#include <sql/set_objective.hpp>
#include <sql/show_database.hpp>
#include <sql/show_job.hpp>
#include <sql/show_operation.hpp>
#include <sql/show_overview.hpp>
#include <sql/snooze_job.hpp>

#include <chrono>

namespace libqueue::store {
namespace {

constexpr double thousand{1e3};

pg::result run(const session& with, std::string_view sql, const pg::params& parameters = {}) {
    return with.on.exec(pg::with_schema(sql, with.schema), parameters);
}

[[nodiscard]] pg::params one_id(std::int64_t id) {
    pg::params to;
    to.number(id);
    return to;
}

[[nodiscard]] pg::params page_of(const filter& which, const std::optional<std::string>& behind,
                                 int limit) {
    pg::params to;
    to.text(which.json());
    add_text(to, "cursor", behind);
    add_limit(to, limit);
    return to;
}

[[nodiscard]] bounded_count count_in(const pg::result& row) {
    bounded_count counted;
    counted.count = row.int64(0, 0);
    counted.exact = row.optional_text(0, 1) == "t";
    return counted;
}

void add_seconds(pg::params& to, const std::optional<double>& seconds) {
    seconds ? to.text(std::to_string(*seconds)) : to.null();
}

}  // namespace

pg::result find_jobs(const session& with, const filter& which,
                     const std::optional<std::string>& behind, int limit) {
    return run(with, sql::find_jobs, page_of(which, behind, limit));
}

pg::result find_dead_letters(const session& with, const filter& which,
                             const std::optional<std::string>& behind, int limit) {
    filter dead = which;
    dead.terms.push_back(*parse_filter("state:dead")->terms.begin());
    return run(with, sql::find_dead_letters, page_of(dead, behind, limit));
}

bounded_count count_jobs(const session& with, const filter& which, int most) {
    constexpr int most_max = 100'000;
    if (most < 1 || most > most_max) {
        refuse("most: expected 1 to 100000, got " + std::to_string(most));
    }
    pg::params to;
    to.text(which.json()).number(most);
    return count_in(run(with, sql::count_jobs, to));
}

pg::result list_filter_values(const session& with, std::string_view field, std::string_view begun,
                              int limit) {
    pg::params to;
    to.text(field);
    add_text(to, "text", begun);
    to.number(limit);
    return run(with, sql::list_filter_values, to);
}

pg::result show_job(const session& with, job_id id) {
    return run(with, sql::show_job, one_id(id));
}

pg::result explain_job_further(const session& with, job_id id) {
    return run(with, sql::explain_job_further, one_id(id));
}

pg::result job_lineage(const session& with, job_id id) {
    return run(with, sql::job_lineage, one_id(id));
}

void snooze_job(const session& with, job_id id, time_point until) {
    pg::params to = one_id(id);
    to.text(time_text(until));
    run(with, sql::snooze_job, to);
}

job_id clone_job(const session& with, job_id id, const clone_changes& changes) {
    pg::params to = one_id(id);
    if (changes.payload) {
        add_json(to, *changes.payload);
    } else {
        to.null();
    }
    to.text(time_text(changes.run_at));
    add_number(to, changes.priority);
    return run(with, sql::clone_job, to).int64(0, 0);
}

job_id retry_edited(const session& with, job_id id, const std::string& payload) {
    pg::params to = one_id(id);
    add_json(to, payload);
    return run(with, sql::retry_edited, to).int64(0, 0);
}

pg::result list_failure_groups(const session& with, const filter& which, time_point since,
                               int buckets, int limit) {
    pg::params to;
    to.text(which.json()).text(time_text(since)).number(buckets);
    add_limit(to, limit);
    return run(with, sql::list_failure_groups, to);
}

void note_failure_group(const session& with, std::string_view fingerprint,
                        const std::optional<std::string>& note, bool muted) {
    pg::params to;
    add_text(to, "fingerprint", fingerprint);
    add_text(to, "note", note);
    to.text(muted ? "true" : "false");
    run(with, sql::note_failure_group, to);
}

bounded_count count_operation(const session& with, bulk_action action, const filter& which) {
    pg::params to;
    to.text(to_string(action)).text(which.json());
    return count_in(run(with, sql::count_operation, to));
}

std::int64_t create_operation(const session& with, const new_bulk& wanted) {
    pg::params to;
    to.text(to_string(wanted.action)).text(wanted.which.json()).text(wanted.which.text());
    add_seconds(to, wanted.per_second);
    add_text(to, "reason", wanted.reason);
    add_seconds(to, static_cast<double>(wanted.undo.count()) / thousand);
    return run(with, sql::create_operation, to).int64(0, 0);
}

pg::result list_operations(const session& with, bool unfinished_only,
                           const std::optional<std::int64_t>& before, int limit) {
    pg::params to;
    to.text(unfinished_only ? "true" : "false");
    add_number(to, before);
    add_limit(to, limit);
    return run(with, sql::list_operations, to);
}

pg::result show_operation(const session& with, std::int64_t operation) {
    return run(with, sql::show_operation, one_id(operation));
}

void cancel_operation(const session& with, std::int64_t operation) {
    run(with, sql::cancel_operation, one_id(operation));
}

pg::result show_overview(const session& with) {
    return run(with, sql::show_overview);
}

pg::result show_database(const session& with) {
    return run(with, sql::show_database);
}

pg::result list_tables(const session& with) {
    return run(with, sql::list_tables);
}

void set_objective(const session& with, std::string_view queue,
                   const std::optional<double>& seconds) {
    pg::params to;
    add_text(to, "queue", queue);
    add_seconds(to, seconds);
    run(with, sql::set_objective, to);
}

}  // namespace libqueue::store
