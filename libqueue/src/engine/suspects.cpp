#include "engine/suspects.hpp"

#include "engine/lane.hpp"
#include "engine/runtime.hpp"

#include <algorithm>

namespace libqueue::engine {
namespace {

// How long the process claims nothing else while its running jobs end. Longer ones must not keep
// it from working: it goes on and tries again later.
constexpr std::chrono::seconds patience{30};
constexpr std::chrono::seconds rest{30};
// A limit holds suspects back: so long the others are left in peace.
constexpr std::chrono::seconds blocked_rest{10};

}  // namespace

void suspects::found() {
    found_at_ = clock::now();
    if (shared_.options.suspects == suspect_policy::leave) {
        shared_.report(event_type::suspects_waiting, "");
        return;
    }
    const auto now = clock::now();
    if (looking_ || now < not_before_) {
        start_over();
        return;
    }
    looking_ = true;
    blocked_ = false;
    start_over();
    patience_ends_ = now + patience;
    // What is claimed and not started need not be waited for.
    for (const auto& queue : shared_.queues) {
        shared_.give_back_unstarted(*queue);
    }
    shared_.wake_lanes();
}

bool suspects::admits_others() const {
    switch (shared_.options.suspects) {
        case suspect_policy::leave:
            return true;
        case suspect_policy::only:
            return false;
        case suspect_policy::alone:
            return !looking_;
    }
    return true;
}

bool suspects::nothing_runs() const {
    return shared_.running.empty() &&
           std::all_of(shared_.queues.begin(), shared_.queues.end(), [](const auto& queue) {
               return queue->unstarted.empty() && queue->claiming == 0;
           });
}

std::optional<suspects::place> suspects::next_place() const {
    if (!looking_ || claiming_ || !nothing_runs()) {
        return std::nullopt;
    }
    queue_state* const queue = shared_.queues[at_].get();
    return place{queue, group_at_ == 0 ? nullptr : &queue->limited[group_at_ - 1]};
}

void suspects::claim_answered(bool got_one) {
    claiming_ = false;
    one_runs_ = got_one;
    if (got_one) {
        return;
    }
    if (++group_at_ > shared_.queues[at_]->limited.size()) {
        group_at_ = 0;
        ++at_;
    }
    if (at_ >= shared_.queues.size()) {
        stop_looking();
    }
}

void suspects::claim_blocked() {
    blocked_ = true;
    not_before_ = clock::now() + blocked_rest;
}

void suspects::run_ended() {
    if (looking_ && nothing_runs()) {
        one_runs_ = false;
        patience_ends_ = clock::now() + patience;
        shared_.wake_lanes();
    }
}

void suspects::check_patience() {
    const auto now = clock::now();
    const auto& running = shared_.running;
    if (shared_.options.suspects == suspect_policy::only && !running.empty() &&
        std::all_of(running.begin(), running.end(),
                    [](const run_ptr& run) { return run->finished; })) {
        // Its handler did not stop after its timeout and never may: only a new process is alone.
        stop_looking();
    }
    if (looking_ && !one_runs_ && !nothing_runs() && now >= patience_ends_ &&
        shared_.options.suspects == suspect_policy::alone) {
        not_before_ = now + rest;
        stop_looking();
    }
}

void suspects::stop_looking() {
    looking_ = false;
    start_over();
    if (shared_.options.suspects == suspect_policy::only) {
        shared_.report(event_type::suspects_cleared, "");
    }
    shared_.look_everywhere();
}

}  // namespace libqueue::engine
