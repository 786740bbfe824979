#pragma once

#include "engine/acknowledgement.hpp"
#include "engine/queue_state.hpp"
#include "engine/statements.hpp"
#include "pg/params.hpp"
#include "pg/pipeline.hpp"
#include "pg/result.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace libqueue::engine {

class lane;
class runtime;

/// What a turn says and hears: between the engine's values and statement parameters or rows.
namespace turn {

/// By which claim jobs came: that of the lines, of strays behind the cursors, of a suspect, or of
/// lines under limits.
enum class claim_of { line, strays, suspect, limited };

/// How many more jobs of this queue to claim now.
[[nodiscard]] int budget(const queue_state& queue, clock::time_point now);
/// Some line's kind may take more jobs.
[[nodiscard]] bool has_room(const queue_state& queue);
/// A job behind the cursors is known and its kind may take it.
[[nodiscard]] bool has_room_for_strays(const queue_state& queue);

/// The parameters of a batch of acknowledgements, split by the statement that records them.
class finishes {
   public:
    explicit finishes(std::span<const acknowledgement> batch);
    [[nodiscard]] bool has_completed() const noexcept { return !completed_.empty(); }
    [[nodiscard]] bool has_other() const noexcept { return !other_.empty(); }
    [[nodiscard]] bool has_dead() const noexcept { return !dead_.empty(); }
    [[nodiscard]] pg::params completed_params(std::int64_t worker) const;
    [[nodiscard]] pg::params other_params(std::int64_t worker) const;
    [[nodiscard]] pg::params dead_params() const;
    [[nodiscard]] pg::params settle_params() const;
    [[nodiscard]] bool has_attached() const noexcept { return !attached_.empty(); }
    [[nodiscard]] bool has_counted() const noexcept { return !counted_.empty(); }
    /// Completed items by lease and batch.
    [[nodiscard]] pg::params count_params(std::int64_t worker) const;

   private:
    std::vector<const acknowledgement*> completed_;
    std::vector<const acknowledgement*> other_;
    std::vector<const acknowledgement*> dead_;
    std::vector<const acknowledgement*> attached_;
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> counted_;
};

/// How many statements were sent, by what their answers are: the leases that stand, or nothing.
struct finishes_sent {
    int standing{0};
    int other{0};
};
/// Everything that recording these takes, within the transaction under way. `worker` is whose
/// leases they are.
finishes_sent send_finishes(pg::pipeline& on, const statements& sql, std::int64_t worker,
                            std::span<const acknowledgement> batch);

/// What a turn carries.
class freight {
   public:
    freight(std::span<const acknowledgement> batch_, bool returns_, bool claims_)
        : batch{batch_}, returns{returns_}, claims{claims_} {}
    std::span<const acknowledgement> batch;
    bool returns;
    bool claims;
};
/// Passes the failpoints before or after the commit of such a turn.
void pass_boundary(pg::pipeline& on, const freight& what, bool committed);

[[nodiscard]] pg::params return_params(std::int64_t worker, std::span<const run_ptr> runs);
/// Job and lease of each run, as find_finished and assert_recorded want them.
[[nodiscard]] pg::params doubt_params(std::span<const acknowledgement> doubtful);
[[nodiscard]] pg::params doorbell_params(std::span<const std::int32_t> queues, std::int64_t ms);

/// A claim for one queue: reserves its room on the queue and its kinds when built.
class claim_request {
   public:
    claim_request(queue_state& queue, clock::time_point now);
    /// Of one suspect that is under no limit.
    static claim_request of_suspect(queue_state& queue);
    [[nodiscard]] bool empty() const noexcept { return lines_.empty(); }
    [[nodiscard]] int most() const noexcept { return most_; }
    [[nodiscard]] std::vector<std::pair<kind_state*, int>> kinds() const { return kinds_; }
    [[nodiscard]] pg::params params(std::int64_t worker) const;
    [[nodiscard]] pg::params next_due_params() const;

   private:
    claim_request(int queue_id, int most) : queue_id_{queue_id}, most_{most} {}
    void add_lines(queue_state& queue, clock::time_point now);

    int queue_id_;
    int most_;
    std::vector<std::int32_t> lines_;
    std::vector<std::int64_t> after_run_at_;
    std::vector<std::int64_t> after_id_;
    std::vector<std::int32_t> most_by_line_;
    std::vector<std::pair<kind_state*, int>> kinds_;
};

/// The strays of one queue as far as there is room; takes them off the queue's list.
class strays_request {
   public:
    strays_request(queue_state& queue, clock::time_point now);
    [[nodiscard]] int count() const noexcept { return static_cast<int>(ids_.size()); }
    [[nodiscard]] std::vector<std::pair<kind_state*, int>> kinds() const { return kinds_; }
    [[nodiscard]] pg::params params(std::int64_t worker) const;

   private:
    int queue_id_;
    std::vector<std::int32_t> lines_;
    std::vector<std::int64_t> run_at_;
    std::vector<std::int64_t> ids_;
    std::vector<std::pair<kind_state*, int>> kinds_;
};

/// Puts the first `count` rows, which were claimed as `by` says, among the queue's unstarted jobs,
/// in order of priority and time; moves the cursors of lines, takes the slots of limits. Returns
/// the lease.
std::int64_t take_claimed(const pg::result& rows, int count, claim_of by, runtime& shared,
                          queue_state& queue, lane& owner);

}  // namespace turn
}  // namespace libqueue::engine
