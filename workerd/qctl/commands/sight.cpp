#include "commands/commands.hpp"

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

exit_code run_workers_list(context& with) {
    const auto rows = with.operations().list_workers();
    with.print_list(rows);
    flush_output();
    if (rows.rows.empty()) {
        with.notes.note("no worker has registered; start workerd to run jobs");
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
