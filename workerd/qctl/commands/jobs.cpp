#include "commands/commands.hpp"
#include "faults.hpp"
#include "filter_words.hpp"
#include "job_row.hpp"
#include "row_builder.hpp"
#include "unwrapped.hpp"

namespace qctl {

namespace {

using libqueue::job_id;
using libqueue::report;

// One job of `jobs show`; with --attempts its history becomes one more column.
report shown_job(context& with, const libqueue::job_info& job) {
    auto row = job_row(job);
    const bool tables =
        with.options.format == output_format::table || with.options.format == output_format::wide;
    if (with.call.has("attempts") && !tables) {
        row.columns.emplace_back("attempts", libqueue::column_type::json);
        row.rows[0].push_back(json_array(with.operations().attempts(job.id)));
    }
    return row;
}

void print_for_people(context& with, const libqueue::job_info& job, bool first) {
    if (!first) {
        write_output("\n");
    }
    with.print_object(shown_job(with, job));
    if (with.call.has("attempts")) {
        write_output("\n");
        auto attempts = with.operations().attempts(job.id);
        // Over a server an empty list has no columns.
        if (with.options.format == output_format::table && !attempts.rows.empty()) {
            attempts = chosen_columns(
                attempts, {"attempt", "outcome", "started_at", "duration_ms", "worker", "error"});
        }
        with.print_list(attempts);
    }
}

exit_code list_by_filter(context& with) {
    const auto& call = with.call;
    for (const auto* const flag : {"since", "before"}) {
        if (call.has(flag)) {
            throw usage("--" + std::string{flag} + ": expected without FILTER, got both",
                        "in a filter write created: and id:<, and go on with --cursor");
        }
    }
    int limit = 50;
    if (const auto text = call.text("limit")) {
        limit = static_cast<int>(read_integer(*text, "--limit", 1, 10'000));
    }
    const auto page =
        unwrapped(with.bulk().find(filter_of_words(call, 0), call.text("cursor"), limit));
    with.print_list(page.rows);
    flush_output();
    if (page.rows.capped) {
        with.notes.warn("the time for one page is up; to go on: --cursor " + *page.next);
    } else if (page.next) {
        with.notes.note("there may be more: --cursor " + *page.next);
    } else if (page.rows.rows.empty()) {
        with.notes.note("no jobs match");
    }
    return exit_code::ok;
}

}  // namespace

exit_code run_jobs_list(context& with) {
    if (!with.call.arguments.empty()) {
        return list_by_filter(with);
    }
    const auto cursor = with.call.text("cursor");
    if (cursor && with.server() == nullptr) {
        throw usage("--cursor: expected a FILTER beside it, got none");
    }
    libqueue::job_filter filter;
    const auto& call = with.call;
    if (const auto states = call.text("state")) {
        filter.states = read_states(*states, "--state");
    }
    filter.queue = call.text("queue");
    filter.kind = call.text("kind");
    filter.tag = call.text("tag");
    filter.tenant_id = call.text("tenant");
    if (const auto since = call.text("since")) {
        filter.since = read_past(*since, "--since", system_now());
    }
    if (const auto before = call.text("before")) {
        filter.before = read_id(*before, "--before");
    }
    if (const auto limit = call.text("limit")) {
        filter.limit = static_cast<int>(read_integer(*limit, "--limit", 1, 10'000));
    }
    const auto page = with.operations().list_jobs(filter, cursor);
    const bool served = with.server() != nullptr;
    const std::string go_on = (served ? "--cursor " : "--before ") + page.next.value_or("");
    with.print_list(page.rows);
    flush_output();
    if (page.rows.capped) {
        // A script must not take the end of the search for the end of the list.
        with.notes.warn("looked at 100000 jobs and stopped; to go on: " + go_on);
    } else if (page.next && served) {
        // Nor has it another way to go on.
        with.notes.warn("there may be more: " + go_on);
    } else if (page.next) {
        with.notes.note("there may be more: " + go_on);
    } else if (page.rows.rows.empty()) {
        with.notes.note("no jobs match");
    }
    return exit_code::ok;
}

exit_code run_jobs_show(context& with) {
    const auto format = with.options.format;
    const bool people = format == output_format::table || format == output_format::wide;
    const bool single = with.call.arguments.size() == 1;
    report all;
    std::optional<stop> missing;
    bool first = true;
    for (const auto& argument : with.call.arguments) {
        const auto job = with.jobs().get(read_id(argument, "ID"));
        if (!job) {
            missing = to_stop(job.error());
            if (!single) {
                with.notes.warn(missing->what());
            }
        } else if (people) {
            print_for_people(with, *job, first);
            first = false;
        } else {
            append_rows(all, shown_job(with, *job));
            first = false;
        }
    }
    if (!people && !first) {
        single ? with.print_object(all) : with.print_list(all);
    }
    if (missing) {
        const auto exit = first ? missing->exit : exit_code::partly_done;
        throw stop{exit, missing->code, missing->what(), missing->hint};
    }
    return exit_code::ok;
}

exit_code run_jobs_count(context& with) {
    const auto found = unwrapped(with.jobs().count(filter_of_words(with.call, 0)));
    row_builder row;
    row.integer("count", found.count).boolean("count_exact", found.exact);
    with.print_result((found.exact ? "" : "at least ") + counted(found.count, "job", "jobs"),
                      row.done());
    return exit_code::ok;
}

exit_code run_jobs_lineage(context& with) {
    with.print_list(unwrapped(with.jobs().lineage(read_id(with.call.arguments[0], "ID"))));
    return exit_code::ok;
}

exit_code run_jobs_explain(context& with) {
    const auto id = read_id(with.call.arguments[0], "ID");
    auto why = with.operations().explain(id);
    if (!why) {
        throw to_stop(why.error());
    }
    with.print_object(*why);
    return exit_code::ok;
}

}  // namespace qctl
