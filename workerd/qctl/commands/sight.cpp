#include "commands/commands.hpp"

namespace qctl {

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
    return exit_code::ok;
}

}  // namespace qctl
