#include "stream.hpp"

#include "api_call.hpp"
#include "routes/routes.hpp"
#include "surroundings.hpp"

#include <array>

namespace workerd::api {

namespace {

answer stream(api_call& call) {
    auto* hub = call.around().events();
    if (hub == nullptr)
        refuse(503, "unavailable", "this process sends no events");
    answer made{200, {}, "text/event-stream"};
    made.events = hub->open(call.who(), call.facts().token, call.facts().last_event_id);
    return made;
}

constexpr std::array rows{
    route{.path = "/stream",
          .right = "overview.read",
          .summary = "What happens, as it happens: the events overview, operation and alert.",
          .answers = shape::events,
          .run = stream},
};

}  // namespace

std::span<const route> stream_routes() {
    return rows;
}

}  // namespace workerd::api
