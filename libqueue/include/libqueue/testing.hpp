#pragma once

#include <libqueue/client.hpp>
#include <libqueue/job.hpp>
#include <libqueue/operations.hpp>
#include <libqueue/outcome.hpp>
#include <libqueue/worker.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// For the tests of whoever uses libqueue; link libqueue::testing. Works with every test framework:
// what fails throws `testing::failed`. The database is a real PostgreSQL, the statements are those
// of the worker; nothing is imitated.

namespace libqueue::testing {

/// An expectation that does not hold; what() says what was found instead.
class failed : public std::runtime_error {
   public:
    using std::runtime_error::runtime_error;
};

/// A private PostgreSQL in a temporary folder: unix socket only, without fsync, gone with this
/// object or process. Needs the server's package installed (Debian: postgresql-15); run as root it
/// runs as `postgres`. The thread that makes it must outlive it: the kernel stops the server when
/// that thread ends. Start takes about a second. Throws std::runtime_error.
class server {
   public:
    server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;
    ~server();
    /// Connection string of one of its databases.
    [[nodiscard]] std::string dsn(std::string_view database = "postgres") const;
    /// The one of this process, made at its first use.
    [[nodiscard]] static server& shared();

   private:
    class impl;
    std::unique_ptr<impl> impl_;
};

/// A fresh, migrated database of one test; dropped at the end, whoever is still connected. Any
/// number may exist at once, so tests may run in parallel.
class database {
   public:
    /// On the server of the environment variable LIBQUEUE_TEST_DSN (a role that may create
    /// databases), else on `server::shared()`.
    database();
    /// On this server.
    explicit database(const std::string& server_dsn);
    database(const database&) = delete;
    database& operator=(const database&) = delete;
    ~database();

    /// For the code under test.
    [[nodiscard]] const std::string& dsn() const noexcept;
    /// A client of the test's own.
    [[nodiscard]] libqueue::client& client();
    [[nodiscard]] libqueue::operations operations() { return libqueue::operations{client()}; }

    /// Makes everything in the database so much older: what was due in an hour is due now, leases
    /// and keys age, retention comes closer. The clocks of server and process stay as they are.
    /// Not while a worker runs on it: it keeps its place in line in memory.
    void move_time(std::chrono::milliseconds forward);
    /// Fires the schedules as if it were `now`, which must not go back from call to call: each slot
    /// up to then becomes a job that is due at once, or is missed, as its schedule says. Returns
    /// how many jobs. `move_time` does not touch schedules.
    std::int64_t fire_schedules(time_point now);

   private:
    class impl;
    std::unique_ptr<impl> impl_;
};

/// What a job must be like; a field left empty does not matter.
class expected_job {
   public:
    /// `kind`: exact, or a prefix ending in `*`.
    explicit expected_job(std::string kind_) : kind{std::move(kind_)} {}

    expected_job& in_queue(std::string name) { return queue = std::move(name), *this; }
    /// JSON the payload contains: `{"to": "ann"}` matches every payload with that member.
    expected_job& with_payload(std::string json) { return payload = std::move(json), *this; }
    expected_job& with_priority(int value) { return priority = value, *this; }
    expected_job& for_tenant(std::string uuid) { return tenant_id = std::move(uuid), *this; }
    expected_job& tagged(std::string name) { return tag = std::move(name), *this; }
    /// Not due before this long from now; and, with `due_within`, not later.
    expected_job& due_after(std::chrono::milliseconds wait) { return after = wait, *this; }
    expected_job& due_within(std::chrono::milliseconds wait) { return within = wait, *this; }

    std::string kind;
    std::optional<std::string> queue;
    std::optional<std::string> payload;
    std::optional<int> priority;
    std::optional<std::string> tenant_id;
    std::optional<std::string> tag;
    std::optional<std::chrono::milliseconds> after;
    std::optional<std::chrono::milliseconds> within;
};
static_assert(!std::is_aggregate_v<expected_job>);

/// The jobs in line (ready, scheduled or retrying) that match, oldest first.
[[nodiscard]] std::vector<job_info> find_enqueued(database& in, const expected_job& like);
/// Exactly one such job is in line: returns it, else throws `failed` with what is there.
job_info assert_enqueued(database& in, const expected_job& like);
/// Exactly so many.
void assert_enqueued(database& in, const expected_job& like, int times);
/// None is.
void refute_enqueued(database& in, const expected_job& like);

/// What became of one run.
class run_result {
   public:
    job_id id{0};
    std::string kind;
    /// What the handler said; `retry` when it threw.
    outcome said{outcome::type::completed, {}, std::nullopt, {}};
    /// What it threw, for rethrow.
    std::exception_ptr thrown;
    /// How the job stands after it.
    job_info job;
};

/// Runs jobs in the calling thread, one at a time, with the claim and the record of a real worker:
/// attempts, backoff, dead letters, reconcile and fences are what production does. Timeouts and
/// limits are not watched, and `job_context::stop_reason` stays `none`. An exception that is no
/// std::exception, such as a failed assertion of a test framework, is recorded and then leaves
/// `run` and `drain`.
class inline_worker {
   public:
    /// `kinds` as for `worker`; their defaults are published as a worker does. `keys` are for
    /// encrypted kinds. The database must outlive this.
    inline_worker(database& on, std::vector<registration> kinds,
                  std::shared_ptr<const keyring> keys = nullptr);
    inline_worker(const inline_worker&) = delete;
    inline_worker& operator=(const inline_worker&) = delete;
    ~inline_worker();

    /// Runs this job once, due or not. Throws `failed` when it is not in line, its queue is paused
    /// or none of `kinds` is its.
    run_result run(job_id id);
    /// Runs what is due, by priority and age, also what handlers enqueue meanwhile, until nothing
    /// is. Throws `failed` after `at_most` runs: a job that always comes back would never end.
    std::vector<run_result> drain(int at_most = 1'000);

   private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace libqueue::testing
