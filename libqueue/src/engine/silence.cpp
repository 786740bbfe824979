#include "engine/silence.hpp"

#include "engine/runtime.hpp"

#include <algorithm>

namespace libqueue::engine {
namespace {

constexpr std::chrono::seconds idle_max{4};
constexpr std::chrono::seconds sign_of_life_max{5};

}  // namespace

clock::time_point sign_of_life_due(const pg::pipeline& connection) {
    return connection.answered_at() + idle_max;
}

boost::asio::awaitable<void> ask_for_sign_of_life(pg::pipeline& connection) {
    if (clock::now() >= sign_of_life_due(connection)) {
        connection.expect_answer_within(sign_of_life_max);
        co_await connection.run();
    }
}

silence_watch::silence_watch(runtime& shared) : shared_{shared}, wake_{shared.io} {}

void silence_watch::watch(pg::pipeline& connection, std::chrono::milliseconds limit) {
    watched_.push_back(watched{&connection, limit});
}

boost::asio::awaitable<void> silence_watch::run() {
    while (!shared_.stopping) {
        const auto now = clock::now();
        std::chrono::milliseconds interval{1'000};
        for (const watched& each : watched_) {
            if (each.connection->busy_since() <
                now - each.connection->patience().value_or(each.limit)) {
                each.connection->abort();
            }
            interval = std::min(interval, each.limit / 4);
        }
        co_await wake_.wait_until(now + interval);
    }
}

}  // namespace libqueue::engine
