#include "api_call.hpp"
#include "routes/routes.hpp"

#include <libqueue/alerts.hpp>

#include <array>

namespace workerd::api {

namespace {

libqueue::alert_filter filter_of(const api_call& call) {
    libqueue::alert_filter filter;
    filter.rule = call.text("rule");
    filter.severity = call.text("severity");
    filter.limit = call.limit();
    filter.before = call.cursor_id();
    return filter;
}

answer list_open(api_call& call) {
    return reply_list(libqueue::alerts{call.database()}.list(filter_of(call)));
}

answer list_history(api_call& call) {
    auto filter = filter_of(call);
    filter.only_open = false;
    return reply_list(libqueue::alerts{call.database()}.list(filter));
}

answer acknowledge(api_call& call) {
    return reply_object(libqueue::alerts{call.database()}
                            .acknowledge(call.id(), call.who().actor, call.member_text("note"))
                            .value());
}

constexpr std::array list_parameters{
    field{.name = "rule", .doc = "Of this rule", .max = 64},
    field{.name = "severity", .doc = "Of this severity", .choices = "critical|warning|info"},
    before_parameter,
};

constexpr std::array acknowledge_body{
    field{.name = "note", .doc = "For whoever looks at it next", .max = 1'000},
};

constexpr std::array rows{
    route{.path = "/alerts",
          .right = "alerts.read",
          .summary = "Alerts that go on, newest first.",
          .parameters = list_parameters,
          .answers = shape::list,
          .pages = true,
          .run = list_open},
    route{.path = "/alerts/history",
          .right = "alerts.read",
          .summary = "Alerts of the last seven days, those that are over included.",
          .parameters = list_parameters,
          .answers = shape::list,
          .pages = true,
          .run = list_history},
    route{.method = verb::post,
          .path = "/alerts/{id}/acknowledge",
          .right = "alerts.acknowledge",
          .summary = "Somebody takes care of it: no more notices while it goes on.",
          .body = acknowledge_body,
          .run = acknowledge},
};

}  // namespace

std::span<const route> alert_routes() {
    return rows;
}

}  // namespace workerd::api
