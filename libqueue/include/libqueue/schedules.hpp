#pragma once

#include <libqueue/client.hpp>
#include <libqueue/error.hpp>
#include <libqueue/job.hpp>
#include <libqueue/operations.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

// Jobs that recur. A schedule names slots (a cron expression in a time zone, or a fixed interval);
// running workers turn each slot into one job, whichever of them is first. docs/schedules.md has
// the expressions and what happens when clocks change or nobody was there to fire.

namespace libqueue {

/// What becomes of slots nobody fired within the grace, because no worker ran.
enum class misfire {
    skip,      ///< they are passed over
    collapse,  ///< one job for all of them, with the latest slot
    backfill,  ///< the latest `backfill_max` of them, oldest first
};

/// What becomes of a slot while the job of the one before is not finished.
enum class overlap {
    allow,   ///< a job as ever
    forbid,  ///< none; the run says `overlap`
};

[[nodiscard]] std::string_view to_string(misfire policy) noexcept;
[[nodiscard]] std::optional<misfire> parse_misfire(std::string_view text) noexcept;
[[nodiscard]] std::string_view to_string(overlap policy) noexcept;
[[nodiscard]] std::optional<overlap> parse_overlap(std::string_view text) noexcept;

/// What you schedule. Fields left empty take the defaults of the kind when a slot fires. It has a
/// constructor on purpose; see new_job.
class new_schedule {
   public:
    /// `name`: 1 to 128 of A-Z a-z 0-9 _ . : / -, one of its tenant. `cron`: five fields, six with
    /// the second first, `@daily` and the like, or `@every 90s`; 1 to 256 bytes. `kind` as of jobs.
    new_schedule(std::string name_, std::string cron_, std::string kind_,
                 std::string payload_ = "{}")
        : name{std::move(name_)},
          cron{std::move(cron_)},
          kind{std::move(kind_)},
          payload{std::move(payload_)} {}

    /// Of a typed job: `{"carts", "@every 90s", to_job(expire_carts{})}`. Takes its kind, payload,
    /// queue, priority, attempts, tenant and meta; its times, keys, tags, batch, cost and subject
    /// mean nothing here.
    new_schedule(std::string name_, std::string cron_, new_job job)
        : name{std::move(name_)},
          cron{std::move(cron_)},
          kind{std::move(job.kind)},
          payload{std::move(job.payload)},
          queue{std::move(job.queue)},
          priority{job.priority},
          max_attempts{job.max_attempts},
          tenant_id{std::move(job.tenant_id)},
          meta{std::move(job.meta)} {}

    new_schedule& in_zone(std::string zone) { return timezone = std::move(zone), *this; }
    new_schedule& in_queue(std::string queue_) { return queue = std::move(queue_), *this; }
    new_schedule& for_tenant(std::string uuid) { return tenant_id = std::move(uuid), *this; }
    new_schedule& on_misfire(misfire policy) { return when_missed = policy, *this; }
    /// At most so many of the missed slots, 1 to 1000.
    new_schedule& backfill(int most) {
        when_missed = misfire::backfill;
        backfill_max = most;
        return *this;
    }
    new_schedule& without_overlap() { return when_busy = overlap::forbid, *this; }

    std::string name;
    std::string cron;
    std::string kind;
    std::string payload;          ///< JSON text, the same for every job
    std::string timezone{"UTC"};  ///< a name of the tz database
    misfire when_missed{misfire::collapse};
    int backfill_max{1};  ///< of misfire::backfill
    overlap when_busy{overlap::allow};
    /// How late a slot may fire and still count as on time; 1 s to 1 h.
    std::chrono::milliseconds misfire_grace{60'000};
    std::optional<std::string> queue;  ///< must exist
    std::optional<int> priority;
    std::optional<int> max_attempts;       ///< 1 to 1000
    std::optional<std::string> tenant_id;  ///< UUID text
    /// JSON object text or empty. Each job also gets `schedule` and `slot` (UTC) in it.
    std::string meta;
};
static_assert(!std::is_aggregate_v<new_schedule>);

/// Which schedules. Empty fields do not restrict.
class schedule_filter {
   public:
    schedule_filter() = default;
    std::optional<std::string> name;  ///< exact, or a prefix ending in `*`
    std::optional<std::string> kind;  ///< likewise
    std::optional<std::string> tenant_id;
    std::optional<std::int64_t> after;  ///< ids above this one: the next page
    int limit{1'000};                   ///< 1 to 10000
};

/// Uses the client's connection: one thread at a time, and the client must outlive it. A name is
/// unique within its tenant, hence the `tenant_id` (UUID text; nothing: of no tenant). Unknown
/// schedules are `not_found`, bad arguments `invalid_argument` with the argument's name; a database
/// that is away throws `failure`. All may be repeated blindly but `run_now`.
class schedules {
   public:
    explicit schedules(client& connection) noexcept : client_{connection} {}

    /// Makes the schedule, or changes the one of that name; returns its id. To be called with every
    /// start of a program: set anew as it was, it loses no slot. Another expression or zone counts
    /// from now on. One that is paused stays so.
    [[nodiscard]] result<std::int64_t> set(const new_schedule& wanted);
    /// Its jobs stay, its history goes. False: there was none.
    [[nodiscard]] result<bool> remove(std::string_view name,
                                      const std::optional<std::string>& tenant_id = {});
    [[nodiscard]] result<void> pause(std::string_view name,
                                     const std::optional<std::string>& tenant_id = {});
    /// Goes on with the first slot from now on; those of the pause never fire.
    [[nodiscard]] result<void> resume(std::string_view name,
                                      const std::optional<std::string>& tenant_id = {});
    /// One job more, paused or not. `conflict` when overlap is forbidden and the last one's is not
    /// finished.
    [[nodiscard]] result<job_id> run_now(std::string_view name,
                                         const std::optional<std::string>& tenant_id = {});
    /// The next `n` slots (1 to 1000), also of one that is paused.
    [[nodiscard]] result<std::vector<time_point>> next(
        std::string_view name, int n, const std::optional<std::string>& tenant_id = {});
    /// The next `n` slots an expression names, for looking before leaping.
    [[nodiscard]] result<std::vector<time_point>> preview(std::string_view cron,
                                                          std::string_view timezone, int n);

    /// In the order they were made; columns as of the view queue.schedules, times in ms.
    [[nodiscard]] report list(const schedule_filter& filter = {});
    /// One row.
    [[nodiscard]] result<report> show(std::string_view name,
                                      const std::optional<std::string>& tenant_id = {});
    /// What became of the latest slots, at most a hundred: slot, outcome, fired_at, lateness_ms,
    /// job_id, until, error.
    [[nodiscard]] report runs(std::string_view name, int limit,
                              const std::optional<std::string>& tenant_id = {});

   private:
    client& client_;
};

}  // namespace libqueue
