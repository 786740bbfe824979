#include "commands/sweep.hpp"

#include "faults.hpp"
#include "interrupt.hpp"
#include "progress.hpp"
#include "row_builder.hpp"

namespace qctl {

namespace {

libqueue::report count_row(const sweep& what, std::int64_t count, bool dry_run) {
    row_builder row;
    row.integer(what.column, count).boolean("dry_run", dry_run);
    return row.done();
}

std::string sentence(const sweep& what, std::int64_t count) {
    return what.done + " " + counted(count, what.thing, what.things);
}

std::int64_t run_watched(context& with, const sweep& what) {
    const interrupt_guard guard;
    std::int64_t reached = 0;
    try {
        progress_bar bar{with.options, what.doing};
        return what.run([&](std::int64_t done, std::int64_t total) {
            reached = done;
            bar.update(done, total);
            return !interrupted();
        });
    } catch (const libqueue::failure& why) {
        const auto fault = to_stop(why);
        if (reached == 0) {
            throw fault;
        }
        throw stop{exit_code::partly_done, fault.code,
                   std::string{fault.what()} + "; " + sentence(what, reached) + " before",
                   "the same command goes on with the rest"};
    }
}

}  // namespace

exit_code run_sweep(context& with, const sweep& what) {
    const auto count = run_watched(with, what);
    if (interrupted()) {
        throw stop{exit_code::interrupted, "interrupted", "interrupted; " + sentence(what, count),
                   "the same command goes on with the rest"};
    }
    if (count == 0 && what.wanted > 0) {
        throw stop{exit_code::not_found, "not_found", "none of these " + what.things + " exists"};
    }
    with.print_result(sentence(what, count), count_row(what, count, false));
    flush_output();
    if (count < what.wanted) {
        throw stop{exit_code::partly_done, "partly_done",
                   "asked for " + counted(what.wanted, what.thing, what.things) + ", " +
                       sentence(what, count),
                   "the others do not exist, or someone else took them"};
    }
    return exit_code::ok;
}

void print_plan(context& with, const sweep& what, std::int64_t count) {
    with.print_result("would have " + sentence(what, count), count_row(what, count, true));
}

}  // namespace qctl
