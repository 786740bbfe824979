#pragma once

#include "engine/queue_state.hpp"
#include "pg/params.hpp"
#include "pg/result.hpp"

#include <libqueue/job.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace libqueue::engine {

class runtime;

/// Limits as the engine sees them: which lines are claimed by claim_limited and when. What is
/// allowed is decided in the database, under the row of the limit. Loop thread only.
namespace limiter {

/// The groups of a queue's kinds by the limits they are under; kinds without are in none.
void make_groups(queue_state& queue, const std::string& queue_limit, const runtime& shared);
/// The group of a kind; null: under no limit.
[[nodiscard]] limited_group* group_of(queue_state& queue, const kind_state& kind);

/// Some group may be asked now.
[[nodiscard]] bool wants(const queue_state& queue, clock::time_point now);
/// When the first group may be asked.
[[nodiscard]] clock::time_point next_look(const queue_state& queue);
/// Groups to be asked now, the one whose turn it is first.
[[nodiscard]] std::vector<limited_group*> to_ask(queue_state& queue, clock::time_point now);
/// Every line of the queue is under a limit: its watch follows them.
[[nodiscard]] bool rules_all(const queue_state& queue);
/// Slots or tokens came free, or a limit was changed: look now.
void look_now(queue_state& queue);

/// A claim for one group: reserves its room on the queue and its kinds when built.
class request {
   public:
    request(queue_state& queue, limited_group& group, int most);
    /// Of one suspect.
    static request of_suspect(queue_state& queue, limited_group& group);
    [[nodiscard]] bool empty() const noexcept { return lines_.empty(); }
    [[nodiscard]] int most() const noexcept { return most_; }
    [[nodiscard]] std::vector<std::pair<kind_state*, int>> kinds() const { return kinds_; }
    [[nodiscard]] pg::params params(std::int64_t worker, int lane) const;

   private:
    request(const limited_group& group, int queue_id)
        : group_{group}, queue_id_{queue_id}, most_{1} {}

    const limited_group& group_;
    int queue_id_;
    int most_;
    std::vector<std::int32_t> lines_;
    std::vector<std::int32_t> most_by_line_;
    std::vector<std::pair<kind_state*, int>> kinds_;
};

/// Jobs among the rows of claim_limited: all but the last.
[[nodiscard]] int jobs_in(const pg::result& rows);
/// Jobs wait that may not start.
[[nodiscard]] bool blocked(const pg::result& rows);
/// What the last row says about the group's next look.
void note_answer(queue_state& queue, limited_group& group, const pg::result& rows,
                 std::chrono::milliseconds poll);
/// The limits of the job in this row, for limits_reader.
[[nodiscard]] std::string_view limits_text(const pg::result& rows, int row);

}  // namespace limiter

/// What one lane holds of the limits' slots. Written to the database as a whole whenever it
/// changed, so a lost answer or a claim nobody knows of is put right by the next time.
class slot_ledger {
   public:
    void take(const job_run& run);
    void give(job_id job);
    void drop_lease(std::int64_t lease);
    void clear();
    /// Whether the database must be told.
    [[nodiscard]] bool changed() const noexcept { return changed_; }
    void told() noexcept { changed_ = false; }
    /// A claim under limits is sent: from now on the database may count slots for us.
    void asked() noexcept { used_ = true; }
    /// What was told may not have arrived, or a claim's answer not reached us.
    void doubt() noexcept { changed_ = changed_ || used_; }
    [[nodiscard]] pg::params params(std::int64_t worker, int lane) const;

   private:
    using slot = std::pair<std::string, std::string>;  // limit and key
    struct holding {
        std::int64_t lease;
        std::vector<slot> slots;
    };
    void release(const holding& held);

    std::unordered_map<job_id, holding> jobs_;
    std::map<slot, int> held_;
    bool changed_{false};
    bool used_{false};
};

}  // namespace libqueue::engine
