#include "commands/commands.hpp"
#include "row_builder.hpp"
#include "server/asking.hpp"
#include "server/json_body.hpp"
#include "unwrapped.hpp"
#include "values.hpp"

#include <libqueue/alerts.hpp>

#include <cstdlib>
#include <string>

namespace qctl {

namespace {

constexpr int page{100};

libqueue::alert_filter filter_of(const invocation& call) {
    libqueue::alert_filter filter;
    filter.rule = call.text("rule");
    filter.severity = call.text("severity");
    filter.limit = page;
    if (const auto limit = call.text("limit")) {
        filter.limit = static_cast<int>(read_integer(*limit, "--limit", 1, 10000));
    }
    if (const auto before = call.text("before")) {
        filter.before = read_id(*before, "--before");
    }
    return filter;
}

std::string user_name() {
    const char* const name = std::getenv("USER");
    return name == nullptr || *name == '\0' ? "qctl" : std::string{name};
}

libqueue::report alerts_of(context& with, const libqueue::alert_filter& filter) {
    auto* const server = with.server();
    if (server == nullptr) {
        return libqueue::alerts{with.client()}.list(filter);
    }
    api_request request{"GET", filter.only_open ? "/alerts" : "/alerts/history"};
    add(request, "rule", filter.rule);
    add(request, "severity", filter.severity);
    add(request, "before", filter.before);
    return server->list(request, filter.limit).value();
}

libqueue::report acknowledged(context& with, std::int64_t id) {
    const auto note = with.call.text("note");
    auto* const server = with.server();
    if (server == nullptr) {
        return unwrapped(libqueue::alerts{with.client()}.acknowledge(id, user_name(), note));
    }
    // Who it is, the server knows by the token.
    api_request request{"POST", "/alerts/" + std::to_string(id) + "/acknowledge"};
    if (note) {
        request.body = json_body{}.text("note", note).done();
    }
    return unwrapped(server->object(request));
}

exit_code print_alerts(context& with, const libqueue::alert_filter& filter) {
    const auto rows = alerts_of(with, filter);
    with.print_list(rows);
    flush_output();
    if (rows.next) {
        with.notes.note("there may be more: --before " + std::to_string(*rows.next));
    } else if (rows.rows.empty()) {
        with.notes.note(filter.only_open ? "no alert goes on" : "nothing matches");
    }
    return exit_code::ok;
}

}  // namespace

exit_code run_alerts_list(context& with) {
    return print_alerts(with, filter_of(with.call));
}

exit_code run_alerts_history(context& with) {
    auto filter = filter_of(with.call);
    filter.only_open = false;
    return print_alerts(with, filter);
}

exit_code run_alerts_acknowledge(context& with) {
    const auto id = read_id(with.call.arguments[0], "ID");
    const std::string name = "alert " + std::to_string(id);
    if (with.options.dry_run) {
        row_builder row;
        row.integer("id", id).text("result", "would be acknowledged");
        with.print_result(name + ": would be acknowledged", row.done());
        return exit_code::ok;
    }
    const auto done = acknowledged(with, id);
    with.print_result(name + ": acknowledged", done);
    return exit_code::ok;
}

}  // namespace qctl
