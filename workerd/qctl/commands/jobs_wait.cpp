#include "commands/commands.hpp"
#include "commands/waiting.hpp"
#include "faults.hpp"
#include "job_row.hpp"
#include "row_builder.hpp"

#include <algorithm>
#include <thread>

namespace qctl {

namespace {

using clock = std::chrono::steady_clock;
using libqueue::job_info;
using libqueue::job_state;

constexpr std::chrono::milliseconds shortest_pause{5};
constexpr std::chrono::milliseconds longest_pause{250};
/// Longer is for ever, and may not overflow the clock.
constexpr std::chrono::milliseconds longest_wait = std::chrono::hours{24 * 3'650};

bool reached(const job_info& job, const std::vector<job_state>& wanted) {
    return std::ranges::find(wanted, job.state) != wanted.end();
}

libqueue::result<job_info> wait_for_state(context& with, libqueue::job_id id,
                                          const std::vector<job_state>& wanted,
                                          clock::time_point deadline) {
    auto pause = shortest_pause;
    while (true) {
        auto job = with.jobs().get(id);
        const auto left = deadline - clock::now();
        if (!job || reached(*job, wanted) || has_ended(job->state) ||
            left <= clock::duration::zero()) {
            return job;
        }
        std::this_thread::sleep_for(std::min<clock::duration>(pause, left));
        pause = std::min(pause * 2, longest_pause);
    }
}

stop not_reached(const job_info& job, const std::vector<job_state>& wanted) {
    std::string names;
    for (const auto state : wanted) {
        names += (names.empty() ? "" : " or ") + std::string{libqueue::to_string(state)};
    }
    const std::string state{libqueue::to_string(job.state)};
    return stop{exit_code::failed, "job_" + state,
                "job " + std::to_string(job.id) + " is " + state + " and will not be " + names};
}

// The graver of two ends: what was not found, then what did not end in time, then what ended badly.
void keep_graver(std::optional<stop>& kept, stop found) {
    const auto rank = [](exit_code code) {
        return code == exit_code::failed ? 0 : code == exit_code::timed_out ? 1 : 2;
    };
    if (!kept || rank(found.exit) > rank(kept->exit)) {
        kept.emplace(std::move(found));
    }
}

}  // namespace

exit_code run_jobs_wait(context& with) {
    const auto limit = with.waiting_time(default_wait);
    const auto deadline = clock::now() + std::min(limit, longest_wait);
    std::vector<job_state> wanted;
    if (const auto states = with.call.text("for")) {
        wanted = read_states(*states, "--for");
    }
    const bool any_end = wanted.empty();
    if (any_end) {
        wanted = {job_state::completed, job_state::cancelled, job_state::dead};
    }
    libqueue::report all;
    std::optional<stop> bad;
    for (const auto& argument : with.call.arguments) {
        const auto job = wait_for_state(with, read_id(argument, "ID"), wanted, deadline);
        if (!job) {
            keep_graver(bad, to_stop(job.error()));
            continue;
        }
        append_rows(all, job_row(*job));
        if (any_end || !(reached(*job, wanted) || has_ended(job->state))) {
            if (auto fault = wait_fault(*job, limit)) {
                keep_graver(bad, std::move(*fault));
            }
        } else if (!reached(*job, wanted)) {
            keep_graver(bad, not_reached(*job, wanted));
        }
    }
    if (all.rows.size() == 1 && with.call.arguments.size() == 1 &&
        with.options.format != output_format::table) {
        with.print_object(all);
    } else if (!all.rows.empty()) {
        with.print_list(all);
    }
    flush_output();
    if (bad) {
        throw std::move(*bad);
    }
    return exit_code::ok;
}

}  // namespace qctl
