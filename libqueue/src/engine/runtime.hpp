#pragma once

#include "engine/acknowledgement.hpp"
#include "engine/async.hpp"
#include "engine/blocking_calls.hpp"
#include "engine/finisher.hpp"
#include "engine/log_writer.hpp"
#include "engine/queue_state.hpp"
#include "engine/side_calls.hpp"
#include "engine/statements.hpp"
#include "engine/suspects.hpp"
#include "engine/task_group.hpp"

#include <libqueue/worker.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace libqueue::engine {

class lane;

/// What an operator asked of this worker; see queue.ask_worker.
enum class operator_wish : std::uint8_t { none, quiet, drain, stop };

/// What the services of one started worker share: its queues, kinds, runs and connections' fate.
/// Everything belongs to the loop thread but the atomics.
class runtime {
   public:
    runtime(boost::asio::io_context& io, const worker_options& options,
            const std::vector<registration>& kinds);
    runtime(const runtime&) = delete;
    runtime& operator=(const runtime&) = delete;
    ~runtime();

    /// Starts unstarted jobs while there are free slots.
    void pump(queue_state& queue);
    /// A handler has returned, thrown, or been given up: records what it said.
    void finish(const run_ptr& run, outcome said, bool thrown);
    /// A finish with statements was recorded, or could not be: then as retries.
    void recorded(finish_group group);
    void unwritten(finish_group group, const std::string& why);
    /// What is to be recorded about a run that ended so.
    [[nodiscard]] acknowledgement decide(const job_run& run, const outcome& said, bool thrown);
    /// What it said, or that it is not known what it did: while an effect is open, neither a retry
    /// nor a final word but `completed` is believed.
    [[nodiscard]] static outcome heed_effects(job_run& run, outcome said);
    /// Claimed jobs that never started go back to their places with the next turns.
    void give_back_unstarted(queue_state& queue);
    /// Takes a run off the books without recording anything (its lease is lost or given back).
    void forget(const run_ptr& run);
    /// Tells a running handler to stop and why.
    void stop_run(job_run& run, stop_reason why);
    /// Tells every run of these leases that it lost them; unstarted ones are dropped.
    void lose_lease(std::int64_t lease);
    void lose_everything();

    /// Something may be in line: look now.
    void look_now(queue_state& queue);
    void look_everywhere();
    /// Slots or tokens may have come free: ask for limited kinds now.
    void limits_changed();
    void wake_lanes();
    /// A turn of ours has recorded the end of jobs that belong to batches.
    void count_batches();
    /// May claim: registered, not stopping, not paused by the program or an operator, the heart
    /// beats.
    [[nodiscard]] bool may_claim() const;
    /// No turn is under way or has something to say, and nothing claimed waits to run.
    [[nodiscard]] bool settled() const;

    [[nodiscard]] queue_state* find_queue(int id);
    [[nodiscard]] queue_state* find_queue(std::string_view name);
    [[nodiscard]] kind_state* find_kind(std::string_view name);
    void set_lines(queue_state& queue, std::vector<line_state> lines);

    void emit(const event& e) const;
    void report(event_type type, std::string_view message, std::int64_t count = 0) const;

    boost::asio::io_context& io;
    const worker_options& options;
    const statements sql;
    task_group tasks;
    // Handlers that never return must not stop the process from leaving, so stop() may abandon it.
    std::unique_ptr<boost::asio::thread_pool> pool;
    blocking_calls blocking_runs;
    std::vector<std::unique_ptr<lane>> lanes;
    std::vector<std::unique_ptr<queue_state>> queues;
    std::map<std::string, std::unique_ptr<kind_state>, std::less<>> kinds;
    std::vector<run_ptr> running;
    engine::suspects suspects{*this};
    signal upkeep_due{io};        // wakes the maintenance
    bool batches_counted{false};  // nobody has folded since
    side_calls calls{*this};
    handler_sql handler_texts{options.schema};
    engine::finisher finisher{*this};
    std::function<void()> beat_soon{[] {
    }};                                   // there is much to write: a heartbeat before its time
    std::vector<written_line> loose_log;  // of runs that ended without a record of ours
    signal deadline_changed;              // for the timeout sweep, which next looks at:
    clock::time_point next_timeout_look{clock::time_point::max()};

    std::uint64_t claimed{0};           // jobs, since the start
    clock::time_point claim_doubted{};  // when the answer to a claim was last lost
    std::int64_t worker_id{0};
    std::atomic<std::int64_t> public_worker_id{0};
    std::atomic<int> active{0};
    std::atomic<std::int64_t> handled{0};       // handlers that have returned
    std::atomic<std::int64_t> last_beat_ms{0};  // steady clock, 0: never
    bool draining{false};
    bool stopping{false};
    std::atomic<bool> paused{false};
    operator_wish wish{operator_wish::none};  // of this worker
    std::function<void()> dismissed;          // an operator wants it to leave now
    bool watched{false};                      // the observer wants every job
    bool starts_watched{false};               // and their starts
    clock::time_point last_beat{};

   private:
    void start(const run_ptr& run);
    boost::asio::awaitable<void> run_coroutine(run_ptr run, const coroutine_handler* handler);
    void run_blocking(run_ptr run, const blocking_handler* handler);
    void begin(const run_ptr& run);
    boost::asio::awaitable<void> run_many(std::vector<run_ptr> runs, const batch_handler* handler);
    void start_batches();
    void returned(const run_ptr& run, outcome said, bool thrown);
    void returned_many(const std::vector<run_ptr>& runs, batch_outcome said, bool thrown);
    [[nodiscard]] ending end(const run_ptr& run, outcome said, bool thrown);
    void tell_of(const ending& ended) const;
    void tell_measures(job_run& run) const;
    void tell_calls(job_run& run) const;
    void leave(const run_ptr& run);

    std::minstd_rand random_;
    std::vector<run_ptr> gathered_;  // begun, for batch handlers
};

}  // namespace libqueue::engine
