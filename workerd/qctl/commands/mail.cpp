#include "commands/commands.hpp"
#include "confirm.hpp"
#include "payload.hpp"
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

#include <boost/json.hpp>

// Templates of mails, and what people said about being written to. Addresses are personal data:
// they go to the database and into no message and no audit record. The functions that change
// something write that record themselves.

namespace qctl {

namespace {

using libqueue::statement;

std::string channel_of(const invocation& call) {
    return call.text("channel").value_or("email");
}

namespace json = boost::json;

constexpr int deepest_name = 16;

json::object variables_in(const std::string& text) {
    json::error_code failed;
    auto parsed = json::parse(text, failed);
    if (failed || !parsed.is_object()) {
        throw usage("--data: expected a JSON object, got " +
                    std::string{failed ? "what is no JSON" : "another JSON value"});
    }
    return std::move(parsed.get_object());
}

// What `NAME=TEXT` or `NAME:=JSON` says of the variable.
json::value value_in(std::string_view text, bool is_json) {
    if (!is_json) {
        // With braces it would be an array of one text.
        return json::value(json::string_view{text.data(), text.size()});
    }
    json::error_code failed;
    auto parsed = json::parse(json::string_view{text.data(), text.size()}, failed);
    if (failed) {
        throw usage("--set: expected JSON behind :=, got " + in_quotes(text));
    }
    return parsed;
}

void set_variable(json::object& all, const std::string& text) {
    const auto equals = text.find('=');
    const bool is_json = equals != std::string::npos && equals > 0 && text[equals - 1] == ':';
    const auto path = split(text.substr(0, equals - (is_json ? 1 : 0)), '.');
    const bool has_hole = std::ranges::find(path, std::string{}) != path.end();
    if (equals == std::string::npos || has_hole || path.size() > deepest_name) {
        throw usage("--set: expected NAME=TEXT or NAME:=JSON, got " + in_quotes(text));
    }
    json::object* inside = &all;
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
        auto& next = (*inside)[path[i]];
        if (next.is_null()) {
            next.emplace_object();
        }
        if (!next.is_object()) {
            throw usage("--set: expected an object at " + in_quotes(path[i]) +
                        " to go into, got another value");
        }
        inside = &next.get_object();
    }
    (*inside)[path.back()] = value_in(std::string_view{text}.substr(equals + 1), is_json);
}

// What was typed stays as it is unless single variables go over it.
std::string preview_variables(const invocation& call) {
    const auto text = read_payload(call.text("data").value_or("{}"), "--data");
    auto variables = variables_in(text);
    const auto more = call.all("set");
    for (const auto& each : more) {
        set_variable(variables, each);
    }
    return more.empty() ? text : json::serialize(variables);
}

void print_part(const context& with, const libqueue::report& mail, const std::string& part) {
    const auto content = field_of(mail, part);
    if (!content) {
        throw stop{exit_code::not_found, "not_found", "the template has no " + part,
                   "a text part there always is"};
    }
    write_output(with.options.out_is_terminal ? printable_lines(*content) : *content);
    write_output(content->ends_with('\n') ? "" : "\n");
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

exit_code run_templates_preview(context& with) {
    const auto& call = with.call;
    const auto part = call.text("part");
    if (part && *part != "subject" && *part != "html" && *part != "text") {
        throw usage("--part: expected subject, html or text, got " + in_quotes(*part));
    }
    wanted_preview wanted{call.arguments[0]};
    wanted.tenant = call.text("tenant");
    wanted.locale = call.text("locale");
    if (!with.options.zone.empty()) {
        wanted.zone = with.options.zone;
    }
    if (const auto version = call.text("version")) {
        wanted.version = read_integer(*version, "--version", 1, 2'147'483'647);
    }
    wanted.variables = preview_variables(call);
    const auto made = unwrapped(with.processors().preview(wanted));
    if (part) {
        print_part(with, made, *part);
    } else {
        with.print_object(made);
    }
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
                  unwrapped(with.processors().ask(
                      "email", statement{std::string{libqueue::sql::qctl_set_preference},
                                         {with.call.text("tenant"), channel_of(with.call), words[0],
                                          category, words[2] == "on" ? "true" : "false"}})),
                  what);
    return exit_code::ok;
}

exit_code run_preferences_suppress(context& with) {
    if (only_planned(with, "suppressed")) {
        return exit_code::ok;
    }
    print_changed(with,
                  unwrapped(with.processors().ask(
                      "email", statement{std::string{libqueue::sql::qctl_suppress},
                                         {with.call.text("tenant"), channel_of(with.call),
                                          with.call.arguments[0],
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
    print_changed(with,
                  unwrapped(with.processors().ask(
                      "email", statement{std::string{libqueue::sql::qctl_unsuppress},
                                         {with.call.text("tenant"), channel_of(with.call),
                                          with.call.arguments[0]}})),
                  "no longer suppressed");
    return exit_code::ok;
}

}  // namespace qctl
