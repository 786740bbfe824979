#include "fleet.hpp"

#include "support/wait_until.hpp"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace faults {

namespace {

using namespace std::chrono_literals;

std::string config_text(const fleet_options& options, const std::string& name) {
    // A failed attempt returns soon: what is tested here is not the wait.
    const std::string kind = ": {crash_budget: " + std::to_string(options.crash_budget) +
                             ", retry: {strategy: fixed, base: 20ms, cap: 1s, jitter: false}}";
    return "database: {dsn: \"" + options.dsn +
           "\"}\n"
           "queues: {default: {concurrency: " +
           std::to_string(options.concurrency) +
           "}}\n"
           "http: {enabled: false}\n"
           "processors: {debug: true}\n"
           "kinds: {ledger.work" +
           kind + ", ledger.block" + kind +
           "}\n"
           "worker: {name: " +
           name + ", heartbeat: 200ms, lease: 1s, poll_interval: 200ms" +
           (options.worker_options.empty() ? "" : ", " + options.worker_options) + "}\n";
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

void fleet::launch(member& place, const std::string& failpoints) {
    if (place.workerd) {
        // Failed jobs are logged one by one, by the ten thousand.
        for (const std::string_view event :
             {"failpoint", "planted_bug", "internal_error", "jobs_rescued", "lease_lost",
              "worker_lost", "database_lost", "database_back", "suspects_started"}) {
            earlier_logs_ += matching_lines(place.workerd->errors(), event);
        }
    }
    ++launched_;
    if (!options_.names_stay || place.name.empty()) {
        place.name = "worker-" + std::to_string(launched_);
    }
    const auto config = folder_.write(place.name + ".yaml", config_text(options_, place.name));
    test::process_options how{test::binary("faults_workerd"), {"--config", config.string()}};
    how.env = {{"LIBQUEUE_LEDGER", options_.ledger.string()},
               {"LIBQUEUE_FAILPOINTS", failpoints},
               {"LIBQUEUE_PLANTED_BUG", options_.planted_bug}};
    place.workerd = std::make_unique<test::process>(how);
}

void fleet::grow(std::size_t count, const std::string& failpoints) {
    while (members_.size() < count) {
        launch(members_.emplace_back(), failpoints);
    }
}

void fleet::restart(std::size_t place, const std::string& failpoints) {
    if (at(place).running()) {
        throw std::logic_error{"the worker to start again still runs"};
    }
    launch(members_.at(place), failpoints);
}

bool fleet::kill(std::size_t place) {
    const bool ran = at(place).running();
    at(place).kill();
    return ran;
}

bool fleet::wait_ready() {
    bool ready = true;
    for (const auto& each : members_) {
        ready = each.workerd->wait_for_text("worker_ready", 30s) && ready;
    }
    return ready;
}

bool fleet::stopped(std::size_t place) {
    if (!at(place).running()) {
        return false;
    }
    std::ifstream file{"/proc/" + std::to_string(at(place).pid()) + "/stat"};
    std::string text;
    std::getline(file, text);
    // pid (name) state: the name may hold anything, so from its end.
    const auto end = text.rfind(')');
    return end != std::string::npos && text.size() > end + 2 && text[end + 2] == 'T';
}

std::size_t fleet::count(std::size_t place, std::string_view event) const {
    return count_lines(members_.at(place).workerd->errors(), event);
}

std::size_t fleet::count_all(std::string_view event) const {
    const auto lines = lines_of(event);
    return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
}

std::string fleet::lines_of(std::string_view event) const {
    std::string lines = matching_lines(earlier_logs_, event);
    for (const auto& each : members_) {
        lines += matching_lines(each.workerd->errors(), event);
    }
    return lines;
}

bool fleet::stop(std::chrono::milliseconds deadline) {
    for (const auto& each : members_) {
        each.workerd->signal(SIGTERM);
        each.workerd->signal(SIGCONT);
    }
    bool clean = true;
    for (const auto& each : members_) {
        const auto ended = each.workerd->wait(deadline);
        each.workerd->kill();
        clean = ended && ended->code == 0 && clean;
    }
    return clean;
}

}  // namespace faults
