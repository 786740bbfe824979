#include "api_call.hpp"
#include "qctl/instant.hpp"
#include "routes/routes.hpp"

#include <libqueue/schedules.hpp>

#include <array>

namespace workerd::api {

namespace {

using libqueue::schedules;

constexpr int next_standard = 10;
constexpr int runs_standard = 50;

std::string cell(const libqueue::report& of, std::string_view column) {
    for (std::size_t i = 0; i < of.columns.size(); ++i)
        if (of.columns[i].name == column && !of.rows.empty())
            return of.rows.front()[i].value_or("");
    return {};
}

answer list_schedules(api_call& call) {
    libqueue::schedule_filter filter;
    filter.name = call.text("name");
    filter.kind = call.text("kind");
    filter.tenant_id = call.tenant();
    filter.after = call.cursor_id();
    filter.limit = call.limit();
    return reply_page(schedules{call.database()}.list(filter), filter.limit);
}

answer shown(api_call& call, int status = 200) {
    const auto found = schedules{call.database()}.show(call.name(), call.tenant()).value();
    auto made = reply_object(found, status);
    // Not what fires and fails by itself: what an edit begins from.
    made.tag = cell(found, "updated_at") + ' ' + cell(found, "paused");
    return made;
}

answer show_schedule(api_call& call) {
    return shown(call);
}

answer put_schedule(api_call& call) {
    libqueue::new_schedule wanted{call.name(), call.member_text("cron").value_or(""),
                                  call.member_text("kind").value_or(""),
                                  call.member_json("payload").value_or("{}")};
    wanted.timezone = call.member_text("timezone").value_or("UTC");
    wanted.when_missed =
        libqueue::parse_misfire(call.member_text("misfire").value_or("collapse")).value();
    wanted.backfill_max = static_cast<int>(call.member_integer("backfill_max").value_or(1));
    wanted.when_busy =
        libqueue::parse_overlap(call.member_text("overlap").value_or("allow")).value();
    if (const auto grace = call.member_integer("misfire_grace_ms"))
        wanted.misfire_grace = std::chrono::milliseconds{*grace};
    wanted.queue = call.member_text("queue");
    if (const auto priority = call.member_integer("priority"))
        wanted.priority = static_cast<int>(*priority);
    if (const auto attempts = call.member_integer("max_attempts"))
        wanted.max_attempts = static_cast<int>(*attempts);
    wanted.tenant_id = call.tenant();
    wanted.meta = call.member_json("meta").value_or("");
    static_cast<void>(schedules{call.database()}.set(wanted).value());
    return shown(call);
}

answer remove_schedule(api_call& call) {
    if (!schedules{call.database()}.remove(call.name(), call.tenant()).value())
        refuse_missing("such schedule");
    return reply_nothing();
}

answer pause_schedule(api_call& call) {
    schedules{call.database()}.pause(call.name(), call.tenant()).value();
    return shown(call);
}

answer resume_schedule(api_call& call) {
    schedules{call.database()}.resume(call.name(), call.tenant()).value();
    return shown(call);
}

answer run_schedule(api_call& call) {
    const auto job = schedules{call.database()}.run_now(call.name(), call.tenant()).value();
    boost::json::object body;
    body["job_id"] = job;
    auto made = reply_json(body, 201);
    return made.with("Location", "/api/v1/jobs/" + std::to_string(job));
}

answer schedule_runs(api_call& call) {
    schedules with{call.database()};
    static_cast<void>(with.show(call.name(), call.tenant()).value());
    const auto limit = static_cast<int>(call.integer("n").value_or(runs_standard));
    return reply_list(with.runs(call.name(), limit, call.tenant()));
}

answer times_of(const std::vector<libqueue::time_point>& times) {
    libqueue::report made;
    made.columns.emplace_back("at", libqueue::column_type::time);
    for (const auto each : times)
        made.rows.push_back({qctl::iso_instant(each)});
    return reply_list(made);
}

answer next_slots(api_call& call) {
    const auto n = static_cast<int>(call.integer("n").value_or(next_standard));
    return times_of(schedules{call.database()}.next(call.name(), n, call.tenant()).value());
}

answer preview_cron(api_call& call) {
    const auto n = static_cast<int>(call.integer("n").value_or(next_standard));
    return times_of(
        schedules{call.database()}
            .preview(call.text("cron").value_or(""), call.text("timezone").value_or("UTC"), n)
            .value());
}

constexpr std::array list_parameters{
    field{"name", value_type::text, "Exact, or a prefix that ends in `*`.", false, 1, 128},
    field{"kind", value_type::text, "Exact, or a prefix that ends in `*`.", false, 1, 128},
    after_parameter,
    tenant_parameter,
};
constexpr std::array one{tenant_parameter};
constexpr std::array some{
    tenant_parameter,
    field{"n", value_type::integer, "How many.", false, 1, 100},
};
constexpr std::array preview_parameters{
    field{"cron", value_type::text, "The expression.", true, 1, 256},
    field{"timezone", value_type::text, "A name of the tz database; UTC unless given.", false, 1,
          64},
    field{"n", value_type::integer, "How many.", false, 1, 100},
};
constexpr std::array schedule_body{
    field{"cron", value_type::text, "Five or six fields, @daily and the like, or @every 90s.", true,
          1, 256},
    field{"kind", value_type::text, "Of the jobs.", true, 1, 128},
    field{"payload", value_type::json, "Of the jobs; {} unless given."},
    field{"timezone", value_type::text, "A name of the tz database; UTC unless given.", false, 1,
          64},
    field{"misfire", value_type::text, "What becomes of slots nobody fired.", false, 0, 0,
          "skip|collapse|backfill"},
    field{"backfill_max", value_type::integer, "Of backfill: how many at most.", false, 1, 1000},
    field{"overlap", value_type::text, "What becomes of a slot while the last job runs.", false, 0,
          0, "allow|forbid"},
    field{"misfire_grace_ms", value_type::integer, "How late counts as on time.", false, 1'000,
          3'600'000},
    field{"queue", value_type::text, "Must exist; the kind's own unless given.", false, 1, 64},
    field{"priority", value_type::integer, "Of the jobs.", false, -1000, 1000},
    field{"max_attempts", value_type::integer, "Of the jobs.", false, 1, 1000},
    field{"meta", value_type::object, "Of the jobs."},
};

constexpr std::array rows{
    route{.path = "/schedules",
          .right = "schedules.read",
          .summary = "Schedules in the order they were made.",
          .parameters = list_parameters,
          .answers = shape::list,
          .pages = true,
          .run = list_schedules},
    route{.path = "/schedules/preview",
          .right = "schedules.read",
          .summary = "The next times an expression names.",
          .parameters = preview_parameters,
          .answers = shape::list,
          .run = preview_cron},
    route{.path = "/schedules/{name}",
          .right = "schedules.read",
          .summary = "One schedule.",
          .parameters = one,
          .tagged = true,
          .run = show_schedule},
    route{.method = verb::put,
          .path = "/schedules/{name}",
          .right = "schedules.change",
          .summary = "Make or change a schedule.",
          .parameters = one,
          .body = schedule_body,
          .tagged = true,
          .run = put_schedule},
    route{.method = verb::remove,
          .path = "/schedules/{name}",
          .right = "schedules.change",
          .summary = "Remove a schedule; its jobs stay.",
          .parameters = one,
          .answers = shape::nothing,
          .status = 204,
          .tagged = true,
          .run = remove_schedule},
    route{.method = verb::post,
          .path = "/schedules/{name}/pause",
          .right = "schedules.change",
          .summary = "Slots fire no more until it is resumed.",
          .parameters = one,
          .run = pause_schedule},
    route{.method = verb::post,
          .path = "/schedules/{name}/resume",
          .right = "schedules.change",
          .summary = "Goes on with the first slot from now on.",
          .parameters = one,
          .run = resume_schedule},
    route{.method = verb::post,
          .path = "/schedules/{name}/run",
          .right = "schedules.run",
          .summary = "One job more, now.",
          .parameters = one,
          .status = 201,
          .run = run_schedule},
    route{.path = "/schedules/{name}/runs",
          .right = "schedules.read",
          .summary = "What became of the latest slots.",
          .parameters = some,
          .answers = shape::list,
          .run = schedule_runs},
    route{.path = "/schedules/{name}/next",
          .right = "schedules.read",
          .summary = "The next slots.",
          .parameters = some,
          .answers = shape::list,
          .run = next_slots},
};

}  // namespace

std::span<const route> schedule_routes() {
    return rows;
}

}  // namespace workerd::api
