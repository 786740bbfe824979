#pragma once

#include "core/claim_budget.hpp"
#include "core/line_cursor.hpp"
#include "world.hpp"

#include <libqueue/outcome.hpp>

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <vector>

namespace simulation {

/// One claimed job in a process.
class handler_run {
   public:
    sql::claimed_job what;
    int lane{0};
    int truth{-1};
    bool started{false};
    bool finished{false};
    bool cancel_asked{false};
    bool pays{false};  ///< writes its effect before it ends
    libqueue::outcome::type plan{libqueue::outcome::type::completed};
    bool thrown{false};
    [[nodiscard]] bool suspect() const noexcept { return what.line < 0; }
    [[nodiscard]] const kind_facts& kind() const { return facts_of_line(what.line); }
    [[nodiscard]] bool money() const noexcept {
        return what.line == line_of_money || what.line == -line_of_money;
    }
};
using run_ptr = std::shared_ptr<handler_run>;  // the process and the handler's own task

enum class suspect_policy { alone, leave, only };
enum class claim_of { line, strays, suspect };

class claim_sent {
   public:
    claim_of what{claim_of::line};
    int reserved{0};
    std::vector<sql::wanted_line> lines;
    sql::places strays;
    std::vector<sql::claimed_job> rows;
};

/// As engine/lane: one turn connection and the leases claimed over it.
class lane {
   public:
    std::map<int, int> leases;  ///< jobs not yet acknowledged, by lease
    std::vector<sql::telling> pending;
    std::vector<run_ptr> returning;
    std::vector<sql::telling> doubtful;
    bool isolating{false};
    bool busy{false};
    micros busy_since{0};
    micros not_before{0};
};

/// A worker: all its services in one place. The shell around the decisions of core, which are the
/// real ones; what it sends are the statements of statements.hpp.
class process {
   public:
    process(world& w, int number, suspect_policy policy);
    process(const process&) = delete;
    process& operator=(const process&) = delete;

    void happen(what kind, int argument);
    [[nodiscard]] int incarnation() const noexcept { return incarnation_; }
    [[nodiscard]] bool frozen() const noexcept { return w_.db.now < frozen_until_; }
    [[nodiscard]] micros thaws_in() const noexcept { return frozen_until_ - w_.db.now; }

    void crash(const char* why);
    void freeze(micros time);
    void cut(micros time);
    void step_clock(micros by) noexcept { wall_ += by; }
    void leave();
    /// For people: what it holds and waits for.
    [[nodiscard]] std::string describe() const;
    void stop_faults() noexcept { frozen_until_ = cut_until_ = 0; }

    // Answers of the tasks.
    void turn_answered(int lane, int worker, std::vector<sql::telling> batch,
                       const std::vector<run_ptr>& returns, const std::vector<int>& standing,
                       const std::vector<claim_sent>& claims);
    void turn_failed(int lane, std::vector<sql::telling> batch, std::vector<run_ptr> returns,
                     const std::vector<claim_sent>& claims, bool in_doubt);
    void pay(const run_ptr& run, libqueue::outcome::type then);
    void paid(const run_ptr& run, libqueue::outcome::type then);
    void swept(bool ok);

   private:
    using clock_time = libqueue::core::line_cursor::time_point;
    class own_line {
       public:
        int id{0};
        libqueue::core::line_cursor cursor;
    };
    class observation {
       public:
        std::int64_t beats{0};
        micros since{0};
    };

    [[nodiscard]] clock_time clock() const noexcept {
        return clock_time{std::chrono::microseconds{w_.db.now}};
    }
    [[nodiscard]] bool connected() const noexcept {
        return up_ && w_.server_up() && w_.db.now >= cut_until_;
    }
    void reset();
    void boot();
    void enroll();
    void beat();
    void lose_everything();
    void set_session(bool held);

    // The turn.
    void look(int lane);
    void settle_doubt(lane& of);
    void turn(int number);
    [[nodiscard]] std::vector<int> leases_done(const lane& of,
                                               const std::vector<sql::telling>& batch,
                                               const std::vector<run_ptr>& returns) const;
    void add_claims(int number, std::vector<claim_sent>& claims);
    [[nodiscard]] claim_sent claim_lines(int most);
    [[nodiscard]] bool may_claim() const noexcept;
    [[nodiscard]] int budget();
    [[nodiscard]] int free_slots() const noexcept;
    void accept_finished(lane& of, const std::vector<sql::telling>& batch,
                         const std::vector<run_ptr>& returns, const std::vector<int>& standing);
    void accept_claim(int number, int worker, const claim_sent& sent);
    void lose_lease(int lease);

    // Handlers.
    void pump();
    void start(const run_ptr& run);
    void plan(handler_run& run);
    void plan_reconcile(handler_run& run);
    void run_ends(int truth);
    void finish(const run_ptr& run);
    [[nodiscard]] sql::telling decide(const handler_run& run);

    // Maintenance.
    void sweep();
    [[nodiscard]] bool judge(int& worker, std::int64_t& beats);
    void find_strays();
    void take_back_forgotten();

    // Suspects.
    void suspects_found();
    [[nodiscard]] bool admits_others() const noexcept;
    [[nodiscard]] bool nothing_runs() const noexcept;
    void stop_looking() noexcept;
    void check_patience();
    void give_back_unstarted();

    world& w_;
    int number_;
    suspect_policy policy_;
    int incarnation_{0};
    bool up_{false};
    micros frozen_until_{0};
    micros cut_until_{0};
    micros wall_{0};

    int worker_id_{0};
    int last_identity_{0};
    micros last_beat_{0};
    bool draining_{false};
    int slots_{1};
    int claiming_{0};
    std::vector<own_line> lines_;
    std::vector<run_ptr> running_;
    std::deque<run_ptr> unstarted_;
    std::array<lane, 2> lanes_;
    libqueue::core::rate_meter finished_{std::chrono::seconds{2}, {}};
    sql::places strays_;
    std::map<int, observation> observed_;
    bool sweeping_{false};
    micros next_strays_{0};
    micros next_forgotten_{0};
    micros next_suspects_{0};

    bool looking_{false};
    bool suspect_claiming_{false};
    bool one_runs_{false};
    micros patience_ends_{0};
    micros look_not_before_{0};
};

}  // namespace simulation
