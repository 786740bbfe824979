#pragma once

#include <libqueue/effect.hpp>
#include <libqueue/error.hpp>
#include <libqueue/job.hpp>
#include <libqueue/measures.hpp>
#include <libqueue/statement.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace libqueue {

/// Why a running handler was asked to stop.
enum class stop_reason {
    none,
    cancelled,   ///< an operator or the producer cancelled the job; answer `cancelled()`
    timeout,     ///< the kind's timeout passed; the attempt will be recorded as failed
    lease_lost,  ///< another worker owns the job now; nothing this handler returns counts
    shutdown,    ///< the worker leaves before the job finished; the job goes back in line
};

[[nodiscard]] std::string_view to_string(stop_reason reason) noexcept;

/// How much a line of a job's log matters.
enum class log_level { debug, info, warning, error };

[[nodiscard]] std::string_view to_string(log_level level) noexcept;

namespace engine {
class job_run;
}

/// A handler's view of its run. Valid while the handler runs and not after.
/// Thread rules: every member may be called from the handler's own thread; `stop_reason`,
/// `stop_token`, `progress`, `log` and what is said of the provider from any thread. Members ending
/// in _blocking are for blocking handlers alone, those that return an awaitable for coroutines
/// alone.
class job_context {
   public:
    explicit job_context(engine::job_run& run) noexcept : run_{run} {}
    job_context(const job_context&) = delete;
    job_context& operator=(const job_context&) = delete;

    [[nodiscard]] const libqueue::job& job() const noexcept;
    [[nodiscard]] const std::string& payload() const noexcept { return job().payload; }
    /// When the kind's timeout passes.
    [[nodiscard]] std::chrono::steady_clock::time_point deadline() const noexcept;
    [[nodiscard]] std::chrono::milliseconds time_left() const noexcept;

    /// Becomes other than `none` once, when the handler should stop.
    [[nodiscard]] libqueue::stop_reason stop_reason() const noexcept;
    [[nodiscard]] bool stop_requested() const noexcept {
        return stop_reason() != libqueue::stop_reason::none;
    }
    [[nodiscard]] std::stop_token stop_token() const noexcept;

    /// Stable over all attempts of this job: what to send to a provider as its idempotency key.
    /// The key given at enqueue, else "job:<id>".
    [[nodiscard]] std::string idempotency_key() const;
    /// W3C trace context for what this run does: of the run's own span when the worker's observer
    /// traces (`observer::trace_run`), else that of the enqueuer, or empty.
    [[nodiscard]] std::string traceparent() const;

    /// Whether that is a span of its own, which somebody records.
    [[nodiscard]] bool traced() const;

    /// Adds to a counter, by name, of whoever observes the worker: mails sent. Told with the end of
    /// the run, and not at all when the run lost its lease or what it wanted recorded could not be.
    /// At most 100 per run. Throws `domain_failure` for a name that is none. No wait; any thread.
    void count(std::string name, double value = 1, measure_labels labels = {});
    /// The same for the present level of something: a balance.
    void level(std::string name, double value, measure_labels labels = {});
    /// Tells the observer of a request to another service. At most 100 per run. Never blocks; any
    /// thread.
    void call_made(outbound_call what);

    /// Reports how far the job is (0..1) and a line for people. Kept in memory and written with the
    /// next heartbeat; the last report wins. Never blocks.
    void progress(double fraction, std::string text = {});

    /// What came of a request to the provider behind the job's limits (worker.hpp): one call per
    /// request. Counted for the circuit breaker of every limit the job is under, and written with
    /// the turn that records the run; without such a limit nothing is. A run that says neither
    /// counts as a success when it completes, as an error when its kind's timeout passes, and not
    /// at all otherwise. Failed is what another job would meet as well: no connection, no answer in
    /// time, 5xx; not what is wrong with this job. Never blocks.
    void provider_ok();
    void provider_failed();
    /// The provider wants no requests for so long (429, Retry-After; at most 24 h are kept): once
    /// the run is recorded nothing under `limit` with this job's key starts before, in any process.
    /// Empty: the limit of the job's kind, else of its queue; a limit the job is not under is left
    /// alone. Answer `snooze(0ms)` to wait in line for it without using up an attempt.
    void provider_throttled(std::chrono::milliseconds retry_after, std::string limit = {});

    /// A line for the job's log (`queue.job_logs`, `qctl jobs logs`). Never blocks: kept in memory,
    /// written with the next heartbeat, sooner when there are many, and with the attempt's record
    /// at the latest. A process that dies loses what it said since its last heartbeat. At most
    /// 1,000 lines and 256 KiB per attempt are kept, of each line 4 KiB; a last line says how many
    /// were dropped.
    void log(log_level level, std::string text);

    /// Keeps how far the job has come, as JSON of at most 64 KiB: durable when it returns, in place
    /// of the one before. `lease_lost` when another worker owns the job, `invalid_argument` when it
    /// is too large, `invalid_payload` when it is no JSON. A database that is away throws
    /// `failure`.
    [[nodiscard]] boost::asio::awaitable<result<void>> checkpoint(std::string json);
    [[nodiscard]] result<void> checkpoint_blocking(const std::string& json);
    /// What this or an earlier attempt kept last, as JSON text. Asks the database.
    [[nodiscard]] boost::asio::awaitable<std::optional<std::string>> last_checkpoint();
    [[nodiscard]] std::optional<std::string> last_checkpoint_blocking();

    /// Says, durably, that an effect on the outside world is about to happen; see `effect`. `step`
    /// names it within the job: 1 to 64 of A-Z a-z 0-9 _ . -. `key` is what the provider gets, by
    /// default the job's idempotency key and the step; it must be the same in every attempt
    /// (`idempotency_conflict`). `lease_lost` when another worker owns the job, `conflict` while
    /// another job has begun an effect under this key.
    [[nodiscard]] boost::asio::awaitable<result<effect>> begin_effect(std::string step,
                                                                      std::string key = {});
    [[nodiscard]] result<effect> begin_effect_blocking(const std::string& step,
                                                       const std::string& key = {});

    /// Asks the database: one statement, which is a transaction of its own, on a connection that
    /// all handlers of the worker share and use one at a time. Keep it short; what must be exactly
    /// once with the end of the run goes to `outcome::also`. SQLSTATEs LQ001 to LQ009 and refused
    /// values come back as errors (error.hpp), all other failures of the statement throw `failure`.
    [[nodiscard]] boost::asio::awaitable<result<rows>> query(statement what);
    [[nodiscard]] result<rows> query_blocking(const statement& what);
    /// The schema the queue is in.
    [[nodiscard]] const std::string& schema() const noexcept;

    /// Coroutine handlers only: waits, or returns early when asked to stop.
    /// Returns true when the whole time passed.
    [[nodiscard]] boost::asio::awaitable<bool> sleep(std::chrono::milliseconds time);
    /// The worker's event loop (coroutine handlers run on it and must never block it).
    [[nodiscard]] boost::asio::any_io_executor executor() const;

   private:
    engine::job_run& run_;
};

}  // namespace libqueue
