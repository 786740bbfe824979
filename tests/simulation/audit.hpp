#pragma once

#include "core/rescue_decision.hpp"
#include "database.hpp"

#include <libqueue/backoff.hpp>

#include <array>
#include <map>
#include <string>
#include <vector>

namespace simulation {

/// Thrown at the first broken promise.
class violation {
   public:
    violation(std::string invariant_, std::string detail_)
        : invariant{std::move(invariant_)}, detail{std::move(detail_)} {}
    std::string invariant;
    std::string detail;
};

/// The kind of each line; lines are numbered from 1.
class kind_facts {
   public:
    kind_facts(const char* name_, libqueue::core::lost_policy on_lost_, bool has_reconcile_,
               int crash_budget_, int priority_)
        : name{name_},
          on_lost{on_lost_},
          has_reconcile{has_reconcile_},
          crash_budget{crash_budget_},
          priority{priority_} {}
    const char* name;
    libqueue::core::lost_policy on_lost;
    bool has_reconcile;
    int crash_budget;
    int priority;
    libqueue::retry_policy retry{libqueue::backoff_strategy::exponential,
                                 std::chrono::milliseconds{20}, std::chrono::milliseconds{200},
                                 true};
};
inline constexpr int lines = 5;
inline constexpr int line_of_plain = 1;
inline constexpr int line_of_money = 2;
inline constexpr int line_of_urgent = 5;
[[nodiscard]] const kind_facts& facts_of_line(int line);

/// One execution of a handler, as it really was.
class true_run {
   public:
    int job{0};
    int lease{0};
    int process{0};
    bool reconcile{false};
    bool apart{false};
};

/// Knows what really happened and compares it with what the database says, after every commit. It
/// shares no code with the statements or the decisions it judges.
class audit {
   public:
    explicit audit(database& db) : db_{db} {}

    /// A run begins; returns its number. `beside`: how many others the process runs.
    [[nodiscard]] int run_started(const true_run& run, int beside, bool suspect_beside);
    /// Rows of one claim statement, in a fleet in which nothing fails.
    void claimed_in_order(int line, micros run_at, int job);
    /// After every commit. `by_operator`: cancel, retry or replay.
    void committed(bool by_operator);
    /// A rescuer's transaction that declares this worker dead is about to commit.
    void declared_dead(const worker_row& worker, micros allowed_silence);
    void outage_ended() { last_outage_ = db_.now; }
    void enqueue_answered(int intent, int job);
    /// Nothing is left to do.
    [[nodiscard]] bool all_final() const;
    /// All faults have stopped and everybody had time to drain.
    void finish();

   private:
    enum class state { unborn, in_line, leased, completed, cancelled, dead };
    /// A job as it really stands, told by the commits so far.
    struct shadow {
        state where{state::unborn};
        int burnt{0};
        int charged{0};
        int streak{0};  ///< losses in a row
        bool final{false};
        ending outcome{ending::completed};
        std::vector<int> ended;  ///< leases, in order
        // Counted anew at each commit.
        int in_line{0};
        int leased{0};
        bool letter{false};
    };
    [[nodiscard]] shadow& shadow_of(int job);
    void read_history(bool by_operator);
    void read_attempt(const attempt_row& row, bool by_operator);
    static void read_operation(shadow& job, const attempt_row& row);
    void read_loss(const attempt_row& row, shadow& job, const job_row& fact);
    [[nodiscard]] bool find_ending(const true_run& run) const;
    void read_births();
    void count_places();
    void census(bool by_operator);
    static void check_edge(int job, state before, state after, bool by_operator);
    void check_ready(const ready_row& row);
    [[nodiscard]] static state place_of(const shadow& job, int id);
    [[nodiscard]] static const char* to_string(state what) noexcept;

    database& db_;
    commit_number seen_{0};
    std::vector<shadow> jobs_;  ///< by id
    std::vector<int> jobs_of_intent_;
    std::vector<int> effects_;                 ///< by job
    std::map<std::pair<int, int>, int> runs_;  ///< by job, lease
    std::vector<true_run> all_runs_;
    struct claim_seen {
        std::pair<micros, int> place;
        commit_number commits{0};
    };
    std::map<int, claim_seen> claimed_;  ///< the furthest, by line
    std::map<int, int> acknowledged_;    ///< job by intent
    micros last_outage_{0};
};

}  // namespace simulation
