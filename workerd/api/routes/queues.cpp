#include "api_call.hpp"
#include "routes/filtering.hpp"
#include "routes/routes.hpp"

#include <libqueue/operations.hpp>

#include <array>
#include <chrono>

namespace workerd::api {

namespace {

using libqueue::operations;

constexpr std::chrono::seconds clear_time{8};

answer list_queues(api_call& call) {
    return reply_list(operations{call.database()}.list_queues());
}

answer show_queue(api_call& call) {
    return reply_object(operations{call.database()}.show_queue(call.name()).value());
}

answer create_queue(api_call& call) {
    const auto name = call.member_text("name").value_or("");
    operations{call.database()}.create_queue(name).value();
    call.note_change();
    auto made = reply_object(operations{call.database()}.show_queue(name).value(), 201);
    return made.with("Location", "/api/v1/queues/" + name);
}

answer queue_jobs(api_call& call) {
    auto text = "queue:" + call.name();
    if (const auto state = call.text("state"))
        text += " state:" + std::string{*state};
    const auto which = libqueue::parse_filter(text).value();
    const auto page =
        libqueue::jobs{call.database()}.find(which, call.cursor(), call.limit()).value();
    if (page.rows.rows.empty())
        static_cast<void>(operations{call.database()}.show_queue(call.name()).value());
    return reply_page(page);
}

answer pause_queue(api_call& call) {
    operations ops{call.database()};
    ops.pause(call.name(), call.member_text("reason").value_or("")).value();
    return reply_object(ops.show_queue(call.name()).value());
}

answer resume_queue(api_call& call) {
    operations ops{call.database()};
    ops.resume(call.name()).value();
    return reply_object(ops.show_queue(call.name()).value());
}

// A long line takes several calls; a bulk operation does the same in the background.
answer clear_queue(api_call& call) {
    const auto end = std::chrono::steady_clock::now() + clear_time;
    const bool dry_run = call.member_flag("dry_run").value_or(false);
    bool finished = true;
    const auto in_time = [&](std::int64_t done, std::int64_t total) {
        if (done > 0 && !dry_run)
            call.note_change();
        finished = done >= total || std::chrono::steady_clock::now() < end;
        return finished;
    };
    const auto count = operations{call.database()}.purge(call.name(), dry_run, in_time).value();
    boost::json::object body;
    body["cancelled"] = dry_run ? 0 : count;
    body["matched"] = count;
    body["finished"] = finished;
    return reply_json(body);
}

constexpr std::array new_queue{
    field{"name", value_type::text, "1 to 64 of a-z 0-9 _ . -", true, 1, 64},
};
constexpr std::array reason{
    field{"reason", value_type::text, "For people; shown beside the queue.", false, 0, 1000},
};
constexpr std::array clear_body{
    field{"dry_run", value_type::boolean, "Only count what would be cancelled."},
};
constexpr std::array jobs_parameters{
    field{"state", value_type::text, "Jobs in this state only.", false, 0, 0,
          "scheduled|ready|running|retrying|completed|cancelled|dead"},
};

constexpr std::array rows{
    route{.path = "/queues",
          .right = "queues.read",
          .summary = "All queues with what stands in them.",
          .answers = shape::list,
          .run = list_queues},
    route{.method = verb::post,
          .path = "/queues",
          .right = "queues.create",
          .summary = "Create a queue.",
          .body = new_queue,
          .status = 201,
          .run = create_queue},
    route{.path = "/queues/{name}",
          .right = "queues.read",
          .summary = "One queue: what stands in it, its settings, its workers and its lines.",
          .run = show_queue},
    route{.path = "/queues/{name}/status",
          .right = "queues.read",
          .summary = "The same as /queues/{name}.",
          .run = show_queue},
    route{.path = "/queues/{name}/jobs",
          .right = "jobs.read",
          .summary = "The queue's jobs: as /jobs with the filter `queue:NAME`.",
          .parameters = jobs_parameters,
          .answers = shape::list,
          .pages = true,
          .run = queue_jobs},
    route{.method = verb::post,
          .path = "/queues/{name}/pause",
          .right = "queues.pause",
          .summary = "Nothing of the queue is started any more; what runs finishes.",
          .body = reason,
          .run = pause_queue},
    route{.method = verb::post,
          .path = "/queues/{name}/resume",
          .right = "queues.pause",
          .summary = "The queue goes on.",
          .run = resume_queue},
    route{.method = verb::post,
          .path = "/queues/{name}/clear",
          .right = "queues.clear",
          .summary = "Cancel every job that waits in the queue, for some seconds: `finished` tells "
                     "whether all are.",
          .body = clear_body,
          .run = clear_queue},
};

}  // namespace

std::span<const route> queue_routes() {
    return rows;
}

}  // namespace workerd::api
