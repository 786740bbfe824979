#include "engine/finisher.hpp"

#include "engine/lane.hpp"
#include "engine/runtime.hpp"
#include "engine/silence.hpp"
#include "engine/turn.hpp"

#include <sql/commit_durably.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace libqueue::engine {
namespace {

constexpr std::chrono::seconds connect_max{10};
constexpr std::chrono::milliseconds pause_base{50};
constexpr std::chrono::milliseconds pause_cap{2'000};
/// What one transaction takes at most.
constexpr std::size_t runs_most{500};
constexpr std::size_t statements_most{1'000};
/// Deadlocks and the like: the same work may succeed the next time, but not for ever.
constexpr int tries_most{10};
constexpr std::string_view lease_lost_state{"LQ007"};

std::vector<acknowledgement> acknowledgements_of(const finish_group& group) {
    std::vector<acknowledgement> all;
    all.reserve(group.runs.size());
    for (const ending& each : group.runs) {
        all.push_back(each.ack);
    }
    return all;
}

}  // namespace

void send_finish(pg::pipeline& on, const statements& sql, std::int64_t worker,
                 std::span<const acknowledgement> runs, std::span<const bound_statement> also) {
    const pg::params none;
    on.send(sql.set_up_finish, none);
    turn::send_finishes(on, sql, worker, runs);
    on.send(sql.assert_recorded, turn::doubt_params(runs));
    on.send(sql.leave_to_handler, none);
    for (const bound_statement& each : also) {
        on.send(*each.what, each.with);
    }
}

finisher::finisher(runtime& shared) : shared_{shared}, seats_{{seat{shared.io}, seat{shared.io}}} {}

void finisher::write(finish_group group) {
    waiting_group ready;
    try {
        for (const ending& each : group.runs) {
            auto bound = bound_statements(each.said.also(), shared_.handler_texts);
            std::move(bound.begin(), bound.end(), std::back_inserter(ready.also));
        }
        auto bound = bound_statements(group.also, shared_.handler_texts);
        std::move(bound.begin(), bound.end(), std::back_inserter(ready.also));
    } catch (const domain_failure& why) {
        shared_.unwritten(std::move(group), why.what());
        return;
    }
    ready.group = std::move(group);
    waiting_.push_back(std::move(ready));
    const auto idle =
        std::find_if(seats_.begin(), seats_.end(), [](const seat& each) { return !each.busy; });
    if (idle != seats_.end()) {
        idle->wake.notify();
    }
}

void finisher::wake() {
    for (seat& each : seats_) {
        each.wake.notify();
    }
}

boost::asio::awaitable<void> finisher::run(std::size_t number) {
    seat& mine = seats_.at(number);
    int failures = 0;
    while (!shared_.stopping) {
        bool away = false;
        try {
            co_await step(mine);
            failures = 0;
        } catch (const pg::sql_failure&) {
            away = true;  // What was under way has been put back.
        }
        mine.busy = false;
        if (away) {
            boost::asio::steady_timer pause{shared_.io};
            pause.expires_after(std::min(pause_cap, pause_base * (1 << std::min(failures++, 6))));
            co_await pause.async_wait(use_ec);
        }
    }
    mine.connection.close();
}

boost::asio::awaitable<void> finisher::step(seat& at) {
    if (waiting_.empty()) {
        auto until = clock::now() + std::chrono::seconds{60};
        if (at.connection.is_open()) {
            co_await ask_for_sign_of_life(at.connection);
            until = std::min(until, sign_of_life_due(at.connection));
        }
        co_await at.wake.wait_until(until);
        co_return;
    }
    at.busy = true;
    std::vector<waiting_group> taken = take();
    std::unique_ptr<pg::sql_failure> why;
    try {
        if (!at.connection.is_open()) {
            co_await open(at.connection);
        }
        co_await record(at.connection, taken);
    } catch (const pg::sql_failure& failed) {
        why = std::make_unique<pg::sql_failure>(failed);
    }
    if (why != nullptr) {
        const bool away = why->poisons_connection() || !at.connection.is_open();
        failed(std::move(taken), *why);
        if (away) {
            at.connection.close();
            throw pg::sql_failure{*why};
        }
    }
}

boost::asio::awaitable<void> finisher::open(pg::pipeline& on) {
    co_await on.connect(shared_.options.dsn, "libqueue worker finishes", connect_max,
                        shared_.options.pooler);
    if (!on.pooled()) {
        on.send_text(std::string{sql::commit_durably});
        on.send_text("SET default_transaction_isolation = 'read committed'");
        co_await on.run();
    }
}

boost::asio::awaitable<void> finisher::record(pg::pipeline& on, std::vector<waiting_group>& taken) {
    // Said before: perhaps it was heard.
    const bool doubtful = taken.front().tries > 0;
    bool done = false;
    if (doubtful) {
        done = co_await was_recorded(on, taken);
    }
    if (!done) {
        std::vector<acknowledgement> runs;
        std::vector<bound_statement> also;
        for (const waiting_group& each : taken) {
            std::vector<acknowledgement> of = acknowledgements_of(each.group);
            std::move(of.begin(), of.end(), std::back_inserter(runs));
            also.insert(also.end(), each.also.begin(), each.also.end());
        }
        const turn::freight boundary{runs, false, false};
        send_finish(on, shared_.sql, shared_.worker_id, runs, also);
        turn::pass_boundary(on, boundary, false);
        co_await on.run();
        turn::pass_boundary(on, boundary, true);
    }
    for (waiting_group& each : taken) {
        shared_.recorded(std::move(each.group));
    }
    taken.clear();
}

/// All of a transaction is there or nothing, so one run tells of all.
boost::asio::awaitable<bool> finisher::was_recorded(pg::pipeline& on,
                                                    const std::vector<waiting_group>& taken) {
    const std::vector<acknowledgement> runs = acknowledgements_of(taken.front().group);
    on.send(shared_.sql.find_finished, turn::doubt_params(runs));
    const std::vector<pg::result> found = co_await on.run();
    co_return found.at(0).rows() == static_cast<int>(runs.size());
}

/// Groups that were in a transaction that failed go one at a time.
std::vector<finisher::waiting_group> finisher::take() {
    std::vector<waiting_group> taken;
    std::size_t runs = 0;
    std::size_t statements = 0;
    while (!waiting_.empty()) {
        waiting_group& next = waiting_.front();
        runs += next.group.runs.size();
        statements += next.also.size();
        const bool fits = runs <= runs_most && statements <= statements_most && !next.alone;
        if (!taken.empty() && !fits) {
            break;
        }
        taken.push_back(std::move(next));
        waiting_.pop_front();
        if (taken.front().alone) {
            break;
        }
    }
    return taken;
}

void finisher::put_back(std::vector<waiting_group> taken) {
    waiting_.insert(waiting_.begin(), std::make_move_iterator(taken.begin()),
                    std::make_move_iterator(taken.end()));
}

void finisher::failed(std::vector<waiting_group> taken, const pg::sql_failure& why) {
    const bool away = why.poisons_connection();
    const bool together = taken.size() > 1;
    for (waiting_group& each : taken) {
        each.alone = true;
        // Only what may have been carried out needs a look before it is said again.
        each.tries += together && !away ? 0 : 1;
    }
    if (away || together ||
        (why.retryable() && why.sqlstate() != lease_lost_state &&
         taken.front().tries < tries_most)) {
        put_back(std::move(taken));
        return;
    }
    // The fence refuses the run itself when its lease is lost; this is how the lane learns of it.
    shared_.unwritten(
        std::move(taken.front().group),
        std::string{"what the handler wanted done with the finish failed: "} + why.what());
}

}  // namespace libqueue::engine
