#include "api_call.hpp"
#include "routes/routes.hpp"

#include <libqueue/bulk.hpp>
#include <libqueue/operations.hpp>
#include <libqueue/overview.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <array>
#include <chrono>

namespace workerd::api {

namespace {

// Also the stream's event of that name, so it is asked for every two seconds.
answer show_overview(api_call& call) {
    libqueue::overview seen{call.database()};
    std::string document = R"({"queues":)" + json_array(seen.queues());
    if (!call.who().tenant_id) {
        document += R"(,"database":)" + json_object(seen.database(), 0);
        document +=
            R"(,"workers":)" + json_array(libqueue::operations{call.database()}.list_workers());
    }
    document +=
        R"(,"operations":)" + json_array(libqueue::bulk{call.database()}.list(true, {}, 20));
    return answer{200, document + "}"};
}

answer show_database(api_call& call) {
    if (call.who().tenant_id) {
        refuse(403, "forbidden", "expected a token for all tenants: the database is everybody's");
    }
    libqueue::overview seen{call.database()};
    libqueue::operations operations{call.database()};
    return answer{200, with_members(json_object(seen.database(), 0),
                                    {{"tables", json_array(seen.tables())},
                                     {"cures", json_array(operations.list_cures())}})};
}

answer set_objective(api_call& call) {
    std::optional<std::chrono::milliseconds> objective;
    if (const auto seconds = call.member_number("seconds")) {
        objective = std::chrono::milliseconds{static_cast<std::int64_t>(*seconds * 1000)};
    }
    libqueue::overview{call.database()}.set_objective(call.name(), objective).value();
    return reply_nothing();
}

constexpr std::array objective_body{
    field{"seconds", value_type::number, "null or absent: none.", false, 0, 31'536'000},
};

constexpr std::array rows{
    route{.path = "/overview",
          .right = "overview.read",
          .summary = "All queues, worst first, and how workers and database are.",
          .run = show_overview},
    route{.path = "/database",
          .right = "overview.read",
          .summary = "Sizes, connections, old transactions, what ails the tables and the cure.",
          .run = show_database},
    route{.method = verb::put,
          .path = "/queues/{name}/objective",
          .right = "queues.change",
          .summary = "The oldest a waiting job may get before its queue counts as late.",
          .body = objective_body,
          .answers = shape::nothing,
          .status = 204,
          .run = set_objective},
};

}  // namespace

std::span<const route> overview_routes() {
    return rows;
}

}  // namespace workerd::api
