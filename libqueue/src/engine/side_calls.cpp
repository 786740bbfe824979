#include "engine/side_calls.hpp"

#include "engine/runtime.hpp"
#include "engine/silence.hpp"

#include <sql/commit_durably.hpp>

#include <utility>

namespace libqueue::engine {
namespace {

constexpr std::chrono::seconds connect_max{10};

/// What may be said again on a new connection: nothing was done, and the connection is gone.
bool may_repeat(const pg::sql_failure& why) {
    return why.poisons_connection() && !why.outcome_unknown();
}

}  // namespace

side_calls::side_calls(runtime& shared) : shared_{shared}, connection_{shared.io} {}

boost::asio::awaitable<void> side_calls::enter() {
    if (!taken_) {
        taken_ = true;
        co_return;
    }
    boost::asio::steady_timer mine{shared_.io};
    mine.expires_at(clock::time_point::max());
    waiting_.push_back(&mine);
    // Whoever leaves hands over by cancelling it; nobody comes between.
    co_await mine.async_wait(use_ec);
}

void side_calls::leave() {
    if (waiting_.empty()) {
        taken_ = false;
        return;
    }
    boost::asio::steady_timer* const next = waiting_.front();
    waiting_.pop_front();
    next->cancel();
}

boost::asio::awaitable<void> side_calls::open() {
    co_await connection_.connect(shared_.options.dsn, "libqueue worker calls", connect_max,
                                 shared_.options.pooler);
    if (!connection_.pooled()) {
        connection_.send_text(std::string{sql::commit_durably});
        connection_.send_text("SET default_transaction_isolation = 'read committed'");
        co_await connection_.run();
    }
}

boost::asio::awaitable<pg::result> side_calls::try_ask(const pg::prepared& what,
                                                       const pg::params& with) {
    if (connection_.is_open()) {
        // One that was idle for long may have died: nothing is lost by finding out first.
        bool dead = false;
        try {
            co_await ask_for_sign_of_life(connection_);
        } catch (const pg::sql_failure&) {
            dead = true;
        }
        if (dead) {
            connection_.close();
        }
    }
    if (!connection_.is_open()) {
        co_await open();
    }
    connection_.send(what, with);
    std::vector<pg::result> results = co_await connection_.run();
    co_return std::move(results.at(0));
}

boost::asio::awaitable<result<pg::result>> side_calls::ask(const pg::prepared& what,
                                                           pg::params with) {
    co_await enter();
    std::unique_ptr<pg::sql_failure> failed;
    for (int tries = 0; tries < 2; ++tries) {
        failed.reset();
        try {
            pg::result answer = co_await try_ask(what, with);
            leave();
            co_return result<pg::result>{std::move(answer)};
        } catch (const pg::sql_failure& why) {
            failed = std::make_unique<pg::sql_failure>(why);
        }
        if (!may_repeat(*failed)) {
            break;
        }
    }
    leave();
    if (auto known = pg::domain_error(*failed)) {
        co_return result<pg::result>{std::move(*known)};
    }
    throw pg::sql_failure{*failed};
}

result<pg::result> side_calls::ask_blocking(const pg::prepared& what, const pg::params& with) {
    const std::lock_guard lock{mutex_};
    for (int tries = 0;; ++tries) {
        try {
            if (blocking_ == nullptr || blocking_->broken()) {
                blocking_.reset();
                blocking_ = std::make_unique<pg::connection>(shared_.options.dsn,
                                                             "libqueue worker calls", connect_max);
            }
            return blocking_->exec(what.sql, with);
        } catch (const pg::sql_failure& why) {
            if (auto known = pg::domain_error(why)) {
                return std::move(*known);
            }
            if (why.poisons_connection()) {
                blocking_.reset();
            }
            if (tries > 0 || !may_repeat(why)) {
                throw;
            }
        }
    }
}

}  // namespace libqueue::engine
