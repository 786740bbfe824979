#pragma once

#include "database.hpp"

#include <span>
#include <vector>

/// The statements of sql/queries that move jobs, each under the name of its file and with the same
/// guards in the same order, to be laid beside it. A statement that must wait for a lock has done
/// nothing yet and is called again in the same transaction.
namespace simulation::sql {

/// One row of what finish_completed, finish_other and bury are told.
class telling {
   public:
    int job{0};
    int lease{0};
    ending outcome{ending::completed};
    int attempt{1};
    micros delay{-1};  ///< negative: final
    int used{0};
    bool reconcile{false};
    bool dead{false};
    bool crash_death{false};
    int truth_run{-1};
    int truth_run_lease{0};
};

class claimed_job {
   public:
    int lease{0};
    int job{0};
    int line{0};
    micros run_at{0};
    int used{0};
    bool reconcile{false};
    int max_attempts{0};
};

class wanted_line {
   public:
    int line{0};
    micros after_run_at{0};
    int after_id{0};
    int most{0};
};

class owed_job {
   public:
    int lease{0};
    int job{0};
    int used{0};
    int line{0};
    bool suspect{false};
    int crashes{0};
    bool reconcile{false};
};

class liveness {
   public:
    int worker{0};
    std::int64_t beats{-1};  ///< -1: NULL, its row is gone
    micros beat_at{0};
    bool session_gone{true};
};

using places = std::vector<std::pair<int, std::pair<micros, int>>>;  ///< line, (run_at, id)

[[nodiscard]] said claim(database& db, transaction& t, int worker,
                         std::span<const wanted_line> lines, int most,
                         std::vector<claimed_job>& rows);
[[nodiscard]] said claim_strays(database& db, transaction& t, int worker, const places& at,
                                std::vector<claimed_job>& rows);
/// finish_completed takes the completed ones of `told`, finish_other the others.
[[nodiscard]] said finish_completed(database& db, transaction& t, int worker,
                                    std::span<const telling> told, std::vector<int>& standing);
[[nodiscard]] said finish_other(database& db, transaction& t, int worker,
                                std::span<const telling> told, std::vector<int>& standing);
[[nodiscard]] said bury(database& db, transaction& t, std::span<const telling> told);
[[nodiscard]] said return_unstarted(database& db, transaction& t, int worker,
                                    std::span<const claimed_job> given);
[[nodiscard]] said release_leases(database& db, transaction& t, int worker,
                                  std::span<const int> leases);
[[nodiscard]] said forgotten_leases(database& db, transaction& t, int worker,
                                    std::span<const int> known, micros age);
/// find_finished: recorded, as a new transaction sees it.
[[nodiscard]] bool find_finished(database& db, int job, int lease);
[[nodiscard]] places find_strays(database& db, std::span<const wanted_line> before);
[[nodiscard]] bool find_suspects(database& db, std::span<const int> lines);
[[nodiscard]] std::vector<liveness> list_liveness(database& db);
/// False: no row.
[[nodiscard]] bool lock_dead_worker(database& db, transaction& t, int worker, std::int64_t beats);
[[nodiscard]] std::vector<int> lock_leases(database& db, transaction& t, int worker);
[[nodiscard]] std::vector<owed_job> list_owed(database& db, transaction& t,
                                              std::span<const int> leases);
void deregister_worker(database& db, transaction& t, int worker);
[[nodiscard]] said assert_lease(database& db, transaction& t, int job, int lease, bool& stands);

/// The queue.* functions of the operators and producers; each call is the next statement of the
/// function, `phase` says which.
class place {
   public:
    [[nodiscard]] bool operator==(const place&) const = default;
    int line{0};
    micros run_at{0};
    ending last_outcome{ending::completed};
    bool has_last{false};
    int last_attempt{0};
    bool last_reconcile{false};
    bool final{false};
};
[[nodiscard]] place find_place(database& db, const transaction& t, int job);

class enqueue_request {
   public:
    int key{-1};  ///< -1: without idempotency key
    int line{1};
    micros delay{0};
    int max_attempts{1};
    int truth_intent{0};
    int id{0};  ///< answer
    bool duplicate{false};
};
[[nodiscard]] said enqueue(database& db, transaction& t, enqueue_request& request);

enum class operation { cancel, retry, replay };
class operator_call {
   public:
    operator_call(operation what_, int job_) : what{what_}, job{job_} {}
    operation what;
    int job;
    int phase{0};
    place before;
    bool have_before{false};
    ready_row held;
    bool refused{false};
    bool finished{false};
};
/// Performs the next statement; `finished` says that the function has returned.
[[nodiscard]] said perform(database& db, transaction& t, operator_call& call);

}  // namespace simulation::sql
