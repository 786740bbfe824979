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
#include <utility>

// Many jobs under one id, counted exactly, with jobs to call when all of them have ended.
// docs/batches.md has how the counting works and what each state means.

namespace libqueue {

/// Names as in the database: PENDING, PROCESSING, COMPLETED, FAILED, PARTIAL_SUCCESS.
enum class batch_state {
    pending,          ///< no item has ended
    processing,       ///< some have, or it is not sealed
    completed,        ///< sealed, and every item succeeded
    failed,           ///< sealed, all ended, none succeeded
    partial_success,  ///< sealed, all ended, some succeeded
};

[[nodiscard]] std::string_view to_string(batch_state state) noexcept;
[[nodiscard]] std::optional<batch_state> parse_batch_state(std::string_view text) noexcept;

/// What you make. It has a constructor on purpose; see new_job.
class new_batch {
   public:
    /// `name` is for people: 1 to 200 characters, not unique; empty: none.
    explicit new_batch(std::string name_ = {}) : name{std::move(name_)} {}

    /// Kinds of the jobs to enqueue when the batch has ended.
    new_batch& on_success(std::string kind) { return success = std::move(kind), *this; }
    new_batch& on_failure(std::string kind) { return failure = std::move(kind), *this; }
    new_batch& on_finish(std::string kind) { return finish = std::move(kind), *this; }
    /// JSON text the callbacks are given beside the counts.
    new_batch& with_payload(std::string json) { return payload = std::move(json), *this; }
    new_batch& for_tenant(std::string uuid) { return tenant_id = std::move(uuid), *this; }

    std::string name;
    std::optional<std::string> success;  ///< every item succeeded
    std::optional<std::string> failure;  ///< some item did not
    std::optional<std::string> finish;   ///< either
    std::string payload{"{}"};
    std::optional<std::string> callback_queue;  ///< must exist; default: the kind's
    std::optional<int> callback_priority;
    std::optional<std::string> tenant_id;                         ///< UUID text
    std::chrono::seconds retention{std::chrono::hours{24} * 14};  ///< after its end; 0 to 3650 d
};
static_assert(!std::is_aggregate_v<new_batch>);

/// How far a batch has come.
class batch_counts {
   public:
    batch_state state{batch_state::pending};
    std::int64_t total{0};
    std::int64_t succeeded{0};
    std::int64_t failed{0};
    std::int64_t cancelled{0};
    bool sealed{false};
    /// It has ended and its callbacks are enqueued, which is a moment after the last item's end.
    bool finished{false};

    [[nodiscard]] std::int64_t processed() const noexcept { return succeeded + failed + cancelled; }
};

/// What cancelling has done so far.
class batch_cancelled {
   public:
    std::int64_t cancelled{0};  ///< waited, and will not run
    std::int64_t asked{0};      ///< run; their handlers were told
    bool finished{false};       ///< false: workers go on with it
};

/// Which batches. Empty fields do not restrict; newest first.
class batch_filter {
   public:
    batch_filter() = default;
    std::optional<std::string> name;  ///< exact, or a prefix ending in `*`
    std::optional<std::string> tenant_id;
    bool unfinished_only{false};
    std::optional<std::int64_t> before;  ///< ids below this one: the next page
    int limit{100};                      ///< 1 to 10000
};

/// Which items of a batch, in the order they were added.
class batch_item_filter {
   public:
    batch_item_filter() = default;
    /// `dead` (given up) is found at once; other states by reading the items up to the page's end.
    std::optional<job_state> state;
    std::optional<job_id> after;  ///< the last item of the page before
    int limit{100};               ///< 1 to 10000
};

/// Uses the client's connection: one thread at a time, and the client must outlive it. Unknown
/// batches are `not_found`, bad arguments `invalid_argument` with the argument's name; a database
/// that is away throws `failure`. Jobs are put under a batch by `new_job::batch_id`.
class batches {
   public:
    explicit batches(client& connection) noexcept : client_{connection} {}

    [[nodiscard]] result<std::int64_t> create(const new_batch& wanted);
    /// No more items: it ends when those it has have ended, at once when it has none. Waits for
    /// transactions that are adding. `conflict` when it is sealed already.
    [[nodiscard]] result<void> seal(std::int64_t batch);
    /// Cancels what waits and asks what runs; the batch is sealed. Takes at most half a second;
    /// what is left of a large batch the workers go on with. `conflict` when it has ended.
    [[nodiscard]] result<batch_cancelled> cancel(std::int64_t batch,
                                                 std::optional<std::string> reason = {});
    /// Exact at any time.
    [[nodiscard]] result<batch_counts> counts(std::int64_t batch);

    /// Columns as of the view queue.batches.
    [[nodiscard]] report list(const batch_filter& filter = {});
    /// One row.
    [[nodiscard]] result<report> show(std::int64_t batch);
    /// id, state, kind, attempts, error, finished_at; of items that retention has removed only the
    /// id. `report::next` is the next page's `after`.
    [[nodiscard]] result<report> items(std::int64_t batch, const batch_item_filter& filter = {});

   private:
    client& client_;
};

}  // namespace libqueue
