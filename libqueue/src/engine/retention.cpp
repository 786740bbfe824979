#include "engine/retention.hpp"

#include "core/limits.hpp"
#include "engine/runtime.hpp"

#include <cstdint>
#include <vector>

namespace libqueue::engine {
namespace {

// From the end of one round to the next.
constexpr std::chrono::seconds round_interval{60};
constexpr std::chrono::seconds side_tables_interval{120};
// One statement: a rescue waits for it at most.
constexpr std::int32_t statement_ms{50};
constexpr int share{20};

}  // namespace

boost::asio::awaitable<void> retention::run_once() {
    const auto begun = clock::now();
    if (begun < next_) {
        co_return;
    }
    // Before the work, each: what fails is not tried again at once.
    if (begun >= next_side_tables_) {
        next_side_tables_ = begun + side_tables_interval;
        co_await prune_side_tables();
    }
    if (begun >= next_jobs_) {
        next_jobs_ = begun + round_interval;
        co_await prune_jobs();
    }
    if (begun >= next_keys_) {
        next_keys_ = begun + round_interval;
        co_await prune_keys();
    }
    if (begun >= next_archives_) {
        next_archives_ = begun + side_tables_interval;
        co_await prune_archives();
    }
    const auto now = clock::now();
    next_ = now + (now - begun) * share;
}

boost::asio::awaitable<void> retention::prune_jobs() {
    pg::params p;
    p.int4(statement_ms).int4(limits::sweep_batch_max);
    connection_.send(shared_.sql.prune_jobs, p);
    const std::vector<pg::result> results = co_await connection_.run();
    const bool round_over = results.at(0).binary_bool(0, 3);
    if (!round_over) {
        next_jobs_ = clock::now();
    }
}

boost::asio::awaitable<void> retention::prune_keys() {
    pg::params p;
    p.int4(statement_ms).int4(limits::sweep_batch_max);
    connection_.send(shared_.sql.prune_keys, p);
    const std::vector<pg::result> results = co_await connection_.run();
    const bool round_over = results.at(0).binary_bool(0, 1);
    if (!round_over) {
        next_keys_ = clock::now();
    }
}

boost::asio::awaitable<void> retention::prune_side_tables() {
    pg::params p;
    p.int4(limits::sweep_batch_max);
    connection_.send(shared_.sql.prune_side_tables, p);
    connection_.send(shared_.sql.prune_limits, p);
    co_await connection_.run();
}

boost::asio::awaitable<void> retention::prune_archives() {
    pg::params p;
    p.int4(statement_ms).int4(limits::sweep_batch_max);
    connection_.send(shared_.sql.prune_archives, p);
    const std::vector<pg::result> results = co_await connection_.run();
    const bool round_over = results.at(0).binary_bool(0, 2);
    if (!round_over) {
        next_archives_ = clock::now();
    }
}

}  // namespace libqueue::engine
