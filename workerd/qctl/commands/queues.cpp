#include "commands/commands.hpp"
#include "commands/sweep.hpp"
#include "confirm.hpp"
#include "printable.hpp"
#include "progress.hpp"
#include "row_builder.hpp"
#include "unwrapped.hpp"

#include <libqueue/duration.hpp>

#include <algorithm>
#include <thread>

namespace qctl {

namespace {

constexpr std::chrono::milliseconds default_drain = std::chrono::minutes{10};
constexpr std::chrono::milliseconds longest_drain = std::chrono::hours{24 * 365};
constexpr std::chrono::milliseconds drain_poll{200};

void print_queue_result(context& with, const std::string& queue, const std::string& what) {
    row_builder row;
    row.text("queue", queue).text("result", what);
    with.print_result("queue " + printable(queue) + ": " + what, row.done());
}

// A dry run still finds out whether there is such a queue.
bool only_planned(context& with, const std::string& queue, const std::string& what) {
    if (!with.options.dry_run) {
        return false;
    }
    static_cast<void>(unwrapped(with.operations().outstanding(queue)));
    print_queue_result(with, queue, "would be " + what);
    return true;
}

}  // namespace

exit_code run_queues_list(context& with) {
    with.print_list(with.operations().list_queues());
    return exit_code::ok;
}

exit_code run_queues_show(context& with) {
    with.print_object(unwrapped(with.operations().show_queue(with.call.arguments[0])));
    return exit_code::ok;
}

exit_code run_queues_create(context& with) {
    const auto& queue = with.call.arguments[0];
    if (with.options.dry_run) {
        print_queue_result(with, queue, "would be created");
        return exit_code::ok;
    }
    demand_done(with.operations().create_queue(queue));
    print_queue_result(with, queue, "created");
    return exit_code::ok;
}

exit_code run_queues_objective(context& with) {
    const auto& queue = with.call.arguments[0];
    const auto& age = with.call.arguments[1];
    const auto objective = age == "none" ? std::nullopt : std::optional{read_duration(age, "AGE")};
    const std::string what =
        objective ? "late after " + libqueue::format_duration(*objective) : "never late";
    if (only_planned(with, queue, what)) {
        return exit_code::ok;
    }
    demand_done(with.overview().set_objective(queue, objective));
    print_queue_result(with, queue, what);
    return exit_code::ok;
}

exit_code run_queues_pause(context& with) {
    const auto& queue = with.call.arguments[0];
    demand_consent(with.options, danger::moderate, queue);
    if (only_planned(with, queue, "paused")) {
        return exit_code::ok;
    }
    const auto standing =
        with.options.can_ask() ? unwrapped(with.operations().outstanding(queue)) : std::int64_t{0};
    ask_consent(
        with.options, danger::moderate, queue,
        "keep " + counted(standing, "job", "jobs") + " of queue " + queue + " from running");
    demand_done(with.operations().pause(queue, with.call.text("reason").value_or("")));
    print_queue_result(with, queue, "paused");
    flush_output();
    with.notes.note("go on with: qctl queues resume " + queue);
    return exit_code::ok;
}

exit_code run_queues_resume(context& with) {
    const auto& queue = with.call.arguments[0];
    if (only_planned(with, queue, "resumed")) {
        return exit_code::ok;
    }
    demand_done(with.operations().resume(queue));
    print_queue_result(with, queue, "resumed");
    return exit_code::ok;
}

exit_code run_queues_drain(context& with) {
    using clock = std::chrono::steady_clock;
    const auto& queue = with.call.arguments[0];
    const auto given = with.call.text("wait").value_or("");
    const auto limit =
        std::min(given.empty() ? with.waiting_time(default_drain) : read_duration(given, "--wait"),
                 longest_drain);
    const auto deadline = clock::now() + limit;
    auto left = unwrapped(with.operations().outstanding(queue));
    const auto total = left;
    {
        progress_bar bar{with.options, "draining"};
        while (left > 0 && clock::now() < deadline) {
            std::this_thread::sleep_for(
                std::min<clock::duration>(drain_poll, deadline - clock::now()));
            left = unwrapped(with.operations().outstanding(queue));
            bar.update(std::max<std::int64_t>(0, total - left), std::max(total, left));
        }
    }
    row_builder row;
    row.text("queue", queue).integer("outstanding", left);
    with.print_result("queue " + printable(queue) + ": " + std::to_string(left) + " outstanding",
                      row.done());
    flush_output();
    if (left > 0) {
        throw stop{exit_code::timed_out, "timed_out",
                   "queue " + queue + " still has " + counted(left, "job", "jobs") + " after " +
                       libqueue::format_duration(limit)};
    }
    return exit_code::ok;
}

exit_code run_queues_purge(context& with) {
    const auto& queue = with.call.arguments[0];
    demand_consent(with.options, danger::severe, queue);
    sweep what;
    what.doing = "purging";
    what.done = "cancelled";
    what.thing = "waiting job of queue " + printable(queue);
    what.things = "waiting jobs of queue " + printable(queue);
    what.column = "cancelled";
    what.run = [&](const libqueue::progress_callback& progress) {
        return unwrapped(with.operations().purge(queue, false, progress));
    };
    const auto waiting = unwrapped(with.operations().purge(queue, true));
    if (with.options.dry_run) {
        print_plan(with, what, waiting);
        return exit_code::ok;
    }
    ask_consent(with.options, danger::severe, queue,
                "cancel " + counted(waiting, "waiting job", "waiting jobs") + " of queue " + queue);
    return run_sweep(with, what);
}

}  // namespace qctl
