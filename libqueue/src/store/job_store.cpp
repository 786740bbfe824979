#include "store/job_store.hpp"

#include "core/limits.hpp"
#include "pg/schema_name.hpp"
#include "store/sql_text.hpp"

#include <sql/assert_lease.hpp>
#include <sql/cancel_job.hpp>
#include <sql/draw_job_ids.hpp>
#include <sql/enqueue.hpp>
#include <sql/enqueue_many.hpp>
#include <sql/enqueue_once.hpp>
#include <sql/find_job.hpp>
#include <sql/retry_job.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

namespace libqueue::store {
namespace {

using optional_text = std::optional<std::string>;

/// Payload bytes of one statement: bounds the memory both sides need for it.
constexpr std::size_t group_bytes_max = std::size_t{32} << 20;

template <typename Duration>
[[nodiscard]] optional_text interval_text(const std::optional<Duration>& time, const char* unit) {
    return time ? optional_text{std::to_string(time->count()) + unit} : std::nullopt;
}

template <typename Number>
[[nodiscard]] optional_text number_text(const std::optional<Number>& number) {
    return number ? optional_text{std::to_string(*number)} : std::nullopt;
}

/// An array literal: every element quoted, which any text may be.
[[nodiscard]] optional_text array_text(const std::vector<std::string>& values) {
    if (values.empty()) {
        return std::nullopt;
    }
    std::string text{"{"};
    for (const std::string& value : values) {
        text += text.size() == 1 ? "\"" : ",\"";
        for (const char c : value) {
            if (c == '"' || c == '\\') {
                text += '\\';
            }
            text += c;
        }
        text += '"';
    }
    return text + "}";
}

[[nodiscard]] optional_text meta_text(const new_job& job) {
    return job.meta.empty() ? std::nullopt : optional_text{job.meta};
}

[[nodiscard]] bool same_options(const new_job& a, const new_job& b) {
    return a.run_at == b.run_at && a.delay == b.delay && a.max_attempts == b.max_attempts &&
           a.tenant_id == b.tenant_id && a.meta == b.meta && a.tags == b.tags &&
           a.traceparent == b.traceparent && a.batch_id == b.batch_id &&
           a.ordering_key == b.ordering_key && a.concurrency_key == b.concurrency_key &&
           a.key_concurrency == b.key_concurrency && a.limit_key == b.limit_key &&
           a.cost == b.cost && a.subject == b.subject && a.id.has_value() == b.id.has_value();
}

[[nodiscard]] std::array<optional_text, 7> attachments(const new_job& job) {
    return {number_text(job.batch_id),
            job.ordering_key,
            job.concurrency_key,
            number_text(job.key_concurrency),
            job.limit_key,
            number_text(job.cost),
            job.subject};
}

[[nodiscard]] time_point time_of(const pg::result& from, int row, int column) {
    return time_point{std::chrono::microseconds{from.int64(row, column)}};
}

}  // namespace

enqueue_call::enqueue_call(const new_job& job)
    : sql{job.idempotency_key ? sql::enqueue_once : sql::enqueue} {
    parameters.reserve(21);
    parameters.emplace_back(job.kind);
    parameters.emplace_back(job.payload);
    parameters.push_back(job.queue);
    parameters.push_back(number_text(job.priority));
    parameters.push_back(time_text(job.run_at));
    parameters.push_back(job.idempotency_key);
    parameters.push_back(number_text(job.max_attempts));
    parameters.push_back(job.tenant_id);
    parameters.push_back(meta_text(job));
    parameters.push_back(interval_text(job.delay, " microseconds"));
    parameters.push_back(array_text(job.tags));
    parameters.push_back(job.traceparent);
    parameters.push_back(job.idempotency_key ? interval_text(job.idempotency_ttl, " seconds")
                                             : std::nullopt);
    for (const optional_text& value : attachments(job)) {
        parameters.push_back(value);
    }
    parameters.push_back(number_text(job.id));
}

enqueued enqueue(pg::connection& on, std::string_view schema, const new_job& job) {
    const enqueue_call call{job};
    pg::params parameters;
    for (const optional_text& value : call.parameters) {
        parameters.text(value);
    }
    const pg::result answer = on.exec(pg::with_schema(call.sql, schema), parameters);
    LIBQUEUE_ASSERT(answer.rows() == 1 && !answer.is_null(0, 0));
    enqueued made;
    made.id = answer.int64(0, 0);
    made.duplicate = answer.boolean(0, 1);
    made.output = answer.optional_text(0, 2);
    return made;
}

std::vector<job_id> draw_job_ids(pg::connection& on, std::string_view schema, std::size_t count) {
    std::vector<job_id> ids;
    ids.reserve(count);
    while (ids.size() < count) {
        constexpr std::size_t most = 100'000;  // as the function has it
        pg::params parameters;
        parameters.number(static_cast<std::int64_t>(std::min(most, count - ids.size())));
        const pg::result drawn = on.exec(pg::with_schema(sql::draw_job_ids, schema), parameters);
        for (int row = 0; row < drawn.rows(); ++row) {
            ids.push_back(drawn.int64(row, 0));
        }
    }
    return ids;
}

std::vector<job_group> group_jobs(std::span<const new_job> jobs) {
    using line = std::tuple<std::string_view, std::string_view, int>;
    std::vector<job_group> groups;
    std::map<line, std::size_t> open;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        const new_job& job = jobs[i];
        constexpr int default_priority = limits::priority_max + 1;
        const line where{job.kind, job.queue ? std::string_view{*job.queue} : std::string_view{},
                         job.priority.value_or(default_priority)};
        const auto known = open.find(where);
        if (known != open.end() && !job.idempotency_key) {
            job_group& group = groups[known->second];
            if (!group.options->idempotency_key && same_options(*group.options, job) &&
                group.members.size() < static_cast<std::size_t>(limits::enqueue_batch_max) &&
                group.bytes + job.payload.size() <= group_bytes_max) {
                group.members.push_back(i);
                group.bytes += job.payload.size();
                continue;
            }
        }
        open[where] = groups.size();
        job_group& group = groups.emplace_back();
        group.options = &job;
        group.members.push_back(i);
        group.bytes = job.payload.size();
    }
    return groups;
}

void enqueue_group(pg::connection& on, std::string_view schema, std::span<const new_job> jobs,
                   const job_group& group, std::vector<job_id>& ids) {
    if (group.members.size() == 1) {
        ids[group.members.front()] = enqueue(on, schema, *group.options).id;
        return;
    }
    std::vector<std::string_view> payloads;
    payloads.reserve(group.members.size());
    for (const std::size_t member : group.members) {
        payloads.emplace_back(jobs[member].payload);
    }
    const new_job& options = *group.options;
    pg::params parameters;
    parameters.text(options.kind).jsonb_array(payloads).text(options.queue);
    parameters.text(number_text(options.priority)).text(time_text(options.run_at));
    parameters.text(number_text(options.max_attempts)).text(options.tenant_id);
    parameters.text(meta_text(options)).text(interval_text(options.delay, " microseconds"));
    parameters.text(array_text(options.tags)).text(options.traceparent);
    for (const optional_text& value : attachments(options)) {
        parameters.text(value);
    }
    std::vector<std::int64_t> drawn;
    for (const std::size_t member : group.members) {
        if (jobs[member].id) {
            drawn.push_back(*jobs[member].id);
        }
    }
    drawn.empty() ? parameters.null() : parameters.int8_array(drawn);
    const pg::result answer = on.exec(pg::with_schema(sql::enqueue_many, schema), parameters);
    LIBQUEUE_ASSERT(static_cast<std::size_t>(answer.rows()) == group.members.size());
    for (int row = 0; row < answer.rows(); ++row) {
        ids[group.members[static_cast<std::size_t>(row)]] = answer.int64(row, 0);
    }
}

std::optional<job_info> find_job(pg::connection& on, std::string_view schema, job_id id) {
    pg::params parameters;
    parameters.number(id);
    const pg::result found = on.exec(pg::with_schema(sql::find_job, schema), parameters);
    if (found.rows() == 0) {
        return std::nullopt;
    }
    const auto state = parse_job_state(found.text(0, 4));
    LIBQUEUE_ASSERT(state.has_value());
    job_info job;
    job.id = found.int64(0, 0);
    job.tenant_id = found.optional_text(0, 1);
    job.queue = found.text(0, 2);
    job.kind = found.text(0, 3);
    job.state = *state;
    job.priority = static_cast<int>(found.int64(0, 5));
    job.attempt = static_cast<int>(found.int64(0, 6));
    job.max_attempts = static_cast<int>(found.int64(0, 7));
    job.payload = found.text(0, 8);
    job.meta = found.text(0, 9);
    job.output = found.optional_text(0, 10);
    job.run_at = time_of(found, 0, 11);
    job.created_at = time_of(found, 0, 12);
    if (!found.is_null(0, 13)) {
        job.finished_at = time_of(found, 0, 13);
    }
    job.last_error = found.optional_text(0, 14);
    return job;
}

bool cancel_job(pg::connection& on, std::string_view schema, job_id id, std::string_view reason) {
    pg::params parameters;
    parameters.number(id);
    reason.empty() ? parameters.null() : parameters.text(reason);
    return on.exec(pg::with_schema(sql::cancel_job, schema), parameters).boolean(0, 0);
}

void retry_job(pg::connection& on, std::string_view schema, job_id id) {
    pg::params parameters;
    parameters.number(id);
    on.exec(pg::with_schema(sql::retry_job, schema), parameters);
}

void assert_lease(pg::connection& on, std::string_view schema, job_id id, std::int64_t lease) {
    pg::params parameters;
    parameters.number(id).number(lease);
    on.exec(pg::with_schema(sql::assert_lease, schema), parameters);
}

}  // namespace libqueue::store
