#include "health.hpp"

#include "config/dsn.hpp"
#include "net/plain_get.hpp"

#include <libqueue/error.hpp>
#include <libqueue/migrate.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <exception>
#include <string_view>
#include <utility>

namespace workerd {

namespace {

using namespace std::chrono_literals;

constexpr auto slow = 1s;
constexpr auto fresh_for = 1s;
constexpr auto patience = 2s;
constexpr std::chrono::milliseconds most_drift = 5s;

}  // namespace

health::health(boost::asio::io_context& loop, std::string dsn, std::string schema,
               const libqueue::worker& worker)
    : dsn_{with_parameter(with_parameter(dsn, "connect_timeout", "2"), "tcp_user_timeout", "2000")},
      schema_{std::move(schema)},
      worker_{worker},
      loop_{loop},
      answered_{loop},
      pool_{1} {}

const char* health::text(level value) noexcept {
    switch (value) {
        case level::up:
            return "up";
        case level::degraded:
            return "degraded";
        case level::down:
            return "down";
    }
    return "down";
}

boost::asio::awaitable<http_response> health::answer(http_request request) {
    const auto path = plain_get_path(request);
    if (!path)
        co_return plain_get_only();
    if (path == "/health/live")
        co_return json_response(silent_ ? 503 : 200,
                                silent_ ? R"({"status":"down"})" : R"({"status":"up"})");
    if (path == "/health/startup")
        co_return json_response(started_ ? 200 : 503,
                                started_ ? R"({"status":"up"})" : R"({"status":"starting"})");
    if (path != "/health/ready")
        co_return no_such_page();
    const report seen = co_await look();
    co_return ready(seen);
}

bool health::is_fresh() const {
    return std::chrono::steady_clock::now() - last_.at < fresh_for;
}

boost::asio::awaitable<health::report> health::look() {
    if (is_fresh())
        co_return last_;
    if (!asking_)
        start_question();
    // Ends early, by cancel, when the answer is there.
    auto [error] = co_await answered_.async_wait(use_tuple);
    const bool in_time = static_cast<bool>(error) && is_fresh();
    co_return in_time ? last_ : report{};
}

void health::start_question() {
    asking_ = true;
    answered_.expires_after(patience);
    boost::asio::post(pool_, [this] {
        const auto seen = ask_database();
        boost::asio::post(loop_, [this, seen] {
            last_ = seen;
            asking_ = false;
            answered_.cancel();
        });
    });
}

health::report health::ask_database() const {
    report seen;
    const auto start = std::chrono::steady_clock::now();
    try {
        libqueue::migrate_options options;
        options.dsn = dsn_;
        options.schema = schema_;
        const auto state = libqueue::migration_state(options);
        const auto took = std::chrono::steady_clock::now() - start;
        seen.database = took > slow ? level::degraded : level::up;
        const auto serves = [](const libqueue::migration_status& each) {
            return each.checksum_ok && (each.applied || each.unknown) &&
                   !(each.unknown && each.breaking);
        };
        if (state.has_value() && std::all_of(state->begin(), state->end(), serves))
            seen.schema = level::up;
    } catch (const std::exception&) {
        // Down, and why is in the log of the worker, not in an answer to strangers.
    }
    seen.at = std::chrono::steady_clock::now();
    return seen;
}

http_response health::ready(const report& seen) const {
    const auto worker = worker_.connected() && !draining_ ? level::up : level::down;
    const auto offset = clock_offset_ ? clock_offset_() : 0ms;
    const auto clock = offset > most_drift || offset < -most_drift ? level::degraded : level::up;
    const auto worst = std::max({seen.database, seen.schema, worker, clock});
    const std::string body =
        std::string{R"({"status":")"} + text(worst) + R"(","checks":{"database":")" +
        text(seen.database) + R"(","schema":")" + text(seen.schema) + R"(","worker":")" +
        (draining_ ? "draining" : text(worker)) + R"(","clock":")" + text(clock) + "\"}}";
    return json_response(worst == level::down ? 503 : 200, body);
}

}  // namespace workerd
