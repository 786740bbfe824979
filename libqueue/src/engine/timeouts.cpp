#include "engine/timeouts.hpp"

#include "engine/runtime.hpp"

#include <algorithm>

namespace libqueue::engine {
namespace {

constexpr std::chrono::milliseconds sweep_interval{25};
// How long after its timeout a handler may take to notice.
constexpr std::chrono::seconds grace_min{5};

}  // namespace

boost::asio::awaitable<void> watch_timeouts(runtime& shared) {
    while (!shared.stopping) {
        const auto now = clock::now();
        auto next = clock::time_point::max();
        const std::vector<run_ptr> running = shared.running;
        for (const run_ptr& run : running) {
            if (run->finished) {
                continue;
            }
            const auto limit = run->kind->handler->options.timeout;
            const auto given_up = run->deadline + std::max<clock::duration>(grace_min, limit / 2);
            if (now >= run->deadline && run->reason() == stop_reason::none) {
                shared.stop_run(*run, stop_reason::timeout);
                event e{event_type::job_timed_out};
                e.job = &run->job;
                e.worker = shared.worker_id;
                shared.emit(e);
            }
            // Whatever it was told: one that ignores a cancel must not hold its job for ever
            // either.
            if (now >= given_up) {
                shared.finish(run, retry("the handler did not stop"), false);
                continue;
            }
            next = std::min(next, now < run->deadline ? run->deadline : given_up);
        }
        if (next != clock::time_point::max()) {
            next = std::max(next, now + sweep_interval);
        }
        shared.next_timeout_look = next;
        co_await shared.deadline_changed.wait_until(next);
    }
}

}  // namespace libqueue::engine
