#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace libqueue {

/// Identifies a job for ever. Positive; drawn from a sequence, so later jobs have larger ids.
using job_id = std::int64_t;
/// Wall-clock time of the database, microseconds.
using time_point = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

/// Where a job stands. Derived from where its row is, never stored.
enum class job_state { scheduled, ready, running, retrying, completed, cancelled, dead };

[[nodiscard]] std::string_view to_string(job_state state) noexcept;
[[nodiscard]] std::optional<job_state> parse_job_state(std::string_view text) noexcept;

/// What you enqueue. Only kind and payload are required; every field left empty takes the default
/// of the kind (as workers registered it), then of the queue, then of the system.
///
/// It has constructors on purpose: `co_await client.enqueue(std::move(job))` with a *named* job is
/// safe on gcc 12, an aggregate temporary would not be.
class new_job {
   public:
    /// `kind`: [a-z0-9_.-], 1 to 64 characters. `payload`: JSON text, at most 1 MiB by default.
    new_job(std::string kind_, std::string payload_)
        : kind{std::move(kind_)}, payload{std::move(payload_)} {}

    new_job& in_queue(std::string name) { return queue = std::move(name), *this; }
    new_job& with_priority(int value) { return priority = value, *this; }
    new_job& run_at_time(time_point when) { return run_at = when, *this; }
    new_job& run_in(std::chrono::microseconds wait) { return delay = wait, *this; }
    new_job& unique_key(std::string key) { return idempotency_key = std::move(key), *this; }
    new_job& attempts(int count) { return max_attempts = count, *this; }
    new_job& for_tenant(std::string uuid) { return tenant_id = std::move(uuid), *this; }
    new_job& tag(std::string name) { return tags.push_back(std::move(name)), *this; }
    new_job& in_batch(std::int64_t batch) { return batch_id = batch, *this; }
    new_job& ordered_by(std::string key) { return ordering_key = std::move(key), *this; }
    new_job& at_most(int count, std::string key) {
        return key_concurrency = count, concurrency_key = std::move(key), *this;
    }
    new_job& about(std::string person) { return subject = std::move(person), *this; }

    std::string kind;
    std::string payload;
    std::optional<std::string> queue;  ///< must exist; default: the kind's, else "default"
    std::optional<int> priority;       ///< smallint, lower runs first; default: the kind's, else 5
    std::optional<time_point> run_at;  ///< not before; default now
    std::optional<std::chrono::microseconds> delay;  ///< from the database's now; excludes run_at
    std::optional<std::string> idempotency_key;      ///< 1 to 512 bytes, per tenant
    std::optional<std::chrono::seconds> idempotency_ttl;  ///< default 7 days, at most 10 years
    std::optional<int> max_attempts;         ///< 1 to 1000; default: the kind's, else 4
    std::optional<std::string> tenant_id;    ///< UUID text
    std::string meta;                        ///< JSON object text or empty, at most 64 KiB
    std::vector<std::string> tags;           ///< stored as meta.tags
    std::optional<std::string> traceparent;  ///< W3C trace context, stored as meta.traceparent
    /// The job is an item of this batch, which must not be sealed yet.
    std::optional<std::int64_t> batch_id;
    /// Jobs of a queue and tenant with the same key run strictly one after the other, in the order
    /// of run_at and id; one that is retried holds the others up. 1 to 512 bytes.
    std::optional<std::string> ordering_key;
    /// At most `key_concurrency` jobs of a queue and tenant with the same key run at a time; one
    /// that waits for its next attempt lets others pass. 1 to 512 bytes, not the ordering key.
    std::optional<std::string> concurrency_key;
    std::optional<int> key_concurrency;    ///< 1 to 10,000, default 1; needs concurrency_key
    std::optional<std::string> limit_key;  ///< its bucket of limits with key limit_key; 1 to 200 B
    std::optional<int> cost;               ///< tokens it takes of its limits; 1 to 1,000,000
    /// Whom its data is about, for `queue.erase`; 1 to 512 bytes. Not shown with the job.
    std::optional<std::string> subject;
    /// Drawn beforehand by who seals the payload for it (encryption.hpp): a new value of
    /// queue.job_id_seq. Nothing: the database draws it.
    std::optional<job_id> id;
};
static_assert(!std::is_aggregate_v<new_job>);

/// The answer to an enqueue.
class enqueued {
   public:
    job_id id{0};
    /// The idempotency key was known: `id` is the first job's and nothing was inserted.
    bool duplicate{false};
    /// With `duplicate`: the first job's output when it has completed with one.
    std::optional<std::string> output;
};

/// One job as a handler sees it. Immutable while the handler runs.
class job {
   public:
    job_id id{0};
    std::int64_t lease{0};  ///< the fence: every write about this run names it
    std::string kind;
    std::string queue;
    int priority{0};
    int attempt{1};  ///< 1 for the first; a crash or snooze does not raise it
    int max_attempts{1};
    bool reconcile{false};  ///< this run must find out what an earlier attempt did
    std::optional<std::string> tenant_id;
    std::string payload;  ///< JSON text as PostgreSQL prints jsonb
    std::string meta;     ///< JSON object text, or empty
    time_point created_at{};
    time_point run_at{};
};

/// One job as an operator sees it (a row of the view `queue.jobs`).
class job_info {
   public:
    job_id id{0};
    std::optional<std::string> tenant_id;
    std::string queue;
    std::string kind;
    job_state state{job_state::ready};
    int priority{0};
    int attempt{0};  ///< attempts used up so far, the running one included
    int max_attempts{0};
    std::string payload;
    std::string meta;
    std::optional<std::string> output;
    time_point run_at{};
    time_point created_at{};
    std::optional<time_point> finished_at;
    std::optional<std::string> last_error;
};

}  // namespace libqueue
