#pragma once

#include <libqueue/client.hpp>
#include <libqueue/filter.hpp>
#include <libqueue/job.hpp>
#include <libqueue/operations.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace libqueue {

/// A page of a list that goes on behind a cursor.
class found_page {
   public:
    /// `capped`: the time for one page was up before it was full; it goes on at `next`.
    report rows;
    /// As many as rows: to go on behind that row.
    std::vector<std::string> behind;
    /// For the next page of the same filter; nothing: that was all.
    std::optional<std::string> next;
};

/// A count that stops where going on would be expensive.
class bounded_count {
   public:
    std::int64_t count{0};
    bool exact{true};  ///< false: at least so many
};

/// How a clone differs from the job it is made of.
class clone_changes {
   public:
    clone_changes() = default;
    std::optional<std::string> payload;  ///< JSON text
    std::optional<time_point> run_at;    ///< default now
    std::optional<int> priority;
};

/// Jobs by filter, and what is done to single ones. Uses the client's connection: one thread at a
/// time, and the client must outlive it. Unknown jobs, and those of other tenants, are `not_found`;
/// a state that does not allow it is `conflict`; a database that is away throws `failure`.
class jobs {
   public:
    explicit jobs(client& connection) noexcept : client_{connection} {}

    /// Takes about 100 ms at most, however many jobs there are. Columns as
    /// `operations::list_jobs`. Jobs that wait, run or are dead come by the time they are due, were
    /// claimed or died, the latest first; when others are asked for, too, all come by id. `limit`
    /// 1 to 10000.
    [[nodiscard]] result<found_page> find(const filter& which,
                                          const std::optional<std::string>& behind = {},
                                          int limit = 50);
    /// Exact up to `most`, 1 to 100000; takes half a second at most.
    [[nodiscard]] result<bounded_count> count(const filter& which, int most = 10'000);
    /// What can stand where the text ends: as `complete_filter`, and names of queues and kinds.
    [[nodiscard]] std::vector<std::string> complete(std::string_view text);

    /// One row with everything, payload, output and meta too.
    [[nodiscard]] result<report> show(job_id id);
    /// One row: reason, detail, until, ahead (due jobs before it, up to 1000), cure (JSON).
    [[nodiscard]] result<report> explain(job_id id);
    /// The jobs linked with this one, from the first of its chain on: id, from_id, relation
    /// (follows, replay_of, clone_of), kind, queue, state ... At most 200.
    [[nodiscard]] result<report> lineage(job_id id);

    /// A waiting job becomes due; `conflict` when it does not wait.
    [[nodiscard]] result<void> run_now(job_id id);
    /// A waiting job waits on, at most ten years.
    [[nodiscard]] result<void> snooze(job_id id, time_point until);
    /// A new job like this one, in any state; returns its id. `conflict` when the payload is
    /// sealed.
    [[nodiscard]] result<job_id> clone(job_id id, const clone_changes& changes = {});
    /// A job that waits, is cancelled or dead runs as a new one with this payload; returns its id.
    [[nodiscard]] result<job_id> retry_edited(job_id id, const std::string& payload);

   private:
    client& client_;
};

}  // namespace libqueue
