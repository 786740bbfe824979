#include "commands/commands.hpp"
#include "commands/waiting.hpp"
#include "confirm.hpp"
#include "payload.hpp"
#include "row_builder.hpp"
#include "unwrapped.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace qctl {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds shortest_pause{5};
constexpr std::chrono::milliseconds longest_pause{250};
/// Longer is for ever, and may not overflow the clock.
constexpr std::chrono::milliseconds longest_wait = std::chrono::hours{24 * 3'650};

std::int64_t batch_of(const invocation& call) {
    return read_id(call.arguments[0], "ID");
}

void print_batch_result(context& with, std::int64_t batch, const std::string& what) {
    row_builder row;
    row.integer("id", batch).text("result", what);
    with.print_result("batch " + std::to_string(batch) + ": " + what, row.done());
}

// A dry run still finds out whether there is such a batch.
bool only_planned(context& with, std::int64_t batch, const std::string& what) {
    if (!with.options.dry_run) {
        return false;
    }
    static_cast<void>(unwrapped(with.batches().counts(batch)));
    print_batch_result(with, batch, "would be " + what);
    return true;
}

libqueue::new_batch batch_from_flags(const invocation& call) {
    libqueue::new_batch wanted{call.arguments.empty() ? std::string{} : call.arguments[0]};
    if (call.arguments.size() > 1) {
        wanted.payload = read_payload(call.arguments[1], "PAYLOAD");
    }
    wanted.success = call.text("on-success");
    wanted.failure = call.text("on-failure");
    wanted.finish = call.text("on-finish");
    wanted.callback_queue = call.text("queue");
    wanted.tenant_id = call.text("tenant");
    if (const auto priority = call.text("priority")) {
        wanted.callback_priority =
            static_cast<int>(read_integer(*priority, "--priority", -32768, 32767));
    }
    if (const auto retention = call.text("retention")) {
        wanted.retention = std::chrono::duration_cast<std::chrono::seconds>(
            read_duration(*retention, "--retention"));
    }
    return wanted;
}

void note_next_page(context& with, const libqueue::report& rows, const std::string& flag) {
    flush_output();
    if (rows.next) {
        with.notes.note("there may be more: " + flag + " " + std::to_string(*rows.next));
    } else if (rows.rows.empty()) {
        with.notes.note("nothing matches");
    }
}

}  // namespace

exit_code run_batches_list(context& with) {
    libqueue::batch_filter filter;
    const auto& call = with.call;
    filter.name = call.text("name");
    filter.tenant_id = call.text("tenant");
    filter.unfinished_only = call.has("unfinished");
    if (const auto before = call.text("before")) {
        filter.before = read_id(*before, "--before");
    }
    if (const auto limit = call.text("limit")) {
        filter.limit = static_cast<int>(read_integer(*limit, "--limit", 1, 10'000));
    }
    const auto rows = with.batches().list(filter);
    with.print_list(rows);
    note_next_page(with, rows, "--before");
    return exit_code::ok;
}

exit_code run_batches_show(context& with) {
    with.print_object(unwrapped(with.batches().show(batch_of(with.call))));
    return exit_code::ok;
}

exit_code run_batches_create(context& with) {
    const auto wanted = batch_from_flags(with.call);
    if (with.options.dry_run) {
        row_builder row;
        row.text("result", "would be created");
        with.print_result("a batch would be created", row.done());
        return exit_code::ok;
    }
    const auto batch = unwrapped(with.batches().create(wanted));
    const auto format = with.options.format;
    if (format == output_format::table || format == output_format::wide) {
        write_output(std::to_string(batch) + '\n');
    } else {
        row_builder row;
        row.integer("id", batch);
        with.print_object(row.done());
    }
    flush_output();
    with.notes.note("enqueue with --batch " + std::to_string(batch) + ", then: qctl batches seal " +
                    std::to_string(batch));
    return exit_code::ok;
}

exit_code run_batches_seal(context& with) {
    const auto batch = batch_of(with.call);
    if (only_planned(with, batch, "sealed")) {
        return exit_code::ok;
    }
    demand_done(with.batches().seal(batch));
    print_batch_result(with, batch, "sealed");
    return exit_code::ok;
}

exit_code run_batches_cancel(context& with) {
    const auto batch = batch_of(with.call);
    const std::string name = std::to_string(batch);
    demand_consent(with.options, danger::moderate, name);
    if (only_planned(with, batch, "cancelled")) {
        return exit_code::ok;
    }
    ask_consent(with.options, danger::moderate, name, "cancel the rest of batch " + name);
    const auto done = unwrapped(with.batches().cancel(batch, with.call.text("reason")));
    row_builder row;
    row.integer("id", batch)
        .text("result", "cancelled")
        .integer("cancelled", done.cancelled)
        .integer("asked", done.asked)
        .boolean("finished", done.finished);
    with.print_result("batch " + name + ": " + counted(done.cancelled, "job", "jobs") +
                          " cancelled, " + std::to_string(done.asked) + " asked to stop" +
                          (done.finished ? "" : "; the workers go on with the rest"),
                      row.done());
    return exit_code::ok;
}

exit_code run_batches_items(context& with) {
    libqueue::batch_item_filter filter;
    const auto& call = with.call;
    if (const auto states = call.text("state")) {
        const auto wanted = read_states(*states, "--state");
        if (wanted.size() != 1) {
            throw usage("--state: expected one state, got " + std::to_string(wanted.size()));
        }
        filter.state = wanted[0];
    }
    if (const auto after = call.text("after")) {
        filter.after = read_id(*after, "--after");
    }
    if (const auto limit = call.text("limit")) {
        filter.limit = static_cast<int>(read_integer(*limit, "--limit", 1, 10'000));
    }
    const auto rows = unwrapped(with.batches().items(batch_of(call), filter));
    with.print_list(rows);
    note_next_page(with, rows, "--after");
    return exit_code::ok;
}

exit_code run_batches_wait(context& with) {
    const auto batch = batch_of(with.call);
    const auto limit = with.waiting_time(default_wait);
    const auto deadline = clock::now() + std::min(limit, longest_wait);
    auto pause = shortest_pause;
    auto counts = unwrapped(with.batches().counts(batch));
    while (!counts.finished && clock::now() < deadline) {
        std::this_thread::sleep_for(std::min<clock::duration>(pause, deadline - clock::now()));
        pause = std::min(pause * 2, longest_pause);
        counts = unwrapped(with.batches().counts(batch));
    }
    with.print_object(unwrapped(with.batches().show(batch)));
    flush_output();
    if (!counts.finished) {
        throw stop{exit_code::timed_out, "timed_out",
                   "batch " + std::to_string(batch) + " has not ended: " +
                       std::to_string(counts.processed()) + " of " + std::to_string(counts.total) +
                       " jobs have" + (counts.sealed ? "" : ", and it is not sealed")};
    }
    if (counts.state != libqueue::batch_state::completed) {
        throw stop{exit_code::failed, "batch_failed",
                   "batch " + std::to_string(batch) + " is " +
                       std::string{libqueue::to_string(counts.state)}};
    }
    return exit_code::ok;
}

}  // namespace qctl
