#include "commands/commands.hpp"
#include "row_builder.hpp"
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

exit_code print_alerts(context& with, const libqueue::alert_filter& filter) {
    const auto rows = libqueue::alerts{with.client()}.list(filter);
    with.print_list(rows);
    flush_output();
    if (rows.next) {
        with.notes.note("there may be more: --before " + std::to_string(*rows.next));
    } else if (rows.rows.empty()) {
        with.notes.note(filter.only_open ? "no alert goes on" : "nothing matches");
    }
    return exit_code::ok;
}

std::string user_name() {
    const char* const name = std::getenv("USER");
    return name == nullptr || *name == '\0' ? "qctl" : std::string{name};
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
    const auto done = unwrapped(
        libqueue::alerts{with.client()}.acknowledge(id, user_name(), with.call.text("note")));
    with.print_result(name + ": acknowledged", done);
    return exit_code::ok;
}

}  // namespace qctl
