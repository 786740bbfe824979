#include "engine/maintenance.hpp"

#include "engine/lane.hpp"
#include "engine/runtime.hpp"
#include "engine/silence.hpp"

#include <sql/commit_durably.hpp>

#include <algorithm>
#include <memory>

namespace libqueue::engine {
namespace {

constexpr std::chrono::seconds strays_interval{1};
constexpr std::chrono::seconds strays_interval_idle{15};
// For what others tell us of, or what should not be there.
constexpr std::chrono::seconds slow_look{60};
// Without LISTEN nobody tells of suspects.
constexpr std::chrono::seconds suspects_interval{10};
// Looking for strays may take at most this share of the time.
constexpr int strays_share{20};
constexpr int strays_per_line{500};
// So that whoever cuts off the audit's end has to change the log of some worker, too.
constexpr std::chrono::hours anchor_interval{1};
// How long a silent connection is believed to be looking for strays; the one statement that may
// have millions of dead rows to step over.
constexpr std::chrono::seconds strays_patience_min{10};
constexpr std::chrono::seconds strays_patience_max{60};

}  // namespace

maintenance::maintenance(runtime& shared)
    : shared_{shared},
      connection_{shared.io},
      rescuer_{shared, connection_},
      retention_{shared, connection_},
      scheduler_{shared, connection_},
      batch_folder_{shared, connection_},
      bulk_runner_{shared, connection_} {}

void maintenance::wake() {
    shared_.upkeep_due.notify();
}

void maintenance::saw_batches() {
    batch_folder_.found();
    wake();
}

boost::asio::awaitable<void> maintenance::run() {
    const auto interval = std::clamp<std::chrono::milliseconds>(
        shared_.options.lease / 10, std::chrono::milliseconds{100}, std::chrono::seconds{1});
    while (!shared_.stopping) {
        std::unique_ptr<pg::sql_failure> failed;
        try {
            if (shared_.worker_id != 0) {
                co_await sweep();
            }
        } catch (const pg::sql_failure& why) {
            failed = std::make_unique<pg::sql_failure>(why);
        }
        if (failed != nullptr) {
            rescuer_.forget_observations();
            // A transaction may be open in the middle of a rescue; a new connection has none.
            connection_.close();
            scheduler_.postpone(clock::now() + interval);
            batch_folder_.postpone(clock::now() + interval);
            bulk_runner_.postpone(clock::now() + interval);
            if (!failed->poisons_connection() && !failed->retryable()) {
                shared_.report(event_type::internal_error,
                               std::string{"maintenance: "} + failed->what());
            }
        }
        // Somebody is silent: the lease's end is not to be missed by much.
        auto next = clock::now() + (rescuer_.anyone_late() ? interval / 4 : interval);
        if (shared_.worker_id != 0) {
            next = std::min({next, scheduler_.due(), batch_folder_.due(), bulk_runner_.due()});
        }
        co_await shared_.upkeep_due.wait_until(next);
    }
    connection_.close();
}

boost::asio::awaitable<void> maintenance::sweep() {
    if (!connection_.is_open()) {
        co_await connection_.connect(shared_.options.dsn, "libqueue worker maintenance",
                                     std::chrono::seconds{10}, shared_.options.pooler);
        if (!connection_.pooled()) {
            connection_.send_text(std::string{sql::commit_durably});
            connection_.send_text("SET default_transaction_isolation = 'read committed'");
            co_await connection_.run();
        }
    }
    const auto now = clock::now();
    if (rescuer_.anyone_late() || now >= next_workers_) {
        next_workers_ = now + 2 * shared_.options.lease;
        co_await rescuer_.run_once();
    }
    co_await scheduler_.run_once();
    co_await batch_folder_.run_once();
    if (now >= next_strays_) {
        co_await find_strays();
    }
    shared_.suspects.check_patience();
    if (shared_.suspects.found_lately(now)) {
        next_suspects_ = std::min(next_suspects_, last_suspects_ + suspects_interval);
    }
    if (now >= next_suspects_ || shared_.suspects.look_due(now)) {
        last_suspects_ = now;
        next_suspects_ = now + (shared_.options.listen ? slow_look : suspects_interval);
        co_await find_suspects();
    }
    const bool in_doubt = now < shared_.claim_doubted + 3 * shared_.options.lease;
    if (now >= next_forgotten_ ||
        (in_doubt && now >= last_forgotten_ + shared_.options.lease / 2)) {
        last_forgotten_ = now;
        next_forgotten_ = now + 5 * shared_.options.lease;
        co_await take_back_forgotten();
    }
    co_await retention_.run_once();
    if (now >= next_anchor_) {
        next_anchor_ = now + anchor_interval;
        co_await tell_audit_anchor();
    }
    // Last: whatever comes of it, the worker's own upkeep is done.
    co_await bulk_runner_.run_once();
    co_await ask_for_sign_of_life(connection_);
}

boost::asio::awaitable<void> maintenance::tell_audit_anchor() {
    const pg::params none;
    connection_.send(shared_.sql.audit_anchor, none);
    const std::vector<pg::result> results = co_await connection_.run();
    if (results.at(0).rows() > 0) {
        shared_.report(event_type::audit_anchor, std::string{results.at(0).text(0, 0)});
    }
}

boost::asio::awaitable<void> maintenance::find_strays() {
    const auto begun = clock::now();
    std::vector<std::int32_t> lines;
    std::vector<std::int64_t> run_at;
    std::vector<std::int64_t> ids;
    for (const auto& queue : shared_.queues) {
        for (line_state& line : queue->lines) {
            const core::line_place& at = line.cursor.position(begun);
            if (at > core::line_place{}) {
                lines.push_back(line.id);
                run_at.push_back(at.run_at);
                ids.push_back(at.id);
            }
        }
    }
    if (!lines.empty() && shared_.may_claim()) {
        pg::params p;
        p.int4_array(lines).timestamptz_array(run_at).int8_array(ids).int4(strays_per_line);
        connection_.send(shared_.sql.find_strays, p);
        connection_.expect_answer_within(strays_patience_);
        strays_patience_ =
            std::min<std::chrono::milliseconds>(strays_patience_max, 2 * strays_patience_);
        const std::vector<pg::result> results = co_await connection_.run();
        strays_patience_ = std::clamp<std::chrono::milliseconds>(
            std::chrono::duration_cast<std::chrono::milliseconds>(4 * (clock::now() - begun)),
            strays_patience_min, strays_patience_max);
        const pg::result& found = results.at(0);
        for (const auto& queue : shared_.queues) {
            queue->strays.clear();
        }
        for (int row = 0; row < found.rows(); ++row) {
            const int line_id = found.binary_int32(row, 0);
            for (const auto& queue : shared_.queues) {
                const bool has = std::any_of(queue->lines.begin(), queue->lines.end(),
                                             [&](const line_state& l) { return l.id == line_id; });
                if (has) {
                    queue->strays.push_back(
                        stray{line_id, found.binary_int64(row, 1), found.binary_int64(row, 2)});
                }
            }
        }
        if (found.rows() > 0) {
            shared_.wake_lanes();
        }
    }
    const auto took = clock::now() - begun;
    // Idle, ever seldomer: a job that commits late while workers sleep rings the doorbell.
    const bool idle = shared_.claimed == claimed_before_;
    claimed_before_ = shared_.claimed;
    strays_pause_ = idle ? std::min<clock::duration>(strays_interval_idle, 2 * strays_pause_)
                         : clock::duration{strays_interval};
    next_strays_ = clock::now() + std::max<clock::duration>(strays_pause_, took * strays_share);
}

boost::asio::awaitable<void> maintenance::find_suspects() {
    std::vector<std::int32_t> lines;
    for (const auto& queue : shared_.queues) {
        for (const line_state& line : queue->lines) {
            lines.push_back(line.id);
        }
    }
    pg::params p;
    p.int4_array(lines);
    connection_.send(shared_.sql.find_suspects, p);
    const std::vector<pg::result> results = co_await connection_.run();
    const bool some = results.at(0).binary_bool(0, 0);
    const bool closed = results.at(0).binary_bool(0, 1);
    if (closed) {
        next_suspects_ = std::min(next_suspects_, clock::now() + suspects_interval);
    }
    if (some) {
        shared_.suspects.found();
    } else if (shared_.options.suspects == suspect_policy::only) {
        shared_.report(event_type::suspects_cleared, "");
    }
}

boost::asio::awaitable<void> maintenance::take_back_forgotten() {
    const auto now = clock::now();
    std::vector<std::int64_t> known;
    for (const auto& each : shared_.lanes) {
        // A turn this old may be the one whose claim we would call forgotten.
        if (each->connection().busy_since() < now - shared_.options.lease / 2) {
            co_return;
        }
        each->append_leases(known);
    }
    pg::params p;
    p.int8(shared_.worker_id).int8_array(known);
    p.int4(static_cast<std::int32_t>(shared_.options.lease.count()));
    connection_.send(shared_.sql.forgotten_leases, p);
    const std::vector<pg::result> results = co_await connection_.run();
    if (results.at(0).rows() > 0) {
        for (const auto& each : shared_.lanes) {
            each->doubt_slots();
        }
        shared_.look_everywhere();
    }
}

}  // namespace libqueue::engine
