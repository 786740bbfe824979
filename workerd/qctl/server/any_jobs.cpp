#include "server/any_jobs.hpp"

#include "context.hpp"
#include "job_row.hpp"
#include "json_members.hpp"
#include "server/asking.hpp"
#include "server/json_body.hpp"
#include "values.hpp"

#include <algorithm>
#include <cstddef>
#include <thread>

namespace qctl {

namespace {

using libqueue::job_id;
using libqueue::job_info;
using libqueue::new_job;
using libqueue::report;
using libqueue::result;

constexpr std::chrono::milliseconds shortest_pause{50};
constexpr std::chrono::milliseconds longest_pause{1'000};

std::string job_path(job_id id, std::string_view rest = {}) {
    return "/jobs/" + std::to_string(id) + std::string{rest};
}

std::optional<std::int64_t> in_milliseconds(const std::optional<std::chrono::microseconds>& time) {
    return time
               ? std::optional{std::chrono::duration_cast<std::chrono::milliseconds>(*time).count()}
               : std::nullopt;
}

// A sealed payload must not travel as clear text to a server that cannot seal it.
void demand_offered(context& with) {
    if (with.call.has("keyring")) {
        throw needs_database(with.call, "keys stay on this machine and seal for the database");
    }
    if (with.call.has("window")) {
        throw needs_database(with.call, "the API remembers a key for as long as it always does");
    }
}

std::string job_body(const new_job& job) {
    json_body body;
    body.text("kind", job.kind)
        .raw("payload", job.payload)
        .text("queue", job.queue)
        .integer("priority", job.priority)
        .time("run_at", job.run_at)
        .integer("delay_ms", in_milliseconds(job.delay))
        .text("idempotency_key", job.idempotency_key)
        .integer("max_attempts", job.max_attempts)
        .text("tenant_id", job.tenant_id)
        .raw("meta", job.meta)
        .texts("tags", job.tags)
        .text("traceparent", job.traceparent)
        .integer("batch_id", job.batch_id)
        .text("ordering_key", job.ordering_key)
        .text("concurrency_key", job.concurrency_key)
        .integer("key_concurrency", job.key_concurrency)
        .text("limit_key", job.limit_key)
        .integer("cost", job.cost)
        .text("subject", job.subject);
    return body.done();
}

int small(const report& row, std::string_view name) {
    const auto text = field_of(row, name);
    return text ? static_cast<int>(read_integer(*text, name, -32768, 1'000'000)) : 0;
}

std::optional<libqueue::time_point> time_of(const report& row, std::string_view name) {
    const auto text = field_of(row, name);
    return text ? read_instant(*text) : std::nullopt;
}

job_info info_of(const report& row) {
    job_info job;
    job.id = read_id(field_of(row, "id").value_or(""), "id");
    job.tenant_id = field_of(row, "tenant_id");
    job.queue = field_of(row, "queue").value_or("");
    job.kind = field_of(row, "kind").value_or("");
    job.state = libqueue::parse_job_state(field_of(row, "state").value_or(""))
                    .value_or(libqueue::job_state::ready);
    job.priority = small(row, "priority");
    job.attempt = small(row, "attempt");
    job.max_attempts = small(row, "max_attempts");
    job.payload = field_of(row, "payload").value_or("null");
    job.meta = field_of(row, "meta").value_or("");
    job.output = field_of(row, "output");
    job.run_at = time_of(row, "run_at").value_or(libqueue::time_point{});
    job.created_at = time_of(row, "created_at").value_or(libqueue::time_point{});
    job.finished_at = time_of(row, "finished_at");
    job.last_error = field_of(row, "last_error");
    return job;
}

result<job_id> id_of(const result<report>& made) {
    return made ? result<job_id>{read_id(field_of(*made, "id").value_or(""), "id")} : made.error();
}

}  // namespace

result<libqueue::enqueued> any_jobs::enqueue(const new_job& job) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return with_.client().enqueue(job);
    }
    demand_offered(with_);
    api_request request{"POST", "/jobs"};
    request.body = job_body(job);
    const auto row = server->object(request);
    if (!row) {
        return row.error();
    }
    libqueue::enqueued answer;
    answer.id = read_id(field_of(*row, "id").value_or(""), "id");
    answer.duplicate = field_of(*row, "duplicate").value_or("") == "true";
    answer.output = field_of(*row, "output");
    return answer;
}

result<std::vector<job_id>> any_jobs::enqueue_many(std::span<const new_job> jobs) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return with_.client().enqueue_many(jobs);
    }
    demand_offered(with_);
    std::string all;
    for (const auto& job : jobs) {
        all += (all.empty() ? "[" : ",") + job_body(job);
    }
    api_request request{"POST", "/jobs/batch"};
    request.body = json_body{}.raw("jobs", all.empty() ? "[]" : all + "]").done();
    const auto answer = server->ask(request);
    if (!answer) {
        return answer.error();
    }
    std::vector<job_id> ids;
    const auto made = field_of(read_object(answer->body), "ids").value_or("[]");
    for (const auto each : json_elements(made).value_or(std::vector<std::string_view>{})) {
        ids.push_back(read_id(each, "id"));
    }
    return ids;
}

result<job_info> any_jobs::get(job_id id) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return with_.client().get(id);
    }
    const auto row = server->object({"GET", job_path(id)});
    if (!row) {
        return row.error();
    }
    return info_of(*row);
}

result<job_info> any_jobs::wait(job_id id, std::chrono::milliseconds at_most) {
    if (with_.server() == nullptr) {
        return with_.client().wait(id, at_most);
    }
    using clock = std::chrono::steady_clock;
    const auto deadline = clock::now() + at_most;
    auto pause = shortest_pause;
    while (true) {
        auto job = get(id);
        const auto left = deadline - clock::now();
        if (!job || has_ended(job->state) || left <= clock::duration::zero()) {
            return job;
        }
        std::this_thread::sleep_for(std::min<clock::duration>(pause, left));
        pause = std::min(pause * 2, longest_pause);
    }
}

result<bool> any_jobs::cancel(job_id id, std::string_view reason) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return with_.client().cancel(id, reason);
    }
    api_request request{"DELETE", job_path(id)};
    if (!reason.empty()) {
        request.query.emplace_back("reason", reason);
    }
    const auto row = server->object(request);
    if (!row) {
        return row.error();
    }
    return field_of(*row, "cancelled").value_or("") == "true";
}

result<void> any_jobs::retry(job_id id) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return with_.client().retry(id);
    }
    return done(server->ask({"POST", job_path(id, "/retry")}));
}

result<job_id> any_jobs::retry_edited(job_id id, const std::string& payload) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::jobs{with_.client()}.retry_edited(id, payload);
    }
    return id_of(server->object(
        posting(job_path(id, "/retry"), json_body{}.raw("payload", payload).done())));
}

result<void> any_jobs::run_now(job_id id) {
    auto* const server = with_.server();
    return server == nullptr ? libqueue::jobs{with_.client()}.run_now(id)
                             : done(server->ask(posting(job_path(id, "/run-now"))));
}

result<void> any_jobs::snooze(job_id id, libqueue::time_point until) {
    auto* const server = with_.server();
    return server == nullptr ? libqueue::jobs{with_.client()}.snooze(id, until)
                             : done(server->ask(posting(job_path(id, "/snooze"),
                                                        json_body{}.time("until", until).done())));
}

result<job_id> any_jobs::clone(job_id id, const libqueue::clone_changes& changes) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::jobs{with_.client()}.clone(id, changes);
    }
    json_body body;
    body.raw("payload", changes.payload.value_or(""))
        .time("run_at", changes.run_at)
        .integer("priority", changes.priority);
    return id_of(server->object(posting(job_path(id, "/clone"), body.done())));
}

result<report> any_jobs::lineage(job_id id) {
    auto* const server = with_.server();
    return server == nullptr ? libqueue::jobs{with_.client()}.lineage(id)
                             : server->items({"GET", job_path(id, "/lineage")});
}

result<report> any_jobs::workflow(job_id id) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::jobs{with_.client()}.lineage(id);
    }
    const auto graph = server->object({"GET", "/workflows/" + std::to_string(id)});
    return graph ? result<report>{read_page(field_of(*graph, "nodes").value_or("")).rows}
                 : graph.error();
}

result<libqueue::bounded_count> any_jobs::count(const libqueue::filter& which) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::jobs{with_.client()}.count(which);
    }
    api_request request{"GET", "/jobs/count"};
    if (!which.empty()) {
        request.query.emplace_back("filter", which.text());
    }
    const auto row = server->object(request);
    if (!row) {
        return row.error();
    }
    libqueue::bounded_count counted;
    counted.count = number_of(*row, "count");
    counted.exact = truth_of(*row, "count_exact");
    return counted;
}

report any_records::log(job_id id, const libqueue::log_filter& filter) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::run_records{with_.client()}.log(id, filter);
    }
    api_request request{"GET", job_path(id, "/logs")};
    if (filter.attempt) {
        request.query.emplace_back("attempt", std::to_string(*filter.attempt));
    }
    if (filter.after_lease) {
        request.query.emplace_back("after_lease", std::to_string(*filter.after_lease));
        request.query.emplace_back("after_line", std::to_string(filter.after_line));
    }
    auto lines = server->items(request).value();
    // The API gives the last thousand; who wants fewer takes the last of them.
    if (const auto tail = static_cast<std::size_t>(filter.tail.value_or(0));
        filter.tail && lines.rows.size() > tail) {
        lines.rows.erase(lines.rows.begin(), lines.rows.end() - static_cast<std::ptrdiff_t>(tail));
    }
    return lines;
}

report any_records::progress(job_id id) {
    if (with_.server() == nullptr) {
        return libqueue::run_records{with_.client()}.progress(id);
    }
    // The API shows it as a part of the job.
    return {};
}

report any_records::effects(job_id id) {
    auto* const server = with_.server();
    if (server == nullptr) {
        return libqueue::run_records{with_.client()}.effects(id);
    }
    return server->items({"GET", job_path(id, "/effects")}).value();
}

result<void> any_records::resolve_effect(job_id id, std::string_view step, bool happened,
                                         const std::string& output) {
    return libqueue::run_records{with_.client()}.resolve_effect(id, step, happened, output);
}

}  // namespace qctl
