#include "api_call.hpp"
#include "job_body.hpp"
#include "processors/support/trace_state.hpp"
#include "qctl/instant.hpp"
#include "qctl/json_members.hpp"
#include "routes/filtering.hpp"
#include "routes/routes.hpp"

#include <libqueue/jobs.hpp>
#include <libqueue/operations.hpp>
#include <libqueue/run_records.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <chrono>

namespace workerd::api {

namespace {

constexpr int log_lines{1'000};

libqueue::jobs jobs_of(api_call& call) {
    return libqueue::jobs{call.database()};
}

std::string place_of(libqueue::job_id id) {
    return "/api/v1/jobs/" + std::to_string(id);
}

// What goes with the trace's parent, unless the job says one itself. The rest of meta stays as it
// was written.
std::string with_tracestate(const std::string& meta, const std::string& state) {
    const std::string_view object{meta.empty() ? std::string_view{"{}"} : std::string_view{meta}};
    const auto members = qctl::json_members(object);
    if (!members || !libqueue::processors::is_tracestate(state) ||
        std::ranges::any_of(*members, [](const auto& each) { return each.name == "tracestate"; })) {
        return meta;
    }
    std::string made{"{\"tracestate\":"};
    made += boost::json::serialize(boost::json::string{state});
    for (const auto& each : *members) {
        made += ',' + boost::json::serialize(boost::json::string{each.name}) + ':';
        made += each.value;
    }
    return made + '}';
}

answer enqueue(api_call& call) {
    libqueue::new_job job = read_job(call.facts().body, "body");
    if (!job.traceparent && !call.facts().traceparent.empty()) {
        job.traceparent = call.facts().traceparent;
        job.meta = with_tracestate(job.meta, call.facts().tracestate);
    }
    const auto done = call.database().enqueue(job).value();
    boost::json::object body{{"id", done.id}, {"duplicate", done.duplicate}};
    auto said = reply_json(body, 201);
    return said.with("Location", place_of(done.id));
}

answer enqueue_many(api_call& call) {
    std::vector<libqueue::new_job> all;
    const std::string text = call.member_json("jobs").value_or("[]");
    for (const std::string_view each : json_items(text)) {
        all.push_back(read_job(each, "body.jobs[" + std::to_string(all.size()) + "]"));
    }
    const auto ids = call.database().enqueue_many(all).value();
    boost::json::array made;
    for (const libqueue::job_id id : ids) {
        made.emplace_back(id);
    }
    return reply_json(boost::json::object{{"ids", std::move(made)}}, 201);
}

answer list_jobs(api_call& call) {
    return reply_page(jobs_of(call).find(filter_of(call), call.cursor(), call.limit()).value());
}

answer count_jobs(api_call& call) {
    const auto counted = jobs_of(call).count(filter_of(call)).value();
    return reply_json(
        boost::json::object{{"count", counted.count}, {"count_exact", counted.exact}});
}

answer complete_filter(api_call& call) {
    boost::json::array items;
    for (const std::string& each : jobs_of(call).complete(call.text("prefix").value_or(""))) {
        items.emplace_back(each);
    }
    return reply_json(boost::json::object{{"items", std::move(items)}, {"next", nullptr}});
}

answer show_job(api_call& call) {
    return reply_object(jobs_of(call).show(call.id()).value());
}

answer list_attempts(api_call& call) {
    static_cast<void>(jobs_of(call).show(call.id()).value());
    return reply_list(libqueue::operations{call.database()}.attempts(call.id()));
}

answer list_logs(api_call& call) {
    static_cast<void>(jobs_of(call).show(call.id()).value());
    libqueue::log_filter which;
    which.tail = log_lines;
    if (const auto attempt = call.integer("attempt")) {
        which.attempt = static_cast<int>(*attempt);
    }
    if (const auto lease = call.integer("after_lease")) {
        which.after_lease = *lease;
        which.after_line = static_cast<int>(call.integer("after_line").value_or(0));
    }
    return reply_list(libqueue::run_records{call.database()}.log(call.id(), which));
}

answer list_effects(api_call& call) {
    static_cast<void>(jobs_of(call).show(call.id()).value());
    return reply_list(libqueue::run_records{call.database()}.effects(call.id()));
}

answer explain_job(api_call& call) {
    return reply_object(jobs_of(call).explain(call.id()).value());
}

answer list_lineage(api_call& call) {
    return reply_list(jobs_of(call).lineage(call.id()).value());
}

answer made_job(libqueue::job_id id) {
    auto said = reply_json(boost::json::object{{"id", id}}, 201);
    return said.with("Location", place_of(id));
}

answer retry_job(api_call& call) {
    if (const auto payload = call.member_json("payload")) {
        return made_job(jobs_of(call).retry_edited(call.id(), *payload).value());
    }
    call.database().retry(call.id()).value();
    call.note_change();
    return reply_object(jobs_of(call).show(call.id()).value());
}

answer run_now(api_call& call) {
    jobs_of(call).run_now(call.id()).value();
    call.note_change();
    return reply_object(jobs_of(call).show(call.id()).value());
}

answer snooze_job(api_call& call) {
    auto until = call.member_time("until");
    if (const auto seconds = call.member_integer("seconds"); seconds && !until) {
        until = std::chrono::time_point_cast<std::chrono::microseconds>(
            std::chrono::system_clock::now() + std::chrono::seconds{*seconds});
    }
    if (!until) {
        refuse_value("body.until", "a time, or body.seconds", "nothing");
    }
    jobs_of(call).snooze(call.id(), *until).value();
    call.note_change();
    return reply_object(jobs_of(call).show(call.id()).value());
}

answer clone_job(api_call& call) {
    libqueue::clone_changes changes;
    changes.payload = call.member_json("payload");
    changes.run_at = call.member_time("run_at");
    if (const auto priority = call.member_integer("priority")) {
        changes.priority = static_cast<int>(*priority);
    }
    return made_job(jobs_of(call).clone(call.id(), changes).value());
}

answer cancel_job(api_call& call) {
    const bool waited = call.database().cancel(call.id(), call.text("reason").value_or("")).value();
    return reply_json(boost::json::object{{"id", call.id()}, {"cancelled", waited}});
}

constexpr std::int64_t small{32'767};

constexpr std::array job_body{
    field{"kind", value_type::text, "What is to be done.", true, 1, 64},
    field{"payload", value_type::json, "For the handler; {} unless given."},
    field{"queue", value_type::text, "Where it waits; the kind's unless given.", false, 1, 64},
    field{"priority", value_type::integer, "Lower runs first; the kind's unless given.", false,
          -small, small},
    field{"run_at", value_type::time, "Not before."},
    field{"delay_ms", value_type::integer, "Not before so many milliseconds from now."},
    field{"max_attempts", value_type::integer, "The kind's unless given.", false, 1, 1000},
    field{"idempotency_key", value_type::text, "The same key again makes no second job.", false, 1,
          512},
    field{"tenant_id", value_type::uuid, "Of a token for all tenants: whose it is."},
    field{"tags", value_type::list, "At most 32 texts.", false, 0, 32},
    field{"meta", value_type::object, "Whatever the producer adds."},
    field{"traceparent", value_type::text, "W3C trace context; the request's unless given."},
    field{"batch_id", value_type::integer, "The batch it is an item of."},
    field{"ordering_key", value_type::text, "Jobs of one key run one after the other."},
    field{"concurrency_key", value_type::text, "So many of one key run at a time."},
    field{"key_concurrency", value_type::integer, "How many; 1 unless given.", false, 1, 10'000},
    field{"limit_key", value_type::text, "Its bucket of limits by key."},
    field{"cost", value_type::integer, "Tokens it takes of its limits.", false, 1, 1'000'000},
    field{"subject", value_type::text, "Whom its data is about; never shown."},
};
constexpr std::array batch_body{
    field{"jobs", value_type::list, "Jobs, each as POST /jobs takes it.", true, 1, 1'000},
};
constexpr std::array filtered{filter_parameter};
constexpr std::array completed{
    field{"prefix", value_type::text, "What is written so far.", false, 0, 4096},
};
constexpr std::array log_parameters{
    field{"attempt", value_type::integer, "Of this attempt only.", false, 1, 1000},
    field{"after_lease", value_type::integer, "Go on behind this lease's line `after_line`."},
    field{"after_line", value_type::integer, "With after_lease.", false, 0, 1'000'000},
};
constexpr std::array retry_body{
    field{"payload", value_type::json, "Runs as a new job with this payload (201)."},
};
constexpr std::array snooze_body{
    field{"until", value_type::time, "When it is due again."},
    field{"seconds", value_type::integer, "Or in how many seconds.", false, 1, 315'360'000},
};
constexpr std::array clone_body{
    field{"payload", value_type::json, "Instead of the old one."},
    field{"run_at", value_type::time, "Not before; now unless given."},
    field{"priority", value_type::integer, "Instead of the old one.", false, -small, small},
};
constexpr std::array cancel_parameters{
    field{"reason", value_type::text, "Kept as the job's error.", false, 0, 1024},
};

constexpr std::array rows{
    route{.method = verb::post,
          .path = "/jobs",
          .right = "jobs.enqueue",
          .summary = "Enqueue one job.",
          .body = job_body,
          .status = 201,
          .run = enqueue},
    route{.method = verb::post,
          .path = "/jobs/batch",
          .right = "jobs.enqueue_many",
          .summary = "Enqueue up to 1000 jobs, all or none.",
          .body = batch_body,
          .status = 201,
          .run = enqueue_many},
    route{.path = "/jobs",
          .right = "jobs.read",
          .summary = "Jobs by filter, without payloads.",
          .parameters = filtered,
          .answers = shape::list,
          .pages = true,
          .run = list_jobs},
    route{.path = "/jobs/count",
          .right = "jobs.read",
          .summary = "How many jobs match, exactly up to 10,000 (`count_exact`).",
          .parameters = filtered,
          .run = count_jobs},
    route{.path = "/filters/complete",
          .right = "jobs.read",
          .summary = "What can stand where a filter ends.",
          .parameters = completed,
          .answers = shape::list,
          .run = complete_filter},
    route{.path = "/jobs/{id}",
          .right = "jobs.read",
          .summary = "Everything about one job.",
          .run = show_job},
    route{.path = "/jobs/{id}/attempts",
          .right = "jobs.read",
          .summary = "What happened to a job, oldest first.",
          .answers = shape::list,
          .run = list_attempts},
    route{.path = "/jobs/{id}/logs",
          .right = "jobs.read",
          .summary = "What a job's handlers said, the last 1000 lines.",
          .parameters = log_parameters,
          .answers = shape::list,
          .run = list_logs},
    route{.path = "/jobs/{id}/effects",
          .right = "jobs.read",
          .summary = "What a job has begun and done to the outside world.",
          .answers = shape::list,
          .run = list_effects},
    route{.path = "/jobs/{id}/explain",
          .right = "jobs.read",
          .summary = "Why a job is not running, its place in line, and what would help.",
          .run = explain_job},
    route{.path = "/jobs/{id}/lineage",
          .right = "jobs.read",
          .summary = "The jobs linked with one: chains, replays, clones.",
          .answers = shape::list,
          .run = list_lineage},
    route{.method = verb::post,
          .path = "/jobs/{id}/retry",
          .right = "jobs.retry",
          .summary = "Put a dead or cancelled job back in line; a waiting one becomes due.",
          .body = retry_body,
          .run = retry_job},
    route{.method = verb::post,
          .path = "/jobs/{id}/run-now",
          .right = "jobs.retry",
          .summary = "Make a waiting job due.",
          .run = run_now},
    route{.method = verb::post,
          .path = "/jobs/{id}/snooze",
          .right = "jobs.retry",
          .summary = "Let a waiting job wait on.",
          .body = snooze_body,
          .run = snooze_job},
    route{.method = verb::post,
          .path = "/jobs/{id}/clone",
          .right = "jobs.retry",
          .summary = "A new job like this one.",
          .body = clone_body,
          .status = 201,
          .run = clone_job},
    route{.method = verb::remove,
          .path = "/jobs/{id}",
          .right = "jobs.cancel",
          .summary = "Cancel a job that waits (`cancelled`); ask one that runs to stop.",
          .parameters = cancel_parameters,
          .run = cancel_job},
};

}  // namespace

std::span<const route> job_routes() {
    return rows;
}

}  // namespace workerd::api
