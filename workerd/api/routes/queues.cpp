#include "api_call.hpp"
#include "routes/routes.hpp"

#include <libqueue/operations.hpp>

#include <array>

namespace workerd::api {

namespace {

answer list_queues(api_call& call) {
    return reply_list(libqueue::operations{call.database()}.list_queues());
}

answer show_queue(api_call& call) {
    return reply_object(libqueue::operations{call.database()}.show_queue(call.name()).value());
}

constexpr std::array rows{
    route{.path = "/queues",
          .right = "queues.read",
          .summary = "All queues with what stands in them.",
          .answers = shape::list,
          .run = list_queues},
    route{.path = "/queues/{name}",
          .right = "queues.read",
          .summary = "One queue: what stands in it, its settings, its workers and its lines.",
          .run = show_queue},
};

}  // namespace

std::span<const route> queue_routes() {
    return rows;
}

}  // namespace workerd::api
