#include "commands/commands.hpp"
#include "confirm.hpp"
#include "printable.hpp"
#include "row_builder.hpp"
#include "server/api_report.hpp"
#include "unwrapped.hpp"

#include <sql/qctl_find_template.hpp>
#include <sql/qctl_preference_history.hpp>
#include <sql/qctl_set_preference.hpp>
#include <sql/qctl_show_preferences.hpp>
#include <sql/qctl_suppress.hpp>
#include <sql/qctl_unsuppress.hpp>

// Templates of mails, and what people said about being written to. Addresses are personal data:
// they go to the database and into no message and no audit record.

namespace qctl {

namespace {

using libqueue::statement;

std::string channel_of(const invocation& call) {
    return call.text("channel").value_or("email");
}

void print_changed(context& with, const libqueue::report& row, const std::string& what) {
    const bool changed = field_of(row, "changed").value_or("") == "t";
    row_builder shown;
    shown.text("result", what).boolean("changed", changed);
    with.print_result(changed ? what : what + " already", shown.done());
}

bool only_planned(context& with, const std::string& what) {
    if (with.options.dry_run) {
        row_builder row;
        row.text("result", "would be " + what);
        with.print_result("would be " + what, row.done());
    }
    return with.options.dry_run;
}

}  // namespace

exit_code run_templates_list(context& with) {
    const auto& call = with.call;
    const auto limit = call.text("limit");
    const auto rows = unwrapped(with.processors().templates(
        call.text("name"), call.text("status"), call.text("tenant"),
        limit ? static_cast<int>(read_integer(*limit, "--limit", 1, 500)) : 100));
    with.print_list(rows);
    flush_output();
    if (rows.rows.empty()) {
        with.notes.note("no templates match");
    }
    return exit_code::ok;
}

exit_code run_templates_show(context& with) {
    const auto& call = with.call;
    const auto found = unwrapped(with.processors().ask(
        "email", statement{std::string{libqueue::sql::qctl_find_template},
                           {call.text("tenant"), call.arguments[0],
                            call.text("locale").value_or("default"), call.text("version")}}));
    if (found.rows.empty()) {
        throw stop{exit_code::not_found, "not_found",
                   "no template " + in_quotes(call.arguments[0]) + " for this locale and version",
                   "qctl templates list shows what there is"};
    }
    with.print_object(found);
    return exit_code::ok;
}

exit_code run_preferences_show(context& with) {
    const auto rows = unwrapped(with.processors().ask(
        "email",
        statement{std::string{libqueue::sql::qctl_show_preferences},
                  {with.call.text("tenant"), channel_of(with.call), with.call.arguments[0]}}));
    with.print_list(rows);
    flush_output();
    if (rows.rows.empty()) {
        with.notes.note("nothing was said for this address");
    }
    return exit_code::ok;
}

exit_code run_preferences_history(context& with) {
    const auto limit = with.call.text("limit");
    with.print_list(unwrapped(with.processors().ask(
        "email",
        statement{std::string{libqueue::sql::qctl_preference_history},
                  {with.call.text("tenant"), channel_of(with.call), with.call.arguments[0],
                   std::to_string(limit ? read_integer(*limit, "--limit", 1, 10'000) : 100)}})));
    return exit_code::ok;
}

exit_code run_preferences_set(context& with) {
    const auto& words = with.call.arguments;
    if (words[2] != "on" && words[2] != "off") {
        throw usage("STATE: expected on or off, got " + in_quotes(words[2]));
    }
    const std::string what = "switched " + words[2];
    if (only_planned(with, what)) {
        return exit_code::ok;
    }
    const std::string category = words[1] == "all" ? "" : words[1];
    print_changed(with,
                  unwrapped(with.processors().act(
                      "email", "preferences.set", {},
                      statement{std::string{libqueue::sql::qctl_set_preference},
                                {with.call.text("tenant"), channel_of(with.call), words[0],
                                 category, words[2] == "on" ? "true" : "false"}})),
                  what);
    return exit_code::ok;
}

exit_code run_preferences_suppress(context& with) {
    if (only_planned(with, "suppressed")) {
        return exit_code::ok;
    }
    print_changed(
        with,
        unwrapped(with.processors().act(
            "email", "preferences.suppress", {},
            statement{std::string{libqueue::sql::qctl_suppress},
                      {with.call.text("tenant"), channel_of(with.call), with.call.arguments[0],
                       with.call.text("reason").value_or("manual")}})),
        "suppressed");
    return exit_code::ok;
}

exit_code run_preferences_unsuppress(context& with) {
    demand_consent(with.options, danger::moderate, {});
    if (only_planned(with, "no longer suppressed")) {
        return exit_code::ok;
    }
    ask_consent(with.options, danger::moderate, {}, "let this address be written to again");
    print_changed(
        with,
        unwrapped(with.processors().act(
            "email", "preferences.unsuppress", {},
            statement{std::string{libqueue::sql::qctl_unsuppress},
                      {with.call.text("tenant"), channel_of(with.call), with.call.arguments[0]}})),
        "no longer suppressed");
    return exit_code::ok;
}

}  // namespace qctl
