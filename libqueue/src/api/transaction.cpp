#include "api/as_result.hpp"
#include "pg/connection.hpp"
#include "pg/schema_name.hpp"
#include "store/job_store.hpp"
#include "store/new_job_check.hpp"

#include <libqueue/transaction.hpp>

namespace libqueue {
namespace {

/// A connection that our statements can run on, or why not.
[[nodiscard]] result<void> check_borrowed(pg_conn* raw, std::string_view schema) {
    if (raw == nullptr) {
        return error{errc::invalid_argument, "connection: expected one, got a null pointer"};
    }
    if (!pg::connection{raw}.idle()) {
        return error{errc::invalid_argument,
                     "connection: expected one that is between commands, got one that is busy or "
                     "in pipeline mode",
                     "Leave pipeline mode (PQexitPipelineMode) and read all results first."};
    }
    return pg::check_schema_name(schema);
}

}  // namespace

result<enqueued> enqueue(pg_conn* connection, const new_job& job, std::string_view schema) {
    if (auto usable = check_borrowed(connection, schema); usable.has_error()) {
        return usable.error();
    }
    if (auto valid = store::check_new_job(job); valid.has_error()) {
        return valid.error();
    }
    pg::connection on{connection};
    return api::as_result([&] { return store::enqueue(on, schema, job); });
}

result<std::vector<job_id>> enqueue_many(pg_conn* connection, std::span<const new_job> jobs,
                                         std::string_view schema) {
    if (auto usable = check_borrowed(connection, schema); usable.has_error()) {
        return usable.error();
    }
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (auto valid = store::check_new_job(jobs[i]); valid.has_error()) {
            error why = valid.error();
            why.message.insert(0, "job " + std::to_string(i) + ": ");
            return why;
        }
    }
    const std::vector<store::job_group> groups = store::group_jobs(jobs);
    pg::connection on{connection};
    if (groups.size() > 1 && !on.in_transaction()) {
        return error{errc::invalid_argument,
                     "connection: expected an open transaction, which alone makes these jobs all "
                     "or none; got none",
                     "BEGIN first, or use client::enqueue_many, which has its own transaction."};
    }
    return api::as_result([&] {
        std::vector<job_id> ids(jobs.size());
        for (const store::job_group& group : groups) {
            store::enqueue_group(on, schema, jobs, group, ids);
        }
        return ids;
    });
}

statement enqueue_statement(const new_job& job, std::string_view schema) {
    pg::check_schema_name(schema).value();
    store::enqueue_call call{job};
    statement text;
    text.sql = pg::with_schema(call.sql, schema);
    text.parameters = std::move(call.parameters);
    return text;
}

result<void> assert_lease(pg_conn* connection, const job& running, std::string_view schema) {
    if (auto usable = check_borrowed(connection, schema); usable.has_error()) {
        return usable.error();
    }
    pg::connection on{connection};
    if (!on.in_transaction()) {
        return error{errc::invalid_argument,
                     "connection: expected an open transaction, got none: the answer holds only "
                     "until one ends"};
    }
    return api::as_result([&] { store::assert_lease(on, schema, running.id, running.lease); });
}

}  // namespace libqueue
