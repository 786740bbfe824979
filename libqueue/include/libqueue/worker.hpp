#pragma once

#include <libqueue/backoff.hpp>
#include <libqueue/error.hpp>
#include <libqueue/job_context.hpp>
#include <libqueue/limit_options.hpp>
#include <libqueue/migrate.hpp>
#include <libqueue/observer.hpp>
#include <libqueue/outcome.hpp>
#include <libqueue/pooling.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace libqueue {

class keyring;

/// Runs on the worker's loop thread; must never block it. The context outlives the coroutine.
using coroutine_handler = std::function<boost::asio::awaitable<outcome>(job_context&)>;
/// Runs on the worker's thread pool and may block; should watch `stop_token()`.
using blocking_handler = std::function<outcome(job_context&)>;

/// What a batch handler says: one outcome for each job it was given, in their order, and what is to
/// be done in the transaction that records them all. The statements of single outcomes run before.
class batch_outcome {
   public:
    batch_outcome() = default;
    std::vector<outcome> each;
    std::vector<statement> also;
};
/// Runs many jobs of one kind with one call, on the worker's loop as a coroutine handler does. What
/// it says is recorded in one transaction when it has statements. When it throws, or a statement
/// fails, every job of the batch is retried; a job in its second attempt or later is given alone,
/// so that one that spoils its batch does so once.
using batch_handler =
    std::function<boost::asio::awaitable<batch_outcome>(std::vector<job_context*>)>;

/// What becomes of a job whose worker died while running it.
enum class on_lost {
    retry,      ///< back in line until the crash budget is spent, then dead letter
    dead,       ///< straight to the dead letters
    hold,       ///< dead letter that says "held": an operator decides
    reconcile,  ///< back in line flagged reconcile; for money and mint
};

/// Who runs suspects: jobs whose last run lost its worker. Each runs while nothing else runs in its
/// process, so that only a job that kills its worker alone is charged with the crash; what merely
/// ran or waited beside it is not.
enum class suspect_policy {
    /// This worker, one at a time: it claims nothing else until its running jobs have ended and the
    /// suspects are through. When that takes longer than 30 s it goes on and tries again later.
    alone,
    only,   ///< this worker, which runs nothing but suspects
    leave,  ///< others; `suspects_waiting` is reported when some stand in line
};

[[nodiscard]] std::string_view to_string(on_lost policy) noexcept;
[[nodiscard]] std::optional<on_lost> parse_on_lost(std::string_view text) noexcept;

/// How one kind is run. Published to the database at start, so that SQL enqueuers get its defaults
/// and any worker can rescue its jobs rightly.
class kind_options {
   public:
    kind_options() = default;
    int concurrency{0};  ///< running at once in this process; 0: only the queue's
    std::chrono::milliseconds timeout{300'000};  ///< of one attempt; > 0
    int max_attempts{4};                         ///< 1 to 1000: one run and three retries
    retry_policy retry;                          ///< default exponential 2 s, cap 60 s, jitter
    int batch_max{100};   ///< jobs given to one call of a batch handler; 1 to 10,000
    int crash_budget{3};  ///< lost workers survived before the dead letters; >= 0
    libqueue::on_lost on_lost{libqueue::on_lost::retry};
    std::string queue;            ///< default queue of the kind; empty: "default"
    std::optional<int> priority;  ///< default priority of the kind; else 5
    /// How long finished jobs stay, over their queue's; 0 to 36,500 days. Unset: what the database
    /// says, at first the queue's.
    std::optional<std::chrono::milliseconds> retention;
    /// The same for cancelled ones; unset: what the database says, at first as for completed ones.
    std::optional<std::chrono::milliseconds> cancelled_retention;
    /// The same for dead letters; unset: what the database says, at first the queue's.
    std::optional<std::chrono::milliseconds> dead_letter_retention;
    /// Where its jobs are copied to before they go, 1 to 64 of a-z 0-9 _ . - (docs/archive.md).
    /// Unset: what the database says, at first nowhere. Empty: nowhere.
    std::optional<std::string> archive;
    std::string limit;  ///< name of the limit its jobs are under; empty: none
    /// Payloads are sealed by their producers and opened here before the handler runs, outputs are
    /// sealed; needs `worker_options::keyring`. Published, and from then on the database refuses
    /// unsealed payloads of the kind until `queue.set_encrypted(kind, false)`.
    bool encrypted{false};
};
static_assert(!std::is_aggregate_v<kind_options>);

/// A kind and who handles it. Exactly one of `handle`, `handle_blocking` and `handle_many` is set;
/// likewise at most one of the reconcile pair, which is called instead when `job().reconcile` is
/// true.
class registration {
   public:
    explicit registration(std::string kind_) : kind{std::move(kind_)} {}
    std::string kind;
    kind_options options;
    coroutine_handler handle;
    blocking_handler handle_blocking;
    batch_handler handle_many;
    coroutine_handler reconcile;
    blocking_handler reconcile_blocking;
};

/// A queue this worker serves.
class queue_options {
   public:
    queue_options(std::string name_, int concurrency_)
        : name{std::move(name_)}, concurrency{concurrency_} {}
    std::string name;  ///< created at start when it does not exist
    int concurrency;   ///< running at once in this process; 1 to 100000
    /// How long finished jobs stay after their end; 0 to 36,500 days. Set at start; unset: what the
    /// database says, at first 14 days. The worker that started last decides.
    std::optional<std::chrono::milliseconds> retention;
    /// The same for dead letters, after their death; at first 90 days. A dead letter's job stays as
    /// long as it does.
    std::optional<std::chrono::milliseconds> dead_letter_retention;
    std::string limit;  ///< all its jobs are under it, beside that of their kind; empty: none
};

class worker_options {
   public:
    worker_options() = default;
    std::string dsn;         ///< libpq connection string or URI; empty: PG* environment
    std::string listen_dsn;  ///< for LISTEN when `dsn` is a transaction pooler; empty: `dsn`
    bool listen{true};       ///< false: poll only
    /// Behind a pooler in transaction mode statements are not prepared, and LISTEN is refused:
    /// set `listen_dsn` to a direct connection, or `listen` to false.
    pooling pooler{pooling::detect};
    std::string schema{"queue"};
    std::string name;  ///< for people; default host:pid. Identity is a new id per boot
    std::vector<queue_options> queues;
    /// Defined at start, in place of what other workers defined, but never of what a person has set
    /// (`queue.limit_set`, `qctl limits set`). Kinds and queues may name limits that are not here:
    /// those that are defined nowhere hold their jobs back.
    std::vector<limit_options> limits;
    int turn_connections{2};  ///< 1 to 8
    int threads{0};           ///< blocking handlers; 0: sum of concurrency, at most 64
    std::chrono::milliseconds heartbeat{2'000};  ///< >= 100 ms
    std::chrono::milliseconds lease{
        10'000};  ///< silence after which a worker is dead; > 2 heartbeats
    std::chrono::milliseconds poll_interval{5'000};  ///< fallback when no wake-up arrives
    std::chrono::milliseconds drain_timeout{
        30'000};  ///< how long stop() waits for running handlers
    suspect_policy suspects{suspect_policy::alone};
    bool migrate{true};  ///< apply migrations at start
    /// Of processors and of the application: applied after the queue's own, in this order, or asked
    /// for when `migrate` is false.
    std::vector<migration_set> migration_sets;
    /// Refuse a server with fsync or full_page_writes off, which loses acknowledged jobs when the
    /// machine crashes. Without it such a server is warned of (`server_unsafe`) at every start.
    bool require_durability{false};
    /// Refuse a connection whose role row-level security does not hold (a superuser, BYPASSRLS, the
    /// owner of the tables) or that may not act for one tenant, and a database whose roles are not
    /// installed. For whoever serves several tenants' tokens.
    bool require_tenancy{false};
    /// Refuse a database whose installation has another name (`qctl migrate adopt --name`); empty:
    /// any. The one guard against a file-level copy, which carries all identifiers along.
    std::string installation;
    /// Opens and seals for encrypted kinds. Shared with whoever reloads it.
    std::shared_ptr<const libqueue::keyring> keyring;
    libqueue::observer* observer{nullptr};  ///< must outlive the worker; may be null
};
static_assert(!std::is_aggregate_v<worker_options>);

/// Claims and runs jobs: one process's share of the fleet. Owns its threads and connections.
/// All members may be called from any thread; `start` and `stop` any number of times, in turn.
class worker {
   public:
    /// Throws std::invalid_argument naming every fault of the options.
    worker(worker_options options, std::vector<registration> kinds);
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;
    /// Leaves at once if still running (as `stop(0ms)`).
    ~worker();

    /// Starts the loop thread and returns. The database may be away: the worker keeps trying.
    /// Throws `domain_failure` with schema_mismatch when the schema cannot be served, with
    /// invalid_argument when LISTEN would go through a pooler in transaction mode, and with
    /// unfit_server when the server loses what it acknowledged or the database is a copy of the
    /// one that was adopted. When the database comes later, or the connection moves to another
    /// server, the same is checked then: the worker reports `database_lost` and claims nothing.
    void start();
    /// Drains: claims no more, gives unstarted jobs back, waits for running handlers at most
    /// `drain_timeout` (then tells them `shutdown` and gives their jobs back). Idempotent.
    void stop();
    void stop(std::chrono::milliseconds drain_timeout);
    /// start(), then waits until stop() is called from elsewhere or a signal handler, or an
    /// operator asks this worker to leave (`event_type::worker_dismissed`), which stops it.
    void run();
    /// Stops claiming without stopping; `resume()` goes on. For "quiet".
    void pause();
    void resume();
    /// Changes a queue's concurrency at run time; unknown names are ignored. Returns whether known.
    bool set_concurrency(std::string_view queue, int concurrency);

    [[nodiscard]] bool running() const noexcept;
    /// A healthy worker has talked to the database within its lease.
    [[nodiscard]] bool connected() const noexcept;
    /// Jobs now running in this process.
    [[nodiscard]] int active() const noexcept;
    /// Jobs whose handler has returned since start, whatever it said.
    [[nodiscard]] std::int64_t finished() const noexcept;
    /// Calls `answer` on the loop thread as soon as that comes around, so that a supervisor can
    /// tell a loop that turns from one that a handler blocks. `answer` must not block or throw.
    /// False when not running; when the worker leaves first, `answer` is never called.
    [[nodiscard]] bool ping(std::function<void()> answer);
    /// Id in `queue.worker` of this start; 0 when not registered.
    [[nodiscard]] std::int64_t id() const noexcept;

   private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace libqueue
