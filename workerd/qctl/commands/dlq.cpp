#include "commands/commands.hpp"
#include "dlq_filter.hpp"
#include "printable.hpp"
#include "progress.hpp"
#include "row_builder.hpp"
#include "unwrapped.hpp"
#include "values.hpp"

#include <algorithm>
#include <limits>
#include <set>

namespace qctl {

namespace {

constexpr int page_size = 1'000;
constexpr int most_rows = 10'000;

libqueue::job_id last_id(const libqueue::report& page) {
    return read_id(page.rows.back()[0].value_or(""), "id");
}

}  // namespace

exit_code run_dlq_list(context& with) {
    const auto choice = read_dlq_choice(with.call, system_now());
    const auto cursor = with.call.text("cursor");
    const bool served = with.server() != nullptr;
    if (cursor && !served) {
        throw usage("--cursor: expected a server, got a database",
                    "of a database --before goes on");
    }
    const auto page = with.operations().list_dead_letters(choice.filter, cursor);
    with.print_list(page.rows);
    flush_output();
    if (page.rows.rows.empty()) {
        with.notes.note("no dead letters match");
    } else if (page.next && served) {
        // A script has no other way to go on.
        with.notes.warn("there may be more: --cursor " + *page.next);
    } else if (page.next) {
        with.notes.note("there may be more: --before " + *page.next);
    }
    return exit_code::ok;
}

exit_code run_dlq_show(context& with) {
    const auto choice = read_dlq_choice(with.call, system_now());
    const auto rows = with.operations().list_dead_letters(choice.filter).rows;
    if (rows.rows.empty()) {
        throw stop{exit_code::not_found, "not_found", "no dead letter " + with.call.arguments[0],
                   "qctl jobs show " + with.call.arguments[0] + " tells where the job is"};
    }
    with.print_object(rows);
    return exit_code::ok;
}

exit_code run_dlq_groups(context& with) {
    const auto choice = read_dlq_choice(with.call, system_now());
    with.print_list(with.operations().dead_letter_groups(choice.filter));
    return exit_code::ok;
}

exit_code run_dlq_note(context& with) {
    const auto& words = with.call.arguments;
    const bool muted = with.call.has("mute");
    const auto note = words.size() > 1 ? std::optional{words[1]} : std::nullopt;
    std::string what = muted ? "muted" : note ? "noted" : "without a note";
    if (with.options.dry_run) {
        what.insert(0, "would be ");
    } else {
        demand_done(with.operations().note_group(words[0], note, muted));
    }
    row_builder row;
    row.text("fingerprint", words[0])
        .text("note", note)
        .boolean("muted", muted)
        .text("result", what);
    with.print_result("failure group " + printable(words[0]) + ": " + what, row.done());
    return exit_code::ok;
}

exit_code run_dlq_export(context& with) {
    auto filter = read_dlq_choice(with.call, system_now()).filter;
    std::int64_t left = std::numeric_limits<std::int64_t>::max();
    if (const auto limit = with.call.text("limit")) {
        left = read_integer(*limit, "--limit", 1, left);
    }
    auto operations = with.operations();
    auto to = with.renderer();
    if (with.server() != nullptr) {
        operations.export_letters(
            filter, left, [&](const libqueue::report& letter) { write_output(to.add(letter)); });
        write_output(to.finish());
        return exit_code::ok;
    }
    const auto total = std::min(left, operations.count_dead_letters(filter));
    std::int64_t done = 0;
    // A bar between the rows would be in the way of whoever reads them on the screen.
    std::optional<progress_bar> bar;
    if (!with.options.out_is_terminal) {
        bar.emplace(with.options, "exporting");
    }
    while (left > 0) {
        filter.limit = static_cast<int>(std::min<std::int64_t>(page_size, left));
        const auto page = operations.list_dead_letters(filter).rows;
        write_output(to.add(page));
        if (page.rows.empty()) {
            break;
        }
        left -= static_cast<std::int64_t>(page.rows.size());
        done += static_cast<std::int64_t>(page.rows.size());
        filter.before = last_id(page);
        if (bar) {
            bar->update(done, total);
        }
    }
    bar.reset();
    write_output(to.finish());
    return exit_code::ok;
}

exit_code run_dlq_stats(context& with) {
    auto filter = read_dlq_choice(with.call, system_now()).filter;
    filter.limit = most_rows;
    auto operations = with.operations();
    const auto groups = operations.dead_letter_groups(filter);
    std::set<std::string> kinds;
    for (const auto& kind : chosen_columns(groups, {"kind"}).rows) {
        kinds.insert(kind[0].value_or(""));
    }
    row_builder row;
    row.integer("dead_letters", operations.count_dead_letters(filter))
        .integer("groups", static_cast<std::int64_t>(groups.rows.size()))
        .integer("kinds", static_cast<std::int64_t>(kinds.size()));
    std::optional<time_point> oldest;
    std::optional<time_point> newest;
    for (const auto& times : chosen_columns(groups, {"first_died_at", "last_died_at"}).rows) {
        const auto first = read_instant(times[0].value_or(""));
        const auto last = read_instant(times[1].value_or(""));
        oldest = !oldest || (first && *first < *oldest) ? first : oldest;
        newest = !newest || (last && *last > *newest) ? last : newest;
    }
    row.time("first_died_at", oldest).time("last_died_at", newest);
    with.print_object(row.done());
    return exit_code::ok;
}

}  // namespace qctl
