#include "commands/commands.hpp"
#include "server/api_report.hpp"
#include "unwrapped.hpp"
#include "values.hpp"

#include <algorithm>
#include <array>

namespace qctl {

namespace {

using cure = std::vector<std::optional<std::string>>;

bool by_hand(const cure& row) {
    return row.at(2) == "t";
}

std::string cure_text(const cure& row) {
    return row.at(0).value_or("") + "; run: " + row.at(1).value_or("");
}

}  // namespace

exit_code run_kinds_list(context& with) {
    const auto rows = with.operations().list_kinds();
    with.print_list(rows);
    flush_output();
    if (rows.rows.empty()) {
        with.notes.note("no live worker handles a kind; start workerd to run jobs");
    }
    return exit_code::ok;
}

exit_code run_stats_series(context& with) {
    constexpr std::array<std::string_view, 5> metrics{"throughput", "failures", "wait", "run",
                                                      "depth"};
    const auto& call = with.call;
    if (std::ranges::find(metrics, call.arguments[0]) == metrics.end()) {
        throw usage("METRIC: expected throughput, failures, wait, run or depth, got " +
                    in_quotes(call.arguments[0]));
    }
    libqueue::series_request wanted{call.arguments[0]};
    wanted.queue = call.text("queue");
    const auto now = system_now();
    if (const auto from = call.text("from")) {
        wanted.from = read_past(*from, "--from", now);
    }
    if (const auto to = call.text("to")) {
        wanted.to = read_past(*to, "--to", now);
    }
    if (const auto step = call.text("step")) {
        const auto length = read_duration(*step, "--step");
        wanted.step = std::chrono::floor<std::chrono::seconds>(length);
        if (wanted.step != length || wanted.step.count() % 60 != 0 || wanted.step.count() == 0) {
            throw usage("--step: expected whole minutes, got " + in_quotes(*step));
        }
    }
    with.print_list(unwrapped(with.overview().series(wanted)));
    return exit_code::ok;
}

exit_code run_database(context& with) {
    auto row = with.overview().database();
    const auto tables = read_page(field_of(row, "tables").value_or("[]")).rows;
    const auto cures = read_page(field_of(row, "cures").value_or("[]")).rows;
    const bool people =
        with.options.format == output_format::table || with.options.format == output_format::wide;
    if (people && with.options.columns.empty()) {
        // They are lists of their own below.
        row.columns.erase(row.columns.end() - 2, row.columns.end());
        row.rows.at(0).resize(row.columns.size());
    }
    with.print_object(row);
    if (people && with.options.columns.empty()) {
        write_output("\n");
        with.print_list(tables);
    }
    flush_output();
    for (const auto& cure : cures.rows) {
        with.notes.warn(cure_text(cure));
    }
    return exit_code::ok;
}

exit_code run_kinds_unhandled(context& with) {
    const auto rows = with.operations().unhandled_kinds();
    with.print_list(rows);
    flush_output();
    if (rows.rows.empty()) {
        with.notes.note("every kind with jobs waiting has a live worker");
    }
    return exit_code::ok;
}

exit_code run_stats(context& with) {
    with.print_list(with.operations().stats());
    flush_output();
    const auto cures = with.operations().list_cures();
    bool vacuums = false;
    for (const auto& row : cures.rows) {
        with.notes.warn(cure_text(row));
        vacuums = vacuums || !by_hand(row);
    }
    if (vacuums) {
        with.notes.warn("qctl maintain runs these");
    }
    return exit_code::ok;
}

exit_code run_maintain(context& with) {
    const auto cures = with.operations().list_cures();
    if (cures.rows.empty()) {
        with.notes.note("nothing suffers: no table has many dead rows, no index is bloated");
    }
    const bool dry_run = with.options.dry_run;
    libqueue::report done;
    done.columns = {{"problem", libqueue::column_type::text},
                    {"command", libqueue::column_type::text},
                    {"done", libqueue::column_type::boolean}};
    bool left = false;
    for (const auto& row : cures.rows) {
        const bool runs = !by_hand(row) && !dry_run;
        if (runs) {
            with.notes.detail(row.at(1).value());
            with.operations().run_cure(row.at(1).value());
        } else if (by_hand(row)) {
            with.notes.warn(cure_text(row));
            left = true;
        }
        done.rows.push_back({row.at(0), row.at(1), runs ? "t" : "f"});
    }
    with.print_list(done);
    return left ? exit_code::findings : exit_code::ok;
}

}  // namespace qctl
