#include "engine/lane.hpp"
#include "engine/runtime.hpp"
#include "engine/turn.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

// What becomes of a turn that failed or whose commit got no answer.

namespace libqueue::engine {
namespace {

using turn::claim_of;

constexpr std::string_view unique_violation{"23505"};

}  // namespace

/// The last commit got no answer. What it recorded is in the history; the rest is said again.
boost::asio::awaitable<void> lane::settle_doubt() {
    connection_.send(shared_.sql.find_finished, turn::doubt_params(doubtful_));
    const std::vector<pg::result> results = co_await connection_.run();
    const pg::result& found = results.at(0);
    for (int row = 0; row < found.rows(); ++row) {
        const std::int64_t job = found.binary_int64(row, 0);
        const std::int64_t lease = found.binary_int64(row, 1);
        std::erase_if(doubtful_, [&](const acknowledgement& ack) {
            return ack.job == job && ack.lease == lease;
        });
        if (const auto held = leases_.find(lease); held != leases_.end() && --held->second <= 0) {
            leases_.erase(held);
        }
    }
    pending_.insert(pending_.begin(), std::make_move_iterator(doubtful_.begin()),
                    std::make_move_iterator(doubtful_.end()));
    doubtful_.clear();
}

void lane::release_reservations() {
    for (const claim_sent& sent : claims_) {
        if (sent.what == claim_of::suspect) {
            shared_.suspects.claim_failed();
        }
        if (sent.what == claim_of::line) {
            sent.queue->watch.next_look = clock::time_point::min();
        }
        release(sent);
    }
    claims_.clear();
    admissions_.clear();
    expected_.clear();
}

void lane::turn_failed(const pg::sql_failure& why) {
    if (!claims_.empty() && (why.outcome_unknown() || why.poisons_connection())) {
        shared_.claim_doubted = clock::now();
    }
    release_reservations();
    slots_.doubt();
    const bool was_open = connection_.is_open();
    const bool doubt = why.outcome_unknown() || why.sqlstate() == unique_violation;
    auto& target = doubt ? doubtful_ : pending_;
    const bool had_batch = !batch_.empty();
    target.insert(target.begin(), std::make_move_iterator(batch_.begin()),
                  std::make_move_iterator(batch_.end()));
    batch_.clear();
    returning_.insert(returning_.begin(), batch_returns_.begin(), batch_returns_.end());
    batch_returns_.clear();
    if (why.poisons_connection() || !was_open) {
        connection_.close();
        if (failures_ == 0) {
            shared_.report(event_type::database_lost, why.what());
        }
        return;
    }
    if (doubt) {
        isolating_ = true;
        return;
    }
    if (why.retryable()) {
        return;
    }
    shared_.report(event_type::internal_error,
                   std::string{"turn failed, SQLSTATE "} + why.sqlstate() + ": " + why.what());
    if (!had_batch) {
        return;
    }
    const std::string& state = why.sqlstate();
    const bool about_data = state.starts_with("22") || state.starts_with("54");
    if (isolating_ && about_data && !pending_.empty()) {
        // Alone it fails too: what it carried cannot be stored, the fact that it ended can.
        acknowledgement& bad = pending_.front();
        bad.output.clear();
        bad.error = std::string{"the outcome could not be stored: "} + why.what();
    }
    isolating_ = true;
}

}  // namespace libqueue::engine
