#include "api_call.hpp"
#include "rights.hpp"
#include "routes/routes.hpp"
#include "surroundings.hpp"

#include <libqueue/bulk.hpp>

#include <boost/json/object.hpp>

#include <array>
#include <chrono>

namespace workerd::api {

namespace {

answer create_operation(api_call& call) {
    const auto action = libqueue::parse_bulk_action(call.member_text("action").value_or(""));
    if (!action) {
        refuse_value("body.action", "retry, cancel, replay, discard or purge", "another");
    }
    auto which = libqueue::parse_filter(call.member_text("filter").value_or("")).value();
    libqueue::bulk bulk{call.database()};
    if (call.member_flag("dry_run").value_or(false)) {
        const auto counted = bulk.count(*action, which).value();
        return reply_json(
            boost::json::object{{"count", counted.count}, {"count_exact", counted.exact}});
    }
    if (!has_right(call.who(), "operations.run", *call.around().operator_rights())) {
        refuse(403, "forbidden", "expected the right operations.run, or dry_run");
    }
    libqueue::new_bulk wanted{*action, std::move(which)};
    wanted.per_second = call.member_number("rate");
    wanted.reason = call.member_text("reason");
    if (const auto undo = call.member_integer("undo_seconds")) {
        wanted.undo = std::chrono::seconds{*undo};
    }
    const auto id = bulk.create(wanted).value();
    call.note_change();
    auto said = reply_object(bulk.show(id).value(), 202);
    return said.with("Location", "/api/v1/operations/" + std::to_string(id));
}

answer list_operations(api_call& call) {
    return reply_list(libqueue::bulk{call.database()}.list(call.flag("unfinished"),
                                                           call.cursor_id(), call.limit()));
}

answer show_operation(api_call& call) {
    return reply_object(libqueue::bulk{call.database()}.show(call.id()).value());
}

answer cancel_operation(api_call& call) {
    libqueue::bulk bulk{call.database()};
    bulk.cancel(call.id()).value();
    return reply_object(bulk.show(call.id()).value());
}

constexpr std::array create_body{
    field{"action", value_type::text, "What to do to every job that matches.", true, 0, 0,
          "retry|cancel|replay|discard|purge"},
    field{"filter", value_type::text, "Which jobs; at least one term.", true, 1, 4096},
    field{"rate", value_type::number, "Jobs per second; as fast as possible unless given.", false,
          0, 100'000},
    field{"reason", value_type::text, "Kept as the error of cancelled jobs.", false, 0, 1024},
    field{"undo_seconds", value_type::integer,
          "How long it can be cancelled before anything happens; 10 unless given.", false, 0,
          86'400},
    field{"dry_run", value_type::boolean, "Only count: 200 with `count` and `count_exact`."},
};
constexpr std::array list_parameters{
    field{"unfinished", value_type::boolean, "Only those that have not ended."},
    before_parameter,
};

constexpr std::array rows{
    route{.method = verb::post,
          .path = "/operations",
          .right = "operations.dry_run",
          .summary = "Do something to every job that matches, in the background.",
          .body = create_body,
          .status = 202,
          .run = create_operation},
    route{.path = "/operations",
          .right = "operations.read",
          .summary = "Bulk operations, newest first.",
          .parameters = list_parameters,
          .answers = shape::list,
          .pages = true,
          .run = list_operations},
    route{.path = "/operations/{id}",
          .right = "operations.read",
          .summary = "One bulk operation and how far it is.",
          .run = show_operation},
    route{.method = verb::post,
          .path = "/operations/{id}/cancel",
          .right = "operations.run",
          .summary = "End an operation; what is done stays done.",
          .run = cancel_operation},
};

}  // namespace

std::span<const route> operation_routes() {
    return rows;
}

}  // namespace workerd::api
