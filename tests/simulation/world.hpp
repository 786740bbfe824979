#pragma once

#include "audit.hpp"
#include "database.hpp"
#include "planted_bug.hpp"
#include "random.hpp"
#include "statements.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

namespace simulation {

class process;
class world;

inline constexpr micros ms = 1'000;
inline constexpr micros second = 1'000'000;
inline constexpr micros lease_time = 1'000 * ms;
inline constexpr micros heartbeat = 200 * ms;
/// When a free session lock is enough: heartbeat plus the rescuer's time for reconnecting.
inline constexpr micros silence_without_session = heartbeat + 500 * ms;

class settings {
   public:
    std::uint64_t seed{1};
    planted_bug bug{planted_bug::none};
    bool trace{false};
};

/// How often a run really met what it is for; a campaign that met none of a sort is void.
class tally {
   public:
    std::int64_t events{0};
    std::int64_t jobs{0};
    std::int64_t crashes{0};
    std::int64_t poisoned{0};
    std::int64_t freezes{0};
    std::int64_t rescues{0};
    std::int64_t refused{0};     ///< finishes told that their lease is lost
    std::int64_t doubts{0};      ///< turns whose commit got no answer
    std::int64_t orphans{0};     ///< transactions that went on without their client
    std::int64_t waits{0};       ///< statements that waited for a lock
    std::int64_t violations{0};  ///< unique violations that a lane met
    std::int64_t operations{0};  ///< cancels, retries, replays that were done
    std::int64_t strays{0};
    std::int64_t forgotten{0};
    std::int64_t apart{0};     ///< suspects run
    std::int64_t returned{0};  ///< unstarted jobs given back
    void add(const tally& other) noexcept;
};

class report {
   public:
    std::optional<violation> broken;
    tally counts;
    std::vector<std::string> events;  ///< the last ones, when traced
};

/// A transaction under way in the server, and who waits for its answer.
class task {
   public:
    task() = default;
    task(const task&) = delete;
    task& operator=(const task&) = delete;
    virtual ~task() = default;

    /// The next statement; sets `complete` with the last.
    virtual said advance(world& w) = 0;
    /// The commit is known.
    virtual void answered(world& w) = 0;
    /// Rolled back by a unique violation, or (in doubt) the connection was lost.
    virtual void failed(world& w, bool in_doubt) = 0;
    [[nodiscard]] virtual const char* name() const noexcept = 0;

    transaction t;
    process* owner{nullptr};  ///< null: a producer or an operator
    bool interactive{false};  ///< the client sends each statement only after the one before
    bool by_operator{false};
    bool complete{false};
    bool rolls_back{false};
    bool committed{false};
    bool abandoned{false};  ///< nobody waits for the answer any more
    bool waiting{false};
    micros pause{0};  ///< before the next statement, beside the usual
};

enum class what {
    beat,
    lane,
    wake_lane,
    sweep,
    run_end,
    hear_suspects,
    cut,
    restart,
    step,
    reply,
    fault,
    produce,
    operate,
    watch,
};

class world {
   public:
    explicit world(const settings& how);
    world(const world&) = delete;
    world& operator=(const world&) = delete;
    ~world();
    [[nodiscard]] report run();

    void after(micros delay, what kind, process* whose, int argument = 0);
    /// Sends it; the first statement reaches the server a little later.
    void send(std::unique_ptr<task> work, micros delay = 0);
    /// The connections of this process break; what was under way ends one way or the other.
    void sever(process& whose, bool tell);
    [[nodiscard]] bool server_up() const noexcept { return db.now >= down_until_; }
    [[nodiscard]] bool faulty() const noexcept { return !calm_ && db.now < faults_end_; }
    [[nodiscard]] bool calm() const noexcept { return calm_; }
    /// Some kinds are not simply retried after a loss.
    [[nodiscard]] bool careful() const noexcept { return careful_; }
    /// The job kills the process that runs it, as a rule.
    [[nodiscard]] bool kills(int job);
    void tell_suspects();
    template <typename Text>
    void note(Text text) {
        if (tracing_) {
            append_note(text());
        }
    }

    database db;
    audit truth{db};
    simulation::random chance;
    tally counts;

   private:
    struct happening {
        micros at;
        std::int64_t order;
        what kind;
        process* whose;
        int incarnation;
        int argument;
        [[nodiscard]] bool operator>(const happening& other) const noexcept {
            return std::pair{at, order} > std::pair{other.at, other.order};
        }
    };
    void build();
    void happen(const happening& now);
    void step(int id);
    void reply(int id);
    void drop(int id);
    void wake_waiting();
    void make_fault();
    void stop_faults();
    void produce();
    void operate();
    [[nodiscard]] bool drained() const;
    void append_note(std::string text);

    settings how_;
    bool tracing_;
    bool calm_{false};
    bool careful_{false};
    micros faults_end_{0};
    micros down_until_{0};
    bool stopped_{false};
    std::int64_t order_{0};
    std::priority_queue<happening, std::vector<happening>, std::greater<>> queue_;
    std::vector<std::unique_ptr<process>> processes_;
    std::vector<std::unique_ptr<task>> tasks_;
    int open_{0};
    int produced_{0};
    int to_produce_{0};
    std::vector<int> poison_;  ///< percent, by intent
    std::vector<std::string> notes_;
};

/// Enqueues, once more under the same key when the answer was lost.
class enqueue_task final : public task {
   public:
    explicit enqueue_task(const sql::enqueue_request& request, micros hold)
        : request_{request}, hold_{hold} {}
    said advance(world& w) override;
    void answered(world& w) override;
    void failed(world& w, bool in_doubt) override;
    [[nodiscard]] const char* name() const noexcept override { return "enqueue"; }

   private:
    sql::enqueue_request request_;
    micros hold_;  ///< the producer's own work before its commit
    bool inserted_{false};
};

class operator_task final : public task {
   public:
    explicit operator_task(const sql::operator_call& call) : call_{call} { by_operator = true; }
    said advance(world& w) override;
    void answered(world& w) override;
    void failed(world& w, bool in_doubt) override;
    [[nodiscard]] const char* name() const noexcept override { return "operator"; }

   private:
    sql::operator_call call_;
};

}  // namespace simulation
