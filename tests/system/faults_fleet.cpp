#include "faults_fleet.hpp"

#include "support/wait_until.hpp"

#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace faults {

namespace {

using namespace std::chrono_literals;

std::string config_text(const std::string& dsn, const std::string& name,
                        const std::string& worker_options, const std::string& database_options) {
    // A failed attempt returns soon: what is tested here is not the wait.
    const std::string retry = "retry: {strategy: fixed, base: 20ms, cap: 1s, jitter: false}";
    const std::string kind = ": {crash_budget: 100, " + retry + "}";
    return "database: {dsn: \"" + dsn + "\"" +
           (database_options.empty() ? "" : ", " + database_options) +
           "}\n"
           "queues: {default: {concurrency: 8}}\n"
           "processors: {debug: true}\n"
           "http: {enabled: false}\n"
           "kinds: {debug.noop" +
           kind + ", debug.sleep" + kind + ", debug.fail" + kind +
           "}\n"
           "worker: {name: " +
           name + ", heartbeat: 200ms, lease: 1s, poll_interval: 200ms" +
           (worker_options.empty() ? "" : ", " + worker_options) + "}\n";
}

std::string matching_lines(const std::string& log, std::string_view event) {
    const std::string wanted = "\"event\":\"" + std::string{event} + "\"";
    std::istringstream input{log};
    std::string found;
    for (std::string line; std::getline(input, line);) {
        if (line.find(wanted) != std::string::npos) {
            found += line + "\n";
        }
    }
    return found;
}

std::size_t count_lines(const std::string& log, std::string_view event) {
    const auto lines = matching_lines(log, event);
    return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
}

}  // namespace

std::uint64_t seed() {
    static const std::uint64_t drawn = [] {
        const char* given = std::getenv("LIBQUEUE_FAULT_SEED");
        return given != nullptr ? std::stoull(given) : std::uint64_t{std::random_device{}()};
    }();
    return drawn;
}

void pass_time(std::mt19937_64& random, std::chrono::milliseconds most) {
    std::uniform_int_distribution<std::int64_t> draw{0, most.count() * 1000};
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds{draw(random)};
    static_cast<void>(
        test::wait_until([&] { return std::chrono::steady_clock::now() >= end; }, most + 1s));
}

fleet::fleet(std::string dsn, std::string worker_options, std::string database_options)
    : dsn_{std::move(dsn)},
      worker_options_{std::move(worker_options)},
      database_options_{std::move(database_options)} {}

void fleet::launch(member& place) {
    if (place.workerd) {
        earlier_logs_ += place.workerd->errors();
    }
    place.name = "faults-" + std::to_string(++launched_);
    const auto config = folder_.write(
        place.name + ".yaml", config_text(dsn_, place.name, worker_options_, database_options_));
    place.workerd = std::make_unique<test::process>(
        test::process_options{test::binary("workerd"), {"--config", config.string()}});
}

void fleet::grow(std::size_t count) {
    while (members_.size() < count) {
        launch(members_.emplace_back());
    }
}

void fleet::restart(std::size_t place) {
    if (at(place).running()) {
        throw std::logic_error{"the worker to start again still runs"};
    }
    launch(members_.at(place));
}

void fleet::crash(std::size_t place) {
    at(place).kill();
    launch(members_.at(place));
}

bool fleet::wait_ready() {
    bool ready = true;
    for (const auto& each : members_) {
        ready = each.workerd->wait_for_text("worker_ready", 30s) && ready;
    }
    return ready;
}

std::size_t fleet::count(std::size_t place, std::string_view event) const {
    return count_lines(members_.at(place).workerd->errors(), event);
}

std::size_t fleet::count_all(std::string_view event) const {
    std::size_t total = count_lines(earlier_logs_, event);
    for (const auto& each : members_) {
        total += count_lines(each.workerd->errors(), event);
    }
    return total;
}

std::string fleet::lines_of(std::string_view event) const {
    std::string lines = matching_lines(earlier_logs_, event);
    for (const auto& each : members_) {
        lines += matching_lines(each.workerd->errors(), event);
    }
    return lines;
}

bool fleet::stop() {
    for (const auto& each : members_) {
        each.workerd->signal(SIGTERM);
    }
    bool clean = true;
    for (const auto& each : members_) {
        const auto ended = each.workerd->wait(30s);
        clean = ended && ended->code == 0 && clean;
    }
    return clean;
}

}  // namespace faults
