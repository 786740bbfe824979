#include "commands/commands.hpp"
#include "commands/sweep.hpp"
#include "confirm.hpp"
#include "faults.hpp"
#include "printable.hpp"
#include "row_builder.hpp"

#include <libqueue/archives.hpp>

namespace qctl {

namespace {

template <typename Value>
Value unwrapped(libqueue::result<Value> answer) {
    if (!answer) {
        throw to_stop(answer.error());
    }
    return std::move(*answer);
}

void demand_done(const libqueue::result<void>& answer) {
    if (!answer) {
        throw to_stop(answer.error());
    }
}

libqueue::archives archives_of(context& with) {
    return libqueue::archives{with.client()};
}

void print_archive_result(context& with, const char* column, const std::string& name,
                          const std::string& what) {
    row_builder row;
    row.text(column, name).text("result", what);
    with.print_result(std::string{column} + " " + printable(name) + ": " + what, row.done());
}

// Which of an argument and the flag that stands for "nothing" was given.
std::optional<std::string> argument_or(const invocation& call, const char* name, const char* flag) {
    const bool given = call.arguments.size() > 1;
    if (given == call.has(flag)) {
        throw usage("archive " + std::string{call.leaf->name} + ": expected " + name + " or --" +
                    flag + ", got " + (given ? "both" : "neither"));
    }
    return given ? std::optional{call.arguments[1]} : std::nullopt;
}

libqueue::erasure_request read_request(context& with) {
    libqueue::erasure_request request{with.call.arguments[0]};
    request.tenant_id = with.call.text("tenant");
    request.reason = with.call.text("reason");
    request.dry_run = with.options.dry_run;
    return request;
}

std::string erasure_text(const libqueue::erasure& found, bool planned) {
    std::string text = planned ? "would erase " : "erased ";
    text += counted(found.jobs - (planned ? found.running : 0), "job", "jobs") + " (" +
            std::to_string(found.cancelled) + " of them waiting), " +
            counted(found.attempts, "attempt", "attempts") + ", " +
            counted(found.dead_letters, "dead letter", "dead letters") + ", " +
            counted(found.archived, "archived job", "archived jobs");
    if (found.running > 0) {
        text += "; " + counted(found.running, "running job", "running jobs") +
                (planned ? " later" : " told to stop, to be erased after");
    }
    return text;
}

}  // namespace

exit_code run_archive_list(context& with) {
    const auto rows = archives_of(with).list();
    with.print_list(rows);
    flush_output();
    if (rows.rows.empty()) {
        with.notes.note("no archives; qctl archive set makes one");
    }
    return exit_code::ok;
}

exit_code run_archive_jobs(context& with) {
    const auto& call = with.call;
    libqueue::archived_filter filter{call.arguments[0]};
    filter.kind = call.text("kind");
    filter.limit = 50;
    if (const auto before = call.text("before")) {
        filter.before = read_past(*before, "--before", system_now());
    }
    if (const auto after = call.text("after")) {
        filter.after = read_id(*after, "--after");
    }
    if (const auto limit = call.text("limit")) {
        filter.limit = static_cast<int>(read_integer(*limit, "--limit", 1, 10'000));
    }
    // A page may end early for its size.
    libqueue::report all;
    int left = filter.limit;
    while (left > 0) {
        filter.limit = left;
        const auto page = unwrapped(archives_of(with).jobs(filter));
        append_rows(all, page);
        if (page.rows.empty()) {
            break;
        }
        left -= static_cast<int>(page.rows.size());
        filter.after = read_id(page.rows.back()[0].value_or(""), "id");
    }
    with.print_list(all);
    flush_output();
    if (left == 0) {
        with.notes.note("there may be more: --after " + std::to_string(*filter.after));
    } else if (all.rows.empty()) {
        with.notes.note("no archived jobs match");
    }
    return exit_code::ok;
}

exit_code run_archive_set(context& with) {
    const auto& kind = with.call.arguments[0];
    const auto archive = argument_or(with.call, "NAME", "none");
    const std::string what = archive ? "to archive " + printable(*archive) : "to no archive";
    if (!with.options.dry_run) {
        demand_done(archives_of(with).set(kind, archive));
    }
    print_archive_result(with, "kind", kind, (with.options.dry_run ? "would go " : "goes ") + what);
    return exit_code::ok;
}

exit_code run_archive_keep(context& with) {
    const auto& name = with.call.arguments[0];
    const auto given = argument_or(with.call, "DUR", "for-ever");
    const auto time = given ? std::optional{read_duration(*given, "DUR")}
                            : std::optional<std::chrono::milliseconds>{};
    const std::string what = "kept " + (given ? "for " + *given : std::string{"for ever"});
    if (with.options.dry_run) {
        static_cast<void>(unwrapped(archives_of(with).count(libqueue::archived_filter{name})));
    } else {
        demand_done(archives_of(with).set_retention(name, time));
    }
    print_archive_result(with, "archive", name, (with.options.dry_run ? "would be " : "") + what);
    return exit_code::ok;
}

exit_code run_archive_prune(context& with) {
    const auto& name = with.call.arguments[0];
    const auto text = with.call.text("before");
    if (!text) {
        throw usage("archive prune: expected --before TIME, got none");
    }
    const auto before = read_past(*text, "--before", system_now());
    demand_consent(with.options, danger::moderate, name);
    libqueue::archived_filter filter{name};
    filter.before = before;
    const auto count = unwrapped(archives_of(with).count(filter));
    sweep what;
    what.doing = "pruning";
    what.done = "deleted";
    what.thing = "archived job";
    what.things = "archived jobs";
    what.column = "deleted";
    what.run = [&](const libqueue::progress_callback& progress) {
        return unwrapped(archives_of(with).prune(name, before, progress));
    };
    if (with.options.dry_run) {
        print_plan(with, what, count);
        return exit_code::ok;
    }
    ask_consent(with.options, danger::moderate, name,
                "delete " + counted(count, "archived job", "archived jobs") + " for good");
    return run_sweep(with, what);
}

exit_code run_erase(context& with) {
    auto request = read_request(with);
    demand_consent(with.options, danger::moderate, "erase");
    if (!request.dry_run && with.options.can_ask()) {
        auto planned = request;
        planned.dry_run = true;
        ask_consent(with.options, danger::moderate, "erase",
                    "erase: " + erasure_text(unwrapped(erase(with.client(), planned)), true));
    }
    const auto found = unwrapped(erase(with.client(), request));
    const auto number = [](const std::optional<std::int64_t>& value) {
        return value ? std::optional{std::to_string(*value)} : std::nullopt;
    };
    row_builder row;
    row.json("id", number(found.id))
        .integer("jobs", found.jobs)
        .integer("attempts", found.attempts)
        .integer("dead_letters", found.dead_letters)
        .integer("archived", found.archived)
        .json("keys", number(found.keys))
        .integer("cancelled", found.cancelled)
        .integer("running", found.running)
        .boolean("dry_run", request.dry_run);
    with.print_result(erasure_text(found, request.dry_run), row.done());
    flush_output();
    if (found.jobs + found.archived + found.running == 0) {
        with.notes.warn(request.tenant_id
                            ? "the tenant has nothing of this subject"
                            : "no job without tenant has anything of this subject; --tenant looks "
                              "at a tenant's jobs");
    }
    return exit_code::ok;
}

}  // namespace qctl
