#include "store/archive_store.hpp"

#include "core/limits.hpp"
#include "core/text.hpp"
#include "pg/schema_name.hpp"
#include "store/new_job_check.hpp"
#include "store/sql_text.hpp"

#include <sql/count_archived_jobs.hpp>
#include <sql/erase_subject.hpp>
#include <sql/list_archived_jobs.hpp>
#include <sql/list_archives.hpp>
#include <sql/list_erasures.hpp>
#include <sql/remove_archived_jobs.hpp>
#include <sql/remove_old_archived_jobs.hpp>
#include <sql/set_archive.hpp>
#include <sql/set_archive_retention.hpp>

#include <algorithm>

namespace libqueue::store {
namespace {

pg::result run(const session& with, std::string_view sql, const pg::params& parameters = {}) {
    return with.on.exec(pg::with_schema(sql, with.schema), parameters);
}

[[noreturn]] void refuse(std::string message) {
    throw domain_failure{error{errc::invalid_argument, std::move(message)}};
}

/// What PostgreSQL cannot even be asked; the rest it checks itself.
void add_text(pg::params& to, const char* argument, std::string_view value) {
    if (!core::is_storable_text(value)) {
        refuse(std::string{argument} + ": expected UTF-8 without NUL, got other bytes");
    }
    to.text(value);
}

void add_text(pg::params& to, const char* argument, const std::optional<std::string>& value) {
    if (value) {
        add_text(to, argument, std::string_view{*value});
    } else {
        to.null();
    }
}

void add_tenant(pg::params& to, const std::optional<std::string>& tenant) {
    if (tenant && !is_uuid(*tenant)) {
        refuse("tenant_id: expected a UUID, got something else");
    }
    to.text(tenant);
}

void add_limit(pg::params& to, int limit) {
    if (limit < 1 || limit > limits::list_rows_max) {
        refuse("limit: expected 1 to 10000, got " + std::to_string(limit));
    }
    to.number(limit);
}

std::optional<std::int64_t> optional_count(const pg::result& row, int column) {
    return row.is_null(0, column) ? std::nullopt : std::optional{row.int64(0, column)};
}

}  // namespace

void set_archive(const session& with, std::string_view kind,
                 const std::optional<std::string>& archive) {
    pg::params to;
    add_text(to, "kind", kind);
    add_text(to, "archive", archive);
    run(with, sql::set_archive, to);
}

void set_archive_retention(const session& with, std::string_view archive,
                           const std::optional<std::chrono::milliseconds>& retention) {
    pg::params to;
    add_text(to, "archive", archive);
    retention ? to.number(retention->count()) : to.null();
    run(with, sql::set_archive_retention, to);
}

pg::result list_archives(const session& with) {
    return run(with, sql::list_archives);
}

pg::result list_archived_jobs(const session& with, const archived_filter& filter) {
    pg::params to;
    add_text(to, "archive", std::string_view{filter.archive});
    filter.after ? to.number(*filter.after) : to.null();
    to.text(time_text(filter.before));
    add_text(to, "kind", filter.kind);
    add_limit(to, filter.limit);
    to.number(std::max<std::int64_t>(filter.bytes, 1));
    return run(with, sql::list_archived_jobs, to);
}

std::optional<std::int64_t> count_archived_jobs(const session& with,
                                                const archived_filter& filter) {
    pg::params to;
    add_text(to, "archive", std::string_view{filter.archive});
    to.text(time_text(filter.before));
    add_text(to, "kind", filter.kind);
    const pg::result found = run(with, sql::count_archived_jobs, to);
    return found.rows() == 0 ? std::nullopt : std::optional{found.int64(0, 0)};
}

std::int64_t remove_archived_jobs(const session& with, std::string_view archive,
                                  std::span<const job_id> ids) {
    if (ids.size() > static_cast<std::size_t>(limits::list_rows_max)) {
        refuse("ids: expected at most 10000, got " + std::to_string(ids.size()));
    }
    pg::params to;
    add_text(to, "archive", archive);
    to.int8_array(ids);
    return run(with, sql::remove_archived_jobs, to).int64(0, 0);
}

std::int64_t remove_old_archived_jobs(const session& with, std::string_view archive,
                                      time_point before, int limit) {
    pg::params to;
    add_text(to, "archive", archive);
    to.text(time_text(before)).number(limit);
    return run(with, sql::remove_old_archived_jobs, to).int64(0, 0);
}

erasure erase_subject(const session& with, const erasure_request& request) {
    pg::params to;
    add_text(to, "subject", std::string_view{request.subject});
    add_tenant(to, request.tenant_id);
    add_text(to, "reason", request.reason);
    to.boolean(request.dry_run);
    const pg::result row = run(with, sql::erase_subject, to);
    erasure found;
    found.id = optional_count(row, 0);
    found.jobs = row.int64(0, 1);
    found.attempts = row.int64(0, 2);
    found.dead_letters = row.int64(0, 3);
    found.archived = row.int64(0, 4);
    found.keys = optional_count(row, 5);
    found.cancelled = row.int64(0, 6);
    found.running = row.int64(0, 7);
    return found;
}

pg::result list_erasures(const session& with, int limit) {
    pg::params to;
    add_limit(to, limit);
    return run(with, sql::list_erasures, to);
}

}  // namespace libqueue::store
