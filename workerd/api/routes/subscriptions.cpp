#include "api_call.hpp"
#include "routes/routes.hpp"

#include <libqueue/topics.hpp>

#include <array>

namespace workerd::api {

namespace {

using libqueue::topics;

answer list_subscriptions(api_call& call) {
    libqueue::subscription_filter filter;
    filter.pattern = call.text("pattern");
    filter.kind = call.text("kind");
    filter.tenant_id = call.tenant();
    filter.after = call.cursor_id();
    filter.limit = call.limit();
    return reply_page(topics{call.database()}.list(filter), filter.limit);
}

answer add_subscription(api_call& call) {
    libqueue::new_subscription wanted{call.member_text("pattern").value_or(""),
                                      call.member_text("kind").value_or("")};
    wanted.queue = call.member_text("queue");
    if (const auto priority = call.member_integer("priority"))
        wanted.priority = static_cast<int>(*priority);
    if (const auto attempts = call.member_integer("max_attempts"))
        wanted.max_attempts = static_cast<int>(*attempts);
    if (const auto delay = call.member_integer("delay_ms"))
        wanted.delay = std::chrono::milliseconds{*delay};
    wanted.filter = call.member_text("filter");
    wanted.ordering_key_path = call.member_text("ordering_key_path");
    wanted.tenant_id = call.tenant();
    boost::json::object body;
    body["id"] = topics{call.database()}.subscribe(wanted).value();
    return reply_json(body, 201);
}

answer remove_subscription(api_call& call) {
    if (!topics{call.database()}.unsubscribe(call.id()).value())
        refuse_missing("such subscription");
    return reply_nothing();
}

answer unrouted(api_call& call) {
    return reply_list(topics{call.database()}.unrouted(call.limit()));
}

constexpr std::array list_parameters{
    field{"pattern", value_type::text, "Exact.", false, 1, 256},
    field{"kind", value_type::text, "Exact, or a prefix that ends in `*`.", false, 1, 128},
    after_parameter,
    tenant_parameter,
};
constexpr std::array subscription_body{
    field{"pattern", value_type::text, "`*` is one word, `#` any number of words.", true, 1, 256},
    field{"kind", value_type::text, "Of the jobs that events become.", true, 1, 128},
    field{"queue", value_type::text, "Must exist.", false, 1, 64},
    field{"priority", value_type::integer, "Of the jobs.", false, -1000, 1000},
    field{"max_attempts", value_type::integer, "Of the jobs.", false, 1, 1000},
    field{"delay_ms", value_type::integer, "Of the jobs.", false, 0, 31'536'000'000},
    field{"filter", value_type::text, "A JSON path condition: `$.total > 100`.", false, 1, 1000},
    field{"ordering_key_path", value_type::text, "Events of one value run one after the other.",
          false, 1, 1000},
    tenant_parameter,
};
constexpr std::array limit_only{
    field{"limit", value_type::integer, "How many at most.", false, 1, 500},
};

constexpr std::array rows{
    route{.path = "/subscriptions",
          .right = "subscriptions.read",
          .summary = "Who subscribed to which events.",
          .parameters = list_parameters,
          .answers = shape::list,
          .pages = true,
          .run = list_subscriptions},
    route{.path = "/subscriptions/unrouted",
          .right = "topics.read",
          .summary = "Topics of events that nobody heard.",
          .parameters = limit_only,
          .answers = shape::list,
          .run = unrouted},
    route{.method = verb::post,
          .path = "/subscriptions",
          .right = "subscriptions.change",
          .summary = "Subscribe, or change the subscription of that pattern, kind and tenant.",
          .body = subscription_body,
          .status = 201,
          .run = add_subscription},
    route{.method = verb::remove,
          .path = "/subscriptions/{id}",
          .right = "subscriptions.change",
          .summary = "End a subscription; jobs made before stay.",
          .answers = shape::nothing,
          .status = 204,
          .run = remove_subscription},
};

}  // namespace

std::span<const route> subscription_routes() {
    return rows;
}

}  // namespace workerd::api
