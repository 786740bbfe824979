#include "api_call.hpp"
#include "routes/routes.hpp"

#include <libqueue/batches.hpp>

#include <array>

namespace workerd::api {

namespace {

using libqueue::batches;

answer list_batches(api_call& call) {
    libqueue::batch_filter filter;
    filter.name = call.text("name");
    filter.tenant_id = call.tenant();
    filter.unfinished_only = call.flag("unfinished");
    filter.before = call.cursor_id();
    filter.limit = call.limit();
    return reply_page(batches{call.database()}.list(filter), filter.limit);
}

answer show_batch(api_call& call) {
    return reply_object(batches{call.database()}.show(call.id()).value());
}

answer batch_items(api_call& call) {
    libqueue::batch_item_filter filter;
    if (const auto state = call.text("state"))
        filter.state = libqueue::parse_job_state(*state);
    filter.after = call.cursor_id();
    filter.limit = call.limit();
    return reply_list(batches{call.database()}.items(call.id(), filter).value());
}

answer cancel_batch(api_call& call) {
    const auto done =
        batches{call.database()}.cancel(call.id(), call.member_text("reason")).value();
    boost::json::object body;
    body["cancelled"] = done.cancelled;
    body["asked"] = done.asked;
    body["finished"] = done.finished;
    return reply_json(body);
}

constexpr std::array list_parameters{
    field{"name", value_type::text, "Exact, or a prefix that ends in `*`.", false, 1, 256},
    field{"unfinished", value_type::boolean, "Only those that have not ended."},
    before_parameter,
    tenant_parameter,
};
constexpr std::array item_parameters{
    field{"state", value_type::text, "Jobs in this state only.", false, 0, 0,
          "scheduled|ready|running|retrying|completed|cancelled|dead"},
    after_parameter,
};
constexpr std::array reason{
    field{"reason", value_type::text, "For people.", false, 0, 1000},
};

constexpr std::array rows{
    route{.path = "/batches",
          .right = "batches.read",
          .summary = "Batches, newest first.",
          .parameters = list_parameters,
          .answers = shape::list,
          .pages = true,
          .run = list_batches},
    route{.path = "/batches/{id}",
          .right = "batches.read",
          .summary = "One batch; its counts are exact.",
          .run = show_batch},
    route{.path = "/batches/{id}/items",
          .right = "batches.read",
          .summary = "Its jobs, in the order they were added.",
          .parameters = item_parameters,
          .answers = shape::list,
          .pages = true,
          .run = batch_items},
    route{.method = verb::post,
          .path = "/batches/{id}/cancel",
          .right = "batches.cancel",
          .summary = "Cancel what waits and ask what runs. Workers go on with a large one.",
          .body = reason,
          .run = cancel_batch},
};

}  // namespace

std::span<const route> batch_routes() {
    return rows;
}

}  // namespace workerd::api
