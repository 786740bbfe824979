#pragma once

#include <libqueue/client.hpp>
#include <libqueue/error.hpp>
#include <libqueue/job.hpp>
#include <libqueue/operations.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

// Where jobs of some kinds go when their retention is over, and how what they hold of a person is
// erased. docs/archive.md and docs/erasure.md say what is kept and what is not.

namespace libqueue {

/// Which jobs of an archive. Empty fields do not restrict; results are by ascending id.
class archived_filter {
   public:
    explicit archived_filter(std::string archive_) : archive{std::move(archive_)} {}
    std::string archive;
    std::optional<std::string> kind;   ///< exact, or a prefix ending in `*`
    std::optional<time_point> before;  ///< archived before
    std::optional<job_id> after;       ///< above this id: the next page
    int limit{1'000};                  ///< 1 to 10000
    /// A page ends where its documents, as stored (compressed, that is), reach about so much, with
    /// one row at least.
    std::int64_t bytes{1024 * 1024};
};
static_assert(!std::is_aggregate_v<archived_filter>);

/// Uses the client's connection: one thread at a time, and the client must outlive it. Unknown
/// archives are `not_found`, bad arguments `invalid_argument` with the argument's name; a database
/// that is away throws `failure`. All may be repeated blindly.
class archives {
   public:
    explicit archives(client& connection) noexcept : client_{connection} {}

    /// From now on jobs of the kind go to the archive, which is made at its first use; nothing:
    /// they go for good. 1 to 64 of a-z 0-9 _ . - each.
    [[nodiscard]] result<void> set(std::string_view kind,
                                   const std::optional<std::string>& archive);
    /// How long jobs stay in it, from when they came; nothing: for ever, as at first.
    [[nodiscard]] result<void> set_retention(
        std::string_view archive, const std::optional<std::chrono::milliseconds>& retention);

    /// name, kinds, retention_ms, jobs, first_archived_at, last_archived_at, created_at.
    [[nodiscard]] report list();
    /// Columns as of the view queue.archived_jobs. An empty page: there are no more above `after`.
    [[nodiscard]] result<report> jobs(const archived_filter& filter);
    [[nodiscard]] result<std::int64_t> count(const archived_filter& filter);
    /// Deletes these for good, at most 10000 at a call; how many there were.
    [[nodiscard]] result<std::int64_t> remove(std::string_view archive,
                                              std::span<const job_id> ids);
    /// Deletes what was archived before, in batches of their own transactions; how many.
    [[nodiscard]] result<std::int64_t> prune(std::string_view archive, time_point before,
                                             const progress_callback& progress = {});

   private:
    client& client_;
};

/// What an erasure found.
class erasure {
   public:
    std::optional<std::int64_t> id;    ///< in queue.erasures; none of a dry run
    std::int64_t jobs{0};              ///< whose payload and meta are gone
    std::int64_t attempts{0};          ///< whose error and output are gone
    std::int64_t dead_letters{0};      ///< discarded
    std::int64_t archived{0};          ///< jobs in archives
    std::optional<std::int64_t> keys;  ///< idempotency keys that are free again; none of a dry run
    std::int64_t cancelled{0};         ///< of the jobs, those that were waiting
    std::int64_t running{0};           ///< told to stop; workers erase them when they have ended
};

/// What is to be erased.
class erasure_request {
   public:
    /// As given with `new_job::about` at enqueue, 1 to 512 bytes.
    explicit erasure_request(std::string subject_) : subject{std::move(subject_)} {}
    std::string subject;
    std::optional<std::string> tenant_id;  ///< UUID text; nothing: of jobs without tenant
    std::optional<std::string> reason;     ///< kept with the erasure; at most 1000 bytes
    bool dry_run{false};                   ///< only count
};
static_assert(!std::is_aggregate_v<erasure_request>);

/// Overwrites what jobs, attempts, dead letters and archived jobs hold of a subject, in one
/// transaction; those that wait are cancelled first. Safe to repeat. A database that is away throws
/// `failure`.
[[nodiscard]] result<erasure> erase(client& connection, const erasure_request& request);
/// The latest erasures, at most `limit` (1 to 10000): columns as of the view queue.erasures.
[[nodiscard]] report list_erasures(client& connection, int limit);

}  // namespace libqueue
