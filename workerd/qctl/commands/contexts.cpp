#include "commands/commands.hpp"
#include "named_contexts.hpp"
#include "row_builder.hpp"
#include "server/api_client.hpp"
#include "values.hpp"

namespace qctl {

namespace {

std::filesystem::path path_here() {
    return context_path(process_environment());
}

void print_context_result(context& with, const std::string& name, const std::string& what) {
    row_builder row;
    row.text("name", name).text("result", what);
    with.print_result("context " + name + ": " + what, row.done());
}

std::optional<std::string> set_or_null(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional{text};
}

// What a relative path means must not depend on the folder of the next command.
std::string absolute_path(const std::string& text) {
    return text.empty() ? text : std::filesystem::absolute(text).lexically_normal().string();
}

void change(named_context& entry, const invocation& call) {
    if (call.has("url") && call.has("dsn")) {
        throw usage("--url and --dsn: expected at most one of them, got both");
    }
    if (const auto url = call.text("url")) {
        entry.server = checked_server_url(*url);
        entry.db.clear();
    }
    if (const auto dsn = call.text("dsn")) {
        if (masked_dsn(*dsn) != *dsn) {
            throw usage("--dsn: expected no password, got one",
                        "libpq reads it from the password file, ~/.pgpass or PGPASSFILE");
        }
        entry.db = *dsn;
        entry.server.clear();
    }
    entry.token_file = absolute_path(call.text("token").value_or(entry.token_file));
    entry.ca_file = absolute_path(call.text("ca").value_or(entry.ca_file));
    entry.schema = call.text("in-schema").value_or(entry.schema);
    entry.is_protected = (entry.is_protected || call.has("protected")) && !call.has("unprotected");
    if (entry.server.empty() && entry.db.empty()) {
        throw usage("context set: expected --url or --dsn, got neither", "qctl context set --help");
    }
}

}  // namespace

exit_code run_context_list(context& with) {
    const auto known = read_contexts(path_here());
    libqueue::report rows;
    const auto text = libqueue::column_type::text;
    const auto boolean = libqueue::column_type::boolean;
    rows.columns = {{"name", text},   {"current", boolean}, {"server", text},      {"db", text},
                    {"schema", text}, {"token_file", text}, {"protected", boolean}};
    for (const auto& each : known.entries) {
        rows.rows.push_back({each.name, each.name == known.current ? "t" : "f",
                             set_or_null(each.server), set_or_null(masked_dsn(each.db)),
                             set_or_null(each.schema), set_or_null(each.token_file),
                             each.is_protected ? "t" : "f"});
    }
    with.print_list(rows);
    flush_output();
    if (known.entries.empty()) {
        with.notes.note("no contexts; qctl context set NAME --url URL makes one");
    }
    return exit_code::ok;
}

exit_code run_context_use(context& with) {
    const auto path = path_here();
    auto known = read_contexts(path);
    const auto& name = known.at(with.call.arguments[0]).name;
    if (!with.options.dry_run) {
        known.current = name;
        write_contexts(path, known);
    }
    print_context_result(with, name, with.options.dry_run ? "would be used" : "used");
    return exit_code::ok;
}

exit_code run_context_set(context& with) {
    const auto& name = with.call.arguments[0];
    demand_context_name(name);
    const auto path = path_here();
    auto known = read_contexts(path);
    named_context entry;
    entry.name = name;
    if (const auto* const old = known.find(name)) {
        entry = *old;
    }
    change(entry, with.call);
    std::erase_if(known.entries, [&](const auto& each) { return each.name == name; });
    known.entries.push_back(std::move(entry));
    if (!with.options.dry_run) {
        write_contexts(path, known);
    }
    print_context_result(with, name, with.options.dry_run ? "would be set" : "set");
    flush_output();
    if (known.current != name) {
        with.notes.note("qctl context use " + name + " makes it the usual one");
    }
    return exit_code::ok;
}

exit_code run_context_delete(context& with) {
    const auto path = path_here();
    auto known = read_contexts(path);
    const std::string name = known.at(with.call.arguments[0]).name;
    if (!with.options.dry_run) {
        std::erase_if(known.entries, [&](const auto& each) { return each.name == name; });
        known.current = known.current == name ? std::string{} : known.current;
        write_contexts(path, known);
    }
    print_context_result(with, name, with.options.dry_run ? "would be deleted" : "deleted");
    return exit_code::ok;
}

}  // namespace qctl
