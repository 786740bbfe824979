#include "commands/commands.hpp"
#include "confirm.hpp"
#include "faults.hpp"
#include "row_builder.hpp"

#include <libqueue/migrate.hpp>

namespace qctl {

namespace {

using libqueue::migration_status;

libqueue::migrate_options migrate_options_of(const context& with) {
    libqueue::migrate_options options;
    options.dsn = with.options.dsn;
    options.schema = with.options.schema;
    options.dry_run = with.options.dry_run;
    return options;
}

libqueue::report status_rows(const std::vector<migration_status>& all) {
    libqueue::report rows;
    rows.columns = row_builder{}
                       .integer("number", 0)
                       .text("name", {})
                       .boolean("breaking", false)
                       .boolean("applied", false)
                       .boolean("checksum_ok", true)
                       .boolean("unknown", false)
                       .time("applied_at", {})
                       .done()
                       .columns;
    for (const auto& each : all) {
        const auto applied_at =
            each.applied_at.empty() ? std::nullopt : std::optional{each.applied_at};
        rows.rows.push_back({std::to_string(each.number), each.name,
                             each.breaking ? "true" : "false", each.applied ? "true" : "false",
                             each.checksum_ok ? "true" : "false", each.unknown ? "true" : "false",
                             applied_at});
    }
    return rows;
}

std::vector<migration_status> state_of(const context& with) {
    auto state = libqueue::migration_state(migrate_options_of(with));
    if (!state) {
        throw to_stop(state.error());
    }
    return std::move(*state);
}

bool is_altered(const migration_status& each) noexcept {
    return each.applied && (!each.checksum_ok || each.unknown);
}

bool is_pending(const migration_status& each) noexcept {
    return !each.applied;
}

// Prints what was found; a person sees only that, a program the whole list in any case.
exit_code report_findings(context& with, const std::vector<migration_status>& all,
                          bool (*is_finding)(const migration_status&), const std::string& fine,
                          const std::string& bad, const std::string& hint) {
    std::vector<migration_status> found;
    for (const auto& each : all) {
        if (is_finding(each)) {
            found.push_back(each);
        }
    }
    const bool people =
        with.options.format == output_format::table || with.options.format == output_format::wide;
    if (found.empty() && people) {
        write_output(fine + '\n');
    } else {
        with.print_list(status_rows(found));
    }
    flush_output();
    if (!found.empty()) {
        throw stop{
            exit_code::findings, "findings",
            counted(static_cast<std::int64_t>(found.size()), "migration", "migrations") + " " + bad,
            hint};
    }
    return exit_code::ok;
}

}  // namespace

exit_code run_migrate_status(context& with) {
    const auto all = state_of(with);
    with.print_list(status_rows(all));
    flush_output();
    for (const auto& each : all) {
        if (is_pending(each)) {
            with.notes.note("pending migrations: qctl migrate up applies them");
            break;
        }
    }
    return exit_code::ok;
}

exit_code run_migrate_up(context& with) {
    if (with.call.has("show-sql") && !with.options.dry_run) {
        throw usage("--show-sql: only with --dry-run",
                    "qctl migrate sql prints the SQL of all migrations");
    }
    auto done = libqueue::migrate(migrate_options_of(with));
    if (!done) {
        throw to_stop(done.error());
    }
    if (with.call.has("show-sql")) {
        write_output(done->empty() ? "" : libqueue::migration_sql(with.options.schema));
        return exit_code::ok;
    }
    const bool people =
        with.options.format == output_format::table || with.options.format == output_format::wide;
    if (done->empty() && people) {
        write_output("the schema is up to date\n");
    } else {
        with.print_list(status_rows(*done));
    }
    flush_output();
    if (!done->empty()) {
        with.notes.note(
            (with.options.dry_run ? "would apply " : "applied ") +
            counted(static_cast<std::int64_t>(done->size()), "migration", "migrations"));
    }
    return exit_code::ok;
}

exit_code run_migrate_verify(context& with) {
    return report_findings(
        with, state_of(with), is_altered, "every applied migration is as this build carries it",
        "applied but unlike this build's",
        "they were altered, or a newer build applied them: use the build that did");
}

exit_code run_migrate_check(context& with) {
    return report_findings(
        with, state_of(with),
        [](const migration_status& each) { return is_pending(each) || is_altered(each); },
        "the schema fits this build", "pending or unlike this build's",
        "qctl migrate up applies what is pending");
}

exit_code run_migrate_sql(context& with) {
    write_output(libqueue::migration_sql(with.options.schema));
    return exit_code::ok;
}

exit_code run_migrate_adopt(context& with) {
    const auto name = with.call.text("name").value_or("");
    demand_consent(with.options, danger::moderate, name);
    if (!with.options.dry_run) {
        ask_consent(with.options, danger::moderate, name,
                    "let workers run the jobs that stand in this database");
        if (const auto done = libqueue::adopt(migrate_options_of(with), name); !done) {
            throw to_stop(done.error());
        }
    }
    const std::string what = with.options.dry_run ? "would be adopted" : "adopted";
    row_builder row;
    row.text("result", what).text("name", name.empty() ? std::nullopt : std::optional{name});
    with.print_result("this database: " + what, row.done());
    return exit_code::ok;
}

}  // namespace qctl
