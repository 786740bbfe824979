#include "commands/commands.hpp"
#include "confirm.hpp"
#include "payload.hpp"
#include "printable.hpp"
#include "row_builder.hpp"
#include "unwrapped.hpp"

#include <algorithm>
#include <charconv>

namespace qctl {

namespace {

void print_schedule_result(context& with, const std::string& name, const std::string& what) {
    row_builder row;
    row.text("name", name).text("result", what);
    with.print_result("schedule " + printable(name) + ": " + what, row.done());
}

// A dry run still finds out whether there is such a schedule.
bool only_planned(context& with, const std::string& name, const std::string& what) {
    if (!with.options.dry_run) {
        return false;
    }
    static_cast<void>(unwrapped(with.schedules().show(name, with.call.text("tenant"))));
    print_schedule_result(with, name, "would be " + what);
    return true;
}

void read_misfire(const std::string& text, libqueue::new_schedule& into) {
    if (const auto policy = libqueue::parse_misfire(text);
        policy && *policy != libqueue::misfire::backfill) {
        into.when_missed = *policy;
        return;
    }
    constexpr std::string_view head{"backfill("};
    int most = 0;
    const char* const end = text.data() + text.size();
    if (text.starts_with(head)) {
        const auto [stopped, fault] = std::from_chars(text.data() + head.size(), end, most);
        if (fault == std::errc{} && std::string_view(stopped, end) == ")") {
            into.backfill(most);
            return;
        }
    }
    throw usage("--misfire: expected skip, collapse or backfill(N), got " + in_quotes(text));
}

libqueue::new_schedule schedule_from_flags(const invocation& call) {
    libqueue::new_schedule wanted{call.arguments[0], call.arguments[1], call.arguments[2]};
    if (call.arguments.size() > 3) {
        wanted.payload = read_payload(call.arguments[3], "PAYLOAD");
    }
    wanted.timezone = call.text("tz").value_or("UTC");
    wanted.tenant_id = call.text("tenant");
    wanted.queue = call.text("queue");
    if (const auto policy = call.text("misfire")) {
        read_misfire(*policy, wanted);
    }
    if (const auto grace = call.text("grace")) {
        wanted.misfire_grace = read_duration(*grace, "--grace");
    }
    if (call.has("no-overlap")) {
        static_cast<void>(wanted.without_overlap());
    }
    if (const auto priority = call.text("priority")) {
        wanted.priority = static_cast<int>(read_integer(*priority, "--priority", -32768, 32767));
    }
    if (const auto attempts = call.text("max-attempts")) {
        wanted.max_attempts = static_cast<int>(read_integer(*attempts, "--max-attempts", 1, 1000));
    }
    return wanted;
}

libqueue::report times_report(const std::vector<time_point>& times) {
    libqueue::report rows;
    rows.columns.emplace_back("at", libqueue::column_type::time);
    for (const time_point at : times) {
        rows.rows.push_back({iso_instant(at)});
    }
    return rows;
}

}  // namespace

exit_code run_schedules_list(context& with) {
    libqueue::schedule_filter filter;
    const auto& call = with.call;
    filter.name = call.text("name");
    filter.kind = call.text("kind");
    filter.tenant_id = call.text("tenant");
    if (const auto after = call.text("after")) {
        filter.after = read_id(*after, "--after");
    }
    if (const auto limit = call.text("limit")) {
        filter.limit = static_cast<int>(read_integer(*limit, "--limit", 1, 10'000));
    }
    const auto rows = with.schedules().list(filter);
    with.print_list(rows);
    flush_output();
    if (rows.next) {
        with.notes.note("there may be more: --after " + std::to_string(*rows.next));
    } else if (rows.rows.empty()) {
        with.notes.note("no schedules match");
    }
    return exit_code::ok;
}

exit_code run_schedules_show(context& with) {
    const auto& name = with.call.arguments[0];
    const auto tenant = with.call.text("tenant");
    auto one = unwrapped(with.schedules().show(name, tenant));
    const auto wanted = with.call.text("runs");
    const auto format = with.options.format;
    const bool people = format == output_format::table || format == output_format::wide;
    libqueue::report runs;
    if (wanted) {
        const auto limit = static_cast<int>(read_integer(*wanted, "--runs", 1, 150));
        runs = with.schedules().runs(name, limit, tenant);
    }
    if (wanted && !people) {
        one.columns.emplace_back("history", libqueue::column_type::json);
        one.rows[0].push_back(json_array(runs));
    }
    with.print_object(one);
    if (wanted && people) {
        write_output("\n");
        with.print_list(runs);
    }
    return exit_code::ok;
}

exit_code run_schedules_next(context& with) {
    const auto& call = with.call;
    const auto count = call.text("count");
    const int n = count ? static_cast<int>(read_integer(*count, "--count", 1, 1000)) : 5;
    const auto cron = call.text("cron");
    if (cron.has_value() == !call.arguments.empty()) {
        throw usage("schedules next: expected NAME or --cron CRON, got " +
                        std::string{cron ? "both" : "neither"},
                    "qctl schedules next --help");
    }
    const auto times =
        cron ? unwrapped(with.schedules().preview(*cron, call.text("tz").value_or("UTC"), n))
             : unwrapped(with.schedules().next(call.arguments[0], n, call.text("tenant")));
    with.print_list(times_report(times));
    return exit_code::ok;
}

exit_code run_schedules_set(context& with) {
    const auto wanted = schedule_from_flags(with.call);
    // The expression and the zone are checked by a dry run, too.
    auto first = unwrapped(with.schedules().preview(wanted.cron, wanted.timezone, 1));
    const std::string done = with.options.dry_run ? "would be set" : "set";
    if (!with.options.dry_run) {
        static_cast<void>(unwrapped(with.schedules().set(wanted)));
        first = unwrapped(with.schedules().next(wanted.name, 1, wanted.tenant_id));
    }
    row_builder row;
    row.text("name", wanted.name)
        .text("result", done)
        .time("next", first.empty() ? std::nullopt : std::optional{first[0]});
    with.print_result("schedule " + printable(wanted.name) + ": " + done, row.done());
    flush_output();
    with.notes.note("qctl schedules next " + printable(wanted.name) + " tells when it fires");
    return exit_code::ok;
}

exit_code run_schedules_remove(context& with) {
    const auto& name = with.call.arguments[0];
    demand_consent(with.options, danger::moderate, name);
    if (only_planned(with, name, "removed")) {
        return exit_code::ok;
    }
    ask_consent(with.options, danger::moderate, name, "remove schedule " + name);
    if (!unwrapped(with.schedules().remove(name, with.call.text("tenant")))) {
        throw to_stop(libqueue::error{libqueue::errc::not_found, "no schedule '" + name + "'"});
    }
    print_schedule_result(with, name, "removed");
    return exit_code::ok;
}

exit_code run_schedules_pause(context& with) {
    const auto& name = with.call.arguments[0];
    demand_consent(with.options, danger::moderate, name);
    if (only_planned(with, name, "paused")) {
        return exit_code::ok;
    }
    ask_consent(with.options, danger::moderate, name, "keep schedule " + name + " from firing");
    demand_done(with.schedules().pause(name, with.call.text("tenant")));
    print_schedule_result(with, name, "paused");
    flush_output();
    with.notes.note("go on with: qctl schedules resume " + printable(name));
    return exit_code::ok;
}

exit_code run_schedules_resume(context& with) {
    const auto& name = with.call.arguments[0];
    if (only_planned(with, name, "resumed")) {
        return exit_code::ok;
    }
    demand_done(with.schedules().resume(name, with.call.text("tenant")));
    print_schedule_result(with, name, "resumed");
    return exit_code::ok;
}

exit_code run_schedules_run(context& with) {
    const auto& name = with.call.arguments[0];
    if (only_planned(with, name, "run")) {
        return exit_code::ok;
    }
    const auto id = unwrapped(with.schedules().run_now(name, with.call.text("tenant")));
    const auto format = with.options.format;
    if (format == output_format::table || format == output_format::wide) {
        write_output(std::to_string(id) + '\n');
    } else {
        row_builder row;
        row.integer("id", id).text("name", name);
        with.print_object(row.done());
    }
    return exit_code::ok;
}

}  // namespace qctl
