#include "commands/commands.hpp"
#include "confirm.hpp"
#include "filter_words.hpp"
#include "progress.hpp"
#include "row_builder.hpp"
#include "unwrapped.hpp"

#include <libqueue/bulk.hpp>

#include <algorithm>
#include <chrono>
#include <thread>

namespace qctl {

namespace {

constexpr std::chrono::milliseconds look_pause{250};

std::string cell(const libqueue::report& row, std::string_view name) {
    const auto found = std::ranges::find(row.columns, name, &libqueue::column::name);
    return row.rows.at(0).at(static_cast<std::size_t>(found - row.columns.begin())).value_or("");
}

std::int64_t number(const libqueue::report& row, std::string_view name) {
    return std::stoll(cell(row, name));
}

exit_code follow(context& with, any_bulk bulk, std::int64_t id) {
    auto row = unwrapped(bulk.show(id));
    {
        progress_bar bar{with.options, cell(row, "action")};
        while (cell(row, "finished_at").empty()) {
            bar.update(number(row, "done") + number(row, "skipped") + number(row, "failed"),
                       number(row, "matched"));
            std::this_thread::sleep_for(look_pause);
            row = unwrapped(bulk.show(id));
        }
    }
    with.print_object(row);
    flush_output();
    if (cell(row, "state") != "completed" || number(row, "failed") > 0) {
        throw stop{exit_code::failed, "operation_failed",
                   "operation " + std::to_string(id) + " is " + cell(row, "state") + ", " +
                       counted(number(row, "failed"), "job", "jobs") + " failed"};
    }
    return exit_code::ok;
}

libqueue::new_bulk wanted_of(const invocation& call) {
    const auto action = libqueue::parse_bulk_action(call.arguments[0]);
    if (!action) {
        throw usage("ACTION: expected retry, cancel, replay, discard or purge, got " +
                    in_quotes(call.arguments[0]));
    }
    libqueue::new_bulk wanted{*action, filter_of_words(call, 1)};
    if (wanted.which.empty()) {
        throw usage("FILTER: expected at least one term, got nothing");
    }
    if (const auto rate = call.text("rate")) {
        wanted.per_second = read_rate(*rate, "--rate");
    }
    wanted.reason = call.text("reason");
    if (const auto undo = call.text("undo")) {
        wanted.undo = read_duration(*undo, "--undo");
    }
    return wanted;
}

}  // namespace

exit_code run_ops_run(context& with) {
    const auto wanted = wanted_of(with.call);
    const std::string name{libqueue::to_string(wanted.action)};
    // What is deleted is gone; all else can be done again.
    const danger level =
        wanted.action == libqueue::bulk_action::discard ? danger::severe : danger::moderate;
    demand_consent(with.options, level, name);
    auto bulk = with.bulk();
    const auto matched = unwrapped(bulk.count(wanted.action, wanted.which));
    const std::string many =
        (matched.exact ? "" : "at least ") + counted(matched.count, "job", "jobs");
    if (with.options.dry_run) {
        row_builder row;
        row.integer("count", matched.count).boolean("count_exact", matched.exact);
        with.print_result("would " + name + " " + many, row.done());
        return exit_code::ok;
    }
    ask_consent(with.options, level, name, name + " " + many);
    const auto id = unwrapped(bulk.create(wanted));
    with.notes.note("operation " + std::to_string(id) + "; to undo: qctl ops cancel " +
                    std::to_string(id));
    if (with.call.has("follow")) {
        return follow(with, bulk, id);
    }
    with.print_object(unwrapped(bulk.show(id)));
    return exit_code::ok;
}

exit_code run_ops_list(context& with) {
    const auto& call = with.call;
    std::optional<std::int64_t> before;
    int limit = 50;
    if (const auto text = call.text("before")) {
        before = read_id(*text, "--before");
    }
    if (const auto text = call.text("limit")) {
        limit = static_cast<int>(read_integer(*text, "--limit", 1, 10'000));
    }
    const auto rows = with.bulk().list(call.has("unfinished"), before, limit);
    with.print_list(rows);
    flush_output();
    if (rows.next) {
        with.notes.note("there may be more: --before " + std::to_string(*rows.next));
    }
    return exit_code::ok;
}

exit_code run_ops_show(context& with) {
    const auto id = read_id(with.call.arguments[0], "ID");
    auto bulk = with.bulk();
    if (with.call.has("follow")) {
        return follow(with, bulk, id);
    }
    with.print_object(unwrapped(bulk.show(id)));
    return exit_code::ok;
}

exit_code run_ops_cancel(context& with) {
    const auto id = read_id(with.call.arguments[0], "ID");
    auto bulk = with.bulk();
    if (with.options.dry_run) {
        with.print_object(unwrapped(bulk.show(id)));
        return exit_code::ok;
    }
    demand_done(bulk.cancel(id));
    with.print_object(unwrapped(bulk.show(id)));
    return exit_code::ok;
}

}  // namespace qctl
