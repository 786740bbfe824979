#pragma once

#include <libqueue/client.hpp>
#include <libqueue/error.hpp>
#include <libqueue/job.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The operator's API: what qctl and the dashboards use. Lists come as a `report`, a small typed
// table whose column names are those of the SQL API, so every front end prints the same names.

namespace libqueue {

enum class column_type { text, integer, number, boolean, json, time };

class column {
   public:
    column(std::string name_, column_type type_) : name{std::move(name_)}, type{type_} {}
    std::string name;
    column_type type;
};

/// Rows of optional text (PostgreSQL's text form; nullopt is NULL).
class report {
   public:
    std::vector<column> columns;
    std::vector<std::vector<std::optional<std::string>>> rows;
    /// Of `list_jobs`: there may be more below this id (`job_filter::before`). Unset: that was all.
    std::optional<job_id> next;
    /// Of `list_jobs`: the page is not full because the search ended where it had looked at 100,000
    /// jobs that did not match; it goes on below `next`.
    bool capped{false};
};

/// Which jobs. Empty fields do not restrict. `limit` 1 to 10000; results are newest first and
/// `before` continues below that id (keyset).
class job_filter {
   public:
    job_filter() = default;
    std::vector<job_state> states;
    std::optional<std::string> queue;
    std::optional<std::string> kind;  ///< exact, or a prefix ending in `*`
    std::optional<std::string> tenant_id;
    std::optional<std::string> tag;
    std::optional<time_point> since;  ///< created at or after
    std::optional<job_id> before;
    int limit{50};
};

class dead_letter_filter {
   public:
    dead_letter_filter() = default;
    std::vector<job_id> ids;
    std::optional<std::string> queue;
    std::optional<std::string> kind;  ///< exact, or a prefix ending in `*`
    std::optional<std::string> tenant_id;
    std::optional<std::string> error_like;   ///< substring of the error
    std::optional<std::string> fingerprint;  ///< of a failure group
    std::optional<time_point> since;         ///< died at or after
    std::optional<time_point> until;         ///< died before
    std::optional<job_id> before;
    int limit{50};
};

class replay_options {
   public:
    replay_options() = default;
    bool dry_run{false};
    double per_second{0};                ///< 0: as fast as possible; else spread over run_at
    std::optional<std::string> payload;  ///< new JSON payload: a new job that names its ancestor
    std::optional<std::string> to_queue;
};

/// From where on `operations::list_cures` calls something a problem.
class cure_thresholds {
   public:
    cure_thresholds() = default;
    std::int64_t dead_rows{100'000};             ///< of one table, or kept by one snapshot
    std::int64_t index_bytes{64 * 1024 * 1024};  ///< of an index far larger than its rows need
    std::chrono::milliseconds snapshot_age{60'000};
};

/// Called after each batch with (done, total); return false to stop early.
using progress_callback = std::function<bool(std::int64_t done, std::int64_t total)>;

/// Uses the client's connection: one thread at a time, and the client must outlive it. A filter
/// that cannot be sent (a limit outside 1 to 10000, a tenant that is no UUID, text PostgreSQL
/// cannot store) throws `domain_failure` with invalid_argument; a database that is away throws
/// `failure`. What goes over many rows (replay, discard, purge) takes all that match when it
/// begins: `limit` is for lists only.
class operations {
   public:
    explicit operations(client& connection) noexcept : client_{connection} {}

    /// Looks at 100,000 jobs at most: a rare tag in a long history takes several calls.
    [[nodiscard]] report list_jobs(const job_filter& filter);
    [[nodiscard]] report attempts(job_id id);
    /// The first true reason why the job is not running: columns reason, detail, until.
    [[nodiscard]] result<report> explain(job_id id);

    [[nodiscard]] report list_dead_letters(const dead_letter_filter& filter);
    [[nodiscard]] report dead_letter_groups(const dead_letter_filter& filter);
    [[nodiscard]] std::int64_t count_dead_letters(const dead_letter_filter& filter);
    /// Back in line (or as new jobs when the payload is edited). Returns how many; each letter is
    /// replayed once whoever else tries. Batches of at most 500 in their own transactions. With a
    /// new payload or queue a letter of an encrypted kind needs the client's keyring, else it is a
    /// `conflict`: its payload is sealed for the old job.
    [[nodiscard]] result<std::int64_t> replay(const dead_letter_filter& filter,
                                              const replay_options& options,
                                              const progress_callback& progress = {});
    [[nodiscard]] std::int64_t discard(const dead_letter_filter& filter, bool dry_run,
                                       const progress_callback& progress = {});
    /// Deletes dead letters older than `age`.
    [[nodiscard]] std::int64_t prune_dead_letters(std::chrono::seconds age);

    [[nodiscard]] report list_queues();
    [[nodiscard]] result<report> show_queue(std::string_view queue);
    [[nodiscard]] result<void> create_queue(std::string_view queue);
    [[nodiscard]] result<void> pause(std::string_view queue, std::string_view reason);
    [[nodiscard]] result<void> resume(std::string_view queue);
    /// Cancels every waiting job of the queue (in batches); returns how many.
    [[nodiscard]] result<std::int64_t> purge(std::string_view queue, bool dry_run,
                                             const progress_callback& progress = {});
    /// Jobs of the queue that are waiting or running now.
    [[nodiscard]] result<std::int64_t> outstanding(std::string_view queue);

    [[nodiscard]] report list_workers();
    /// The process `pid` of this host has died, and how ("its process was killed by signal 11"):
    /// for whoever waits for it. Its jobs are rescued without waiting for the lease. Returns
    /// whether it was known; one that left in good order is not.
    [[nodiscard]] bool worker_ended(int pid, std::string_view how);
    /// Kinds with jobs waiting that no live worker handles.
    [[nodiscard]] report unhandled_kinds();
    /// Kinds live workers handle: kind, workers, queues.
    [[nodiscard]] report list_kinds();
    [[nodiscard]] report stats();

    /// What the tables suffer from and the command against it, as columns problem, command,
    /// by_hand; no rows when all is well. `by_hand` ends somebody's session or transaction.
    [[nodiscard]] report list_cures(const cure_thresholds& many = {});
    /// Runs one command of `list_cures` that is not by hand (VACUUM, REINDEX CONCURRENTLY). Takes
    /// as long as it takes; needs the owner of the tables. Throws `failure`.
    void run_cure(const std::string& command);

    /// `client::query` with names and types of the columns.
    [[nodiscard]] result<report> query(const statement& asked);
    /// `client::query_audited` likewise.
    [[nodiscard]] result<report> query_audited(std::string_view action, std::string_view target,
                                               std::string_view detail, const statement& asked);

   private:
    client& client_;
};

}  // namespace libqueue
