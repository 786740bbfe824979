#include "engine/runtime.hpp"

#include "core/limits.hpp"
#include "core/outcome_decision.hpp"
#include "core/text.hpp"
#include "engine/attachments.hpp"
#include "engine/lane.hpp"
#include "engine/limiter.hpp"
#include "engine/sealing.hpp"
#include "engine/thrown.hpp"
#include "engine/turn.hpp"
#include "pg/failpoint.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace libqueue::engine {
namespace {

using std::chrono::microseconds;

int pool_size(const worker_options& options) {
    if (options.threads > 0) {
        return options.threads;
    }
    int sum = 0;
    for (const queue_options& queue : options.queues) {
        sum = std::min(limits::blocking_threads_max, sum + queue.concurrency);
    }
    return std::max(1, sum);
}

}  // namespace

runtime::runtime(boost::asio::io_context& io_, const worker_options& options_,
                 const std::vector<registration>& registrations)
    : io{io_},
      options{options_},
      sql{options_.schema},
      tasks{io_,
            [this](const char* name, const std::exception_ptr& why) {
                report(event_type::internal_error, std::string{name} + ": " + what_of(why));
            }},
      deadline_changed{io_},
      random_{std::random_device{}()} {
    bool blocking = false;
    for (const registration& kind : registrations) {
        auto state = std::make_unique<kind_state>();
        state->handler = &kind;
        blocking = blocking || kind.handle_blocking || kind.reconcile_blocking;
        kinds.emplace(kind.kind, std::move(state));
    }
    for (const queue_options& queue : options.queues) {
        auto state = std::make_unique<queue_state>();
        state->name = queue.name;
        state->concurrency = queue.concurrency;
        limiter::make_groups(*state, queue.limit, *this);
        queues.push_back(std::move(state));
    }
    if (blocking) {
        pool = std::make_unique<boost::asio::thread_pool>(pool_size(options));
    }
    watched = options.observer != nullptr && options.observer->wants_every_job();
    starts_watched = watched && options.observer->wants_starts();
}

runtime::~runtime() = default;

void runtime::pump(queue_state& queue) {
    if (queue.pumping) {
        return;  // The loop below goes on; recursion would be as deep as the line is long.
    }
    queue.pumping = true;
    while (!queue.unstarted.empty() && queue.running < queue.concurrency && !stopping &&
           !draining) {
        const run_ptr run = std::move(queue.unstarted.front());
        queue.unstarted.pop_front();
        --run->kind->unstarted;
        start(run);
    }
    queue.pumping = false;
    start_batches();
}

void runtime::begin(const run_ptr& run) {
    pg::pass_process(pg::failpoint::run_before);
    ++run->queue->running;
    ++run->kind->running;
    run->home = this;
    run->started = clock::now();
    run->deadline = run->started + run->kind->handler->options.timeout;
    run->index = running.size();
    running.push_back(run);
    active.store(static_cast<int>(running.size()), std::memory_order_relaxed);
    if (run->deadline < next_timeout_look) {
        next_timeout_look = run->deadline;
        deadline_changed.notify();
    }
    if (starts_watched) {
        event e{event_type::job_started};
        e.job = &run->job;
        e.worker = worker_id;
        emit(e);
    }
}

void runtime::start(const run_ptr& run) {
    begin(run);
    const registration& handler = *run->kind->handler;
    if (concerns_sealing(*run)) {
        if (auto refused = open_payload(*run, *this)) {
            returned(run, std::move(*refused), false);
            return;
        }
    }
    const bool reconcile = run->job.reconcile;
    if (handler.handle_many && !reconcile) {
        gathered_.push_back(run);
    } else if (const auto& coroutine = reconcile ? handler.reconcile : handler.handle; coroutine) {
        tasks.spawn("handler", run_coroutine(run, &coroutine));
    } else if (const auto& blocking =
                   reconcile ? handler.reconcile_blocking : handler.handle_blocking;
               blocking) {
        run_blocking(run, &blocking);
    } else {
        returned(run,
                 unknown("an earlier attempt's outcome is unknown and kind " + run->job.kind +
                         " has no reconcile handler"),
                 false);
    }
}

boost::asio::awaitable<void> runtime::run_coroutine(run_ptr run, const coroutine_handler* handler) {
    std::exception_ptr thrown;
    std::optional<outcome> said;
    job_context context{*run};
    try {
        said.emplace(co_await (*handler)(context));
    } catch (...) {
        thrown = std::current_exception();
    }
    if (thrown != nullptr) {
        said.emplace(retry(what_of(thrown)));
    }
    returned(run, std::move(*said), thrown != nullptr);
}

void runtime::run_blocking(run_ptr run, const blocking_handler* handler) {
    // The pool's thread shares ownership of the run: the handler may return after the worker has
    // given the run up.
    boost::asio::post(*pool, [this, run = std::move(run), handler] {
        if (!blocking_runs.enter()) {
            return;
        }
        std::exception_ptr thrown;
        std::optional<outcome> said;
        job_context context{*run};
        if (run->reason() != stop_reason::none) {
            // Told to stop, and perhaps given up, before a thread was free: it must not begin now.
            said.emplace(run->reason() == stop_reason::timeout ? retry("no thread was free in time")
                                                               : cancelled());
        }
        try {
            if (!said.has_value()) {
                said.emplace((*handler)(context));
            }
        } catch (...) {
            thrown = std::current_exception();
        }
        if (thrown != nullptr) {
            said.emplace(retry(what_of(thrown)));
        }
        boost::asio::post(io, [this, run, outcome = std::move(*said), failed = thrown != nullptr] {
            returned(run, outcome, failed);
        });
        blocking_runs.leave();
    });
}

void runtime::returned(const run_ptr& run, outcome said, bool thrown) {
    pg::pass_process(pg::failpoint::run_after);
    if (!run->finished && !said.also().empty()) {
        ending ended = end(run, std::move(said), thrown);
        if (!ended.said.also().empty()) {
            finish_group group;
            group.runs.push_back(std::move(ended));
            finisher.write(std::move(group));  // The run keeps its slot until that is recorded.
            return;
        }
        tell_of(ended);
        run->owner->acknowledge(std::move(ended.ack));
    } else if (!run->finished) {
        finish(run, std::move(said), thrown);
    }
    leave(run);
}

/// Its handler has returned and what it said is on its way.
void runtime::leave(const run_ptr& run) {
    queue_state& queue = *run->queue;
    --queue.running;
    --run->kind->running;
    running[run->index] = std::move(running.back());
    running[run->index]->index = run->index;
    running.pop_back();
    active.store(static_cast<int>(running.size()), std::memory_order_relaxed);
    handled.fetch_add(1, std::memory_order_relaxed);
    queue.finished.record(1, clock::now());
    for (log_line& line : run->take_log(true)) {
        // Said after its end was recorded, or the lease was lost.
        loose_log.emplace_back(run->job.id, run->job.lease, std::move(line));
    }
    if (watched) {
        tell_calls(*run);
    }
    pump(queue);
    suspects.run_ended();
}

void runtime::finish(const run_ptr& run, outcome said, bool thrown) {
    ending ended = end(run, std::move(said), thrown);
    tell_of(ended);
    run->owner->acknowledge(std::move(ended.ack));
}

ending runtime::end(const run_ptr& run, outcome said, bool thrown) {
    run->finished = true;
    if (run->reason() == stop_reason::shutdown && said.kind() == outcome::type::cancelled) {
        // It stopped because we leave, not because anyone wanted the job cancelled.
        said = snooze(std::chrono::milliseconds{0}, "the worker shut down");
    } else if (run->reason() == stop_reason::timeout && said.kind() != outcome::type::completed &&
               said.kind() != outcome::type::unknown) {
        const auto limit = run->kind->handler->options.timeout;
        said = retry("timed out after " + std::to_string(limit.count()) + " ms" +
                     (said.message().empty() ? "" : ": " + said.message()));
    }
    said = heed_effects(*run, std::move(said));
    acknowledgement ack = decide(*run, said, thrown);
    ack.reports = provider_reports::of(*run, said);
    ack.log = run->take_log(true);
    return ending{run, std::move(said), std::move(ack)};
}

void runtime::tell_of(const ending& ended) const {
    job_run& run = *ended.run;
    if (watched) {
        tell_measures(run);
    }
    if (watched || ended.said.kind() != outcome::type::completed) {
        event e{event_type::job_finished};
        e.job = &run.job;
        e.worker = worker_id;
        e.outcome = ended.said.kind();
        e.duration = std::chrono::duration_cast<microseconds>(clock::now() - run.started);
        const auto started_at = std::chrono::system_clock::now() - e.duration;
        e.waited = std::max(microseconds{0},
                            std::chrono::duration_cast<microseconds>(started_at - run.job.run_at));
        e.message = ended.said.message();
        emit(e);
    }
    if (!ended.ack.dead_reason.empty()) {
        event e{event_type::job_dead};
        e.job = &run.job;
        e.worker = worker_id;
        e.message = ended.ack.dead_reason;
        emit(e);
    }
}

void runtime::tell_measures(job_run& run) const {
    for (const measure& each : run.take_measures()) {
        event e{event_type::job_measured};
        e.job = &run.job;
        e.worker = worker_id;
        e.measured = &each;
        emit(e);
    }
}

void runtime::tell_calls(job_run& run) const {
    for (const outbound_call& each : run.take_calls()) {
        event e{event_type::call_made};
        e.job = &run.job;
        e.worker = worker_id;
        e.call = &each;
        emit(e);
    }
}

outcome runtime::heed_effects(job_run& run, outcome said) {
    if (said.kind() == outcome::type::completed || said.kind() == outcome::type::unknown) {
        return said;
    }
    const std::optional<std::string> open = run.open_effect();
    if (!open.has_value()) {
        return said;
    }
    return unknown("effect " + *open + " was begun and not ended" +
                   (said.message().empty() ? "" : ": " + said.message()));
}

acknowledgement runtime::decide(const job_run& run, const outcome& said, bool thrown) {
    using verdict = core::outcome_decision::verdict;
    const auto ran = std::chrono::duration_cast<microseconds>(clock::now() - run.started);
    if (said.kind() == outcome::type::completed) {
        acknowledgement ack{run.job.id, run.job.lease, "completed"};
        ack.completed = true;
        ack.attempt = run.job.attempt;
        ack.ran_us = ran.count();
        ack.queue = run.queue;
        const attachments has = attachments::of(run.job.meta);
        ack.attached = has.keys;
        ack.in_batch = has.batch != 0;
        ack.counted_for = has.keys ? 0 : has.batch;
        if (!said.output().empty()) {
            ack.output = core::storable_json(said.output(), limits::output_bytes);
            if (run.sealed || run.kind->handler->options.encrypted) {
                ack.output = sealed_output(run, ack.output, *this);
            }
        }
        return ack;
    }
    const registration& handler = *run.kind->handler;
    core::run_report reported{said.kind()};
    reported.thrown = thrown;
    reported.message = said.message();
    reported.after = said.after();
    reported.attempt = run.job.attempt;
    reported.max_attempts = run.job.max_attempts;
    reported.policy = handler.options.retry;
    reported.random01 = std::uniform_real_distribution<double>{}(random_);
    reported.has_reconcile = handler.reconcile || handler.reconcile_blocking;
    reported.reconcile_run = run.job.reconcile;
    reported.cancel_requested = run.reason() == stop_reason::cancelled;
    const core::outcome_decision decided = core::decide_outcome(reported);

    const char* outcome_name = "failed";
    if (decided.what == verdict::cancelled) {
        outcome_name = "cancelled";
    } else if (said.kind() == outcome::type::unknown) {
        outcome_name = "unknown";
    } else if (said.kind() == outcome::type::snooze) {
        outcome_name = "snoozed";
    } else if (said.kind() == outcome::type::discard) {
        outcome_name = "discarded";
    }
    if (decided.what == verdict::back_in_line && decided.reconcile) {
        outcome_name = "unknown";  // what a later rescue must know
    }
    acknowledgement ack{run.job.id, run.job.lease, outcome_name};
    ack.attempt = run.job.attempt;
    ack.ran_us = ran.count();
    ack.error = core::storable_text(said.message(), limits::error_text_bytes);
    ack.used = decided.attempts_used;
    ack.queue = run.queue;
    const attachments has = attachments::of(run.job.meta);
    ack.attached = has.keys || has.batch != 0;
    ack.in_batch = has.batch != 0;
    ack.reconcile = decided.reconcile;
    if (decided.what == verdict::back_in_line) {
        ack.delay_us = std::chrono::duration_cast<microseconds>(decided.delay).count();
    }
    if (decided.what == verdict::dead) {
        ack.dead_reason = core::storable_text(decided.reason, limits::error_text_bytes);
    }
    return ack;
}

void runtime::give_back_unstarted(queue_state& queue) {
    for (const run_ptr& run : queue.unstarted) {
        --run->kind->unstarted;
        run->owner->give_back(run);
    }
    queue.unstarted.clear();
}

void runtime::forget(const run_ptr& run) {
    run->finished = true;
}

void runtime::stop_run(job_run& run, stop_reason why) {
    run.ask_to_stop(why);
}

void runtime::lose_lease(std::int64_t lease) {
    const std::vector<run_ptr> told = running;  // a stop callback may end a handler
    for (const run_ptr& run : told) {
        if (run->job.lease == lease && !run->finished) {
            forget(run);
            run->ask_to_stop(stop_reason::lease_lost);
            event e{event_type::lease_lost};
            e.job = &run->job;
            e.worker = worker_id;
            emit(e);
        }
    }
    for (const auto& queue : queues) {
        std::erase_if(queue->unstarted, [lease](const run_ptr& run) {
            const bool lost = run->job.lease == lease;
            run->kind->unstarted -= lost ? 1 : 0;
            return lost;
        });
    }
}

void runtime::lose_everything() {
    const std::vector<run_ptr> told = running;
    for (const run_ptr& run : told) {
        if (!run->finished) {
            forget(run);
            run->ask_to_stop(stop_reason::lease_lost);
        }
    }
    for (const auto& queue : queues) {
        for (const run_ptr& run : queue->unstarted) {
            --run->kind->unstarted;
        }
        queue->unstarted.clear();
    }
    for (const auto& each : lanes) {
        each->drop_leases();
    }
}

void runtime::look_now(queue_state& queue) {
    queue.watch.empty_looks = 0;
    queue.watch.next_look = clock::time_point::min();
    queue.watch.next_due_look = clock::time_point::min();
    if (queue.watch.armed) {
        queue.watch.armed = false;
        queue.watch.clear_bell = true;
    }
    wake_lanes();
}

void runtime::look_everywhere() {
    for (const auto& queue : queues) {
        look_now(*queue);
    }
}

void runtime::limits_changed() {
    for (const auto& queue : queues) {
        limiter::look_now(*queue);
    }
    wake_lanes();
}

void runtime::count_batches() {
    if (!batches_counted) {
        batches_counted = true;
        upkeep_due.notify();
    }
}

void runtime::wake_lanes() {
    for (const auto& each : lanes) {
        each->wake();
    }
}

bool runtime::may_claim() const {
    return worker_id != 0 && !draining && !stopping && !paused.load(std::memory_order_relaxed) &&
           wish == operator_wish::none && clock::now() - last_beat < options.lease * 4 / 5;
}

bool runtime::settled() const {
    return std::all_of(lanes.begin(), lanes.end(),
                       [](const auto& each) { return each->settled(); }) &&
           std::all_of(queues.begin(), queues.end(),
                       [](const auto& queue) { return queue->unstarted.empty(); });
}

queue_state* runtime::find_queue(int id) {
    for (const auto& queue : queues) {
        if (queue->id == id) {
            return queue.get();
        }
    }
    return nullptr;
}

queue_state* runtime::find_queue(std::string_view name) {
    for (const auto& queue : queues) {
        if (queue->name == name) {
            return queue.get();
        }
    }
    return nullptr;
}

kind_state* runtime::find_kind(std::string_view name) {
    const auto found = kinds.find(name);
    return found == kinds.end() ? nullptr : found->second.get();
}

void runtime::set_lines(queue_state& queue, std::vector<line_state> lines) {
    bool grown = false;
    for (line_state& line : lines) {
        const auto known = std::find_if(queue.lines.begin(), queue.lines.end(),
                                        [&](const line_state& old) { return old.id == line.id; });
        if (known != queue.lines.end()) {
            line.cursor = known->cursor;
        } else {
            grown = true;
        }
        line.limited = limiter::group_of(queue, *line.kind);
    }
    std::stable_sort(lines.begin(), lines.end(), [](const line_state& a, const line_state& b) {
        return a.priority < b.priority;
    });
    queue.lines = std::move(lines);
    if (grown) {
        look_now(queue);
    }
}

void runtime::emit(const event& e) const {
    if (options.observer != nullptr) {
        options.observer->on_event(e);
    }
}

void runtime::report(event_type type, std::string_view message, std::int64_t count) const {
    event e{type};
    e.worker = worker_id;
    e.message = message;
    e.count = count;
    emit(e);
}

}  // namespace libqueue::engine
