#include "engine/bulk_runner.hpp"

#include "engine/runtime.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

namespace libqueue::engine {
namespace {

constexpr std::chrono::seconds looks_every{2};
constexpr std::chrono::milliseconds shortest_pause{5};

enum run_column : int { col_worked, col_ended, col_wait_ms };

}  // namespace

clock::time_point bulk_runner::due() const {
    // A worker that runs suspects only leaves the operations to the others.
    return shared_.options.suspects == suspect_policy::only ? clock::time_point::max() : next_;
}

boost::asio::awaitable<void> bulk_runner::run_once() {
    if (clock::now() < due()) {
        co_return;
    }
    // Before the work: what fails is not tried again at once.
    next_ = clock::now() + looks_every;
    connection_.send(shared_.sql.run_operations, pg::params{});
    const std::vector<pg::result> results = co_await connection_.run();
    const pg::result& row = results.at(0);
    if (!row.is_null(0, col_wait_ms)) {
        const std::chrono::milliseconds wait{row.binary_int64(0, col_wait_ms)};
        next_ = clock::now() + std::clamp<clock::duration>(wait, shortest_pause, looks_every);
    }
}

}  // namespace libqueue::engine
