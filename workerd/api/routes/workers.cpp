#include "api_call.hpp"
#include "routes/routes.hpp"
#include "surroundings.hpp"

#include <libqueue/operations.hpp>
#include <libqueue/worker_control.hpp>

#include <array>

namespace workerd::api {

namespace {

answer list_workers(api_call& call) {
    return reply_list(libqueue::operations{call.database()}.list_workers());
}

answer show_worker(api_call& call) {
    return reply_object(libqueue::worker_control{call.database()}.show(call.id()).value());
}

template <libqueue::worker_wish wish>
answer ask_worker(api_call& call) {
    libqueue::worker_control control{call.database()};
    control.ask(call.id(), wish).value();
    return reply_object(control.show(call.id()).value());
}

answer list_kinds(api_call& call) {
    return reply_list(libqueue::operations{call.database()}.list_kinds());
}

answer unhandled_kinds(api_call& call) {
    return reply_list(libqueue::operations{call.database()}.unhandled_kinds());
}

bool is_secret(const option& row) {
    return row.type == option_type::dsn || row.type == option_type::secret_file;
}

answer show_settings(api_call& call) {
    libqueue::report made;
    for (const auto* name : {"path", "value", "source"})
        made.columns.emplace_back(name, libqueue::column_type::text);
    made.columns.emplace_back("line", libqueue::column_type::integer);
    made.columns.emplace_back("reloadable", libqueue::column_type::boolean);
    const auto settings = call.around().settings();
    for (const auto& [path, each] : *settings) {
        const bool hidden = is_secret(*each.row);
        std::string shown = each.value.text;
        for (const auto& part : each.value.list)
            shown += (shown.empty() ? "" : ", ") + part;
        const auto line = std::to_string(each.where.line);
        made.rows.push_back({path, hidden ? "***" : shown, each.where.source,
                             each.where.line == 0 ? std::nullopt : std::optional{line},
                             each.row->reloadable ? "t" : "f"});
    }
    return reply_list(made);
}

constexpr std::array rows{
    route{.path = "/workers",
          .right = "workers.read",
          .summary = "Worker processes and what they do.",
          .answers = shape::list,
          .run = list_workers},
    route{.path = "/workers/{id}",
          .right = "workers.read",
          .summary = "One worker process, and the jobs it runs.",
          .run = show_worker},
    route{.method = verb::post,
          .path = "/workers/{id}/quiet",
          .right = "workers.control",
          .summary = "With its next heartbeat it claims nothing any more; what it runs finishes.",
          .run = ask_worker<libqueue::worker_wish::quiet>},
    route{.method = verb::post,
          .path = "/workers/{id}/drain",
          .right = "workers.control",
          .summary = "It claims nothing any more, and leaves once it runs nothing.",
          .run = ask_worker<libqueue::worker_wish::drain>},
    route{.method = verb::post,
          .path = "/workers/{id}/stop",
          .right = "workers.stop",
          .summary = "It leaves as at SIGTERM: what does not finish in time is run by others.",
          .run = ask_worker<libqueue::worker_wish::stop>},
    route{.method = verb::post,
          .path = "/workers/{id}/resume",
          .right = "workers.control",
          .summary = "It goes on after it was asked to be quiet or to drain.",
          .run = ask_worker<libqueue::worker_wish::resume>},
    route{.path = "/kinds",
          .right = "jobs.read",
          .summary = "Kinds that live workers handle.",
          .answers = shape::list,
          .run = list_kinds},
    route{.path = "/kinds/unhandled",
          .right = "workers.read",
          .summary = "Kinds with jobs waiting that no live worker handles.",
          .answers = shape::list,
          .run = unhandled_kinds},
    route{.path = "/settings",
          .right = "settings.read",
          .summary = "The configuration in force in this process, and where each value came from.",
          .answers = shape::list,
          .run = show_settings},
};

}  // namespace

std::span<const route> worker_routes() {
    return rows;
}

}  // namespace workerd::api
