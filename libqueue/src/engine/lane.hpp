#pragma once

#include "engine/acknowledgement.hpp"
#include "engine/admission.hpp"
#include "engine/async.hpp"
#include "engine/limiter.hpp"
#include "engine/queue_state.hpp"
#include "engine/suspects.hpp"
#include "engine/turn.hpp"
#include "pg/pipeline.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace libqueue::engine {

class runtime;

/// One turn connection and the leases claimed over it. A turn acknowledges what finished, puts back
/// what failed and claims the next jobs: one transaction, one flush. Turns are batched naturally: a
/// finish leaves at once when no turn is under way, else it joins the next. Leases are never shared
/// between lanes, so their row locks never meet.
class lane {
   public:
    lane(runtime& shared, int number);
    lane(const lane&) = delete;
    lane& operator=(const lane&) = delete;
    ~lane();

    boost::asio::awaitable<void> run();
    void wake() { wake_.notify(); }
    void acknowledge(acknowledgement ack);
    /// Gives these unstarted jobs back with the next turn.
    void give_back(const run_ptr& run);
    /// All leases are lost: nothing of them is sent any more.
    void drop_leases();
    /// Everything said was recorded.
    [[nodiscard]] bool settled() const noexcept;
    /// A claimed job that may hold slots of its limits.
    void hold_slots(job_run& run, const pg::result& rows, int row);
    /// A claim nobody knew of was found: what the database counts may be too much.
    void doubt_slots() { slots_.doubt(); }
    void append_leases(std::vector<std::int64_t>& known) const;
    [[nodiscard]] pg::pipeline& connection() noexcept { return connection_; }

   private:
    /// A claim sent for one queue and what it reserved.
    struct claim_sent {
        queue_state* queue;
        int reserved;
        std::vector<std::pair<kind_state*, int>> kinds;
        turn::claim_of what;
        limited_group* limited{nullptr};
    };
    enum class answer { other, finished, next_due, claimed, admitted };

    boost::asio::awaitable<void> step();
    boost::asio::awaitable<void> rest();
    boost::asio::awaitable<void> open();
    boost::asio::awaitable<void> settle_doubt();
    boost::asio::awaitable<void> turn();
    boost::asio::awaitable<void> isolate();
    void take_batch();
    void send_finishes();
    void send_returns();
    void send_slots();
    void send_doorbells(std::vector<queue_state*>& arming);
    void send_admissions();
    void send_claims(const std::vector<queue_state*>& arming);
    void send_claim(queue_state& queue, bool arming);
    void send_suspect_claim(const suspects::place& at);
    void send_limited_claim(claim_sent sent, const limiter::request& request);
    void accept_suspect(const claim_sent& sent, const pg::result& rows, int jobs);
    void send_limited(queue_state& queue);
    void expect(answer kind) { expected_.push_back(kind); }
    void accept(const std::vector<pg::result>& results, double seconds);
    void accept_finished(const std::vector<std::int64_t>& standing);
    void accept_claim(const claim_sent& sent, const pg::result& rows, double seconds);
    static void release(const claim_sent& sent);
    static void look_when_due(const acknowledgement& ack);
    void release_reservations();
    void turn_failed(const pg::sql_failure& why);
    [[nodiscard]] bool wants_claim(queue_state& queue, clock::time_point now) const;
    [[nodiscard]] std::optional<suspects::place> wants_suspect() const;
    [[nodiscard]] bool has_work(clock::time_point now) const;
    [[nodiscard]] clock::time_point next_look() const;

    runtime& shared_;
    int number_;
    pg::pipeline connection_;
    signal wake_;
    std::unordered_map<std::int64_t, int> leases_;  // jobs not yet acknowledged, by lease
    std::vector<acknowledgement> pending_;
    std::vector<run_ptr> returning_;
    slot_ledger slots_;
    std::vector<acknowledgement> doubtful_;  // sent, the commit got no answer

    // Of the turn under way.
    std::int64_t turn_worker_{0};
    std::vector<acknowledgement> batch_;
    std::vector<run_ptr> batch_returns_;
    std::vector<claim_sent> claims_;
    std::vector<admission> admissions_;
    std::vector<answer> expected_;
    bool isolating_{false};
    int failures_{0};
};

}  // namespace libqueue::engine
