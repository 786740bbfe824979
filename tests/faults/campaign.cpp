#include "campaign.hpp"

#include "event_log.hpp"
#include "support/query.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace faults {

namespace {

using namespace std::chrono_literals;

enum class scale { brief, slice, soak };

scale wanted_scale() {
    const char* given = std::getenv("LIBQUEUE_FAULTS");
    const std::string text = given == nullptr ? "" : given;
    if (text == "soak") {
        return scale::soak;
    }
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    const bool sanitized = true;
#else
    const bool sanitized = false;
#endif
    return text == "brief" || (sanitized && text.empty()) ? scale::brief : scale::slice;
}

}  // namespace

std::uint64_t seed() {
    static const std::uint64_t drawn = [] {
        const char* given = std::getenv("LIBQUEUE_FAULT_SEED");
        return given != nullptr ? std::stoull(given) : std::uint64_t{std::random_device{}()};
    }();
    return drawn;
}

std::size_t times(std::size_t slice, std::size_t soak) {
    switch (wanted_scale()) {
        case scale::brief:
            return std::max<std::size_t>(1, slice / 10);
        case scale::slice:
            return slice;
        case scale::soak:
            break;
    }
    return soak;
}

void pass_time(std::mt19937_64& random, std::chrono::milliseconds most) {
    std::uniform_int_distribution<std::int64_t> draw{0, most.count() * 1000};
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds{draw(random)};
    static_cast<void>(
        test::wait_until([&] { return std::chrono::steady_clock::now() >= end; }, most + 1s));
}

void report(const std::string& fault, std::size_t happened, std::size_t wanted,
            const findings& found) {
    const auto figure = [&](breach what) {
        return std::to_string(found.count(what));
    };
    const std::string line = fault + "\t" + std::to_string(happened) + "\t" +
                             std::to_string(found.jobs) + "\t" + figure(breach::lost) + "\t" +
                             figure(breach::doubled) + "\t" + figure(breach::unfenced) + "\t" +
                             figure(breach::stuck) + "\t" + figure(breach::illegal) + "\t" +
                             std::to_string(found.repeated) + "\t" + std::to_string(seed()) + "\n";
    if (const char* path = std::getenv("LIBQUEUE_FAULT_TABLE"); path != nullptr) {
        std::ofstream{path, std::ios::app} << line;
    }
    MESSAGE(fault << ": " << happened << " of " << wanted << "; seed " << seed() << "; "
                  << found.text());
    CHECK_MESSAGE(happened >= wanted, "the fault did not happen often enough: " << fault);
    CHECK_MESSAGE(found.clean(), "replay with LIBQUEUE_FAULT_SEED=" << seed());
}

trial::trial(std::string dsn, fleet_options how, std::string producer_dsn)
    : dsn_{std::move(dsn)},
      producer_dsn_{producer_dsn.empty() ? dsn_ : std::move(producer_dsn)},
      ledger_{folder_.write("ledger", "")},
      workers{[&] {
          how.ledger = ledger_;
          return std::move(how);
      }()} {
    install_event_log(dsn_);
}

void trial::produce(int ms_most, int in_line, const std::string& failpoints,
                    std::chrono::milliseconds repeat_after) {
    source& place = producers_.emplace_back();
    place.name = "p" + std::to_string(producers_.size());
    place.file = folder_.write(place.name + ".journal", "");
    place.arguments = {producer_dsn_,
                       place.file.string(),
                       place.name,
                       std::to_string(seed() + producers_.size()),
                       std::to_string(ms_most),
                       std::to_string(in_line),
                       std::to_string(repeat_after.count())};
    launch(place, failpoints);
}

void trial::launch(source& place, const std::string& failpoints) {
    test::process_options how{test::binary("faults_producer"), place.arguments};
    how.env = {{"LIBQUEUE_FAILPOINTS", failpoints}};
    place.program = std::make_unique<test::process>(how);
}

bool trial::kill_producer(std::size_t place) {
    source& killed = producers_.at(place);
    const bool ran = killed.program->running();
    killed.program->kill();
    launch(killed, {});
    return ran;
}

std::size_t trial::revive_producers() {
    std::size_t revived = 0;
    for (source& each : producers_) {
        if (!each.program->running()) {
            launch(each, {});
            ++revived;
        }
    }
    return revived;
}

/// Reads on where it ended the last time.
void trial::count_on(source& place) {
    std::ifstream input{place.file};
    input.seekg(place.counted);
    for (std::string line; std::getline(input, line) && !input.eof();) {
        place.acknowledged += line.starts_with("A ") ? 1 : 0;
        place.duplicates += line.starts_with("D ") ? 1 : 0;
        place.counted += static_cast<std::streamoff>(line.size()) + 1;
    }
}

std::size_t trial::acknowledged() const {
    std::size_t total = 0;
    for (source& each : producers_) {
        count_on(each);
        total += each.acknowledged;
    }
    return total;
}

std::size_t trial::duplicates() const {
    std::size_t total = 0;
    for (source& each : producers_) {
        count_on(each);
        total += each.duplicates;
    }
    return total;
}

bool trial::wait_for_more(std::size_t more, std::chrono::milliseconds deadline) const {
    const auto target = acknowledged() + more;
    return test::wait_until([&] { return acknowledged() >= target; }, deadline);
}

bool trial::wait_for(std::size_t jobs, std::chrono::milliseconds deadline) {
    return test::wait_until(
        [&] {
            revive_producers();
            return acknowledged() >= jobs;
        },
        deadline);
}

bool trial::stop_producers() {
    revive_producers();
    for (const source& each : producers_) {
        each.program->signal(SIGTERM);
    }
    bool clean = true;
    for (const source& each : producers_) {
        const auto ended = each.program->wait(90s);
        clean = clean && ended && ended->code == 0;
    }
    return clean;
}

journal trial::promised() const {
    journal all;
    for (const source& each : producers_) {
        all.read(each.file);
    }
    return all;
}

findings trial::finish_quietly(const audit_options& options) {
    static_cast<void>(stop_producers());
    static_cast<void>(wait_settled(dsn_, options));
    static_cast<void>(workers.stop(3s));
    return audit(dsn_, promised(), ledger_, options);
}

findings trial::finish(const audit_options& options) {
    CHECK(stop_producers());
    CHECK(wait_settled(dsn_, options));
    // A turn that fails is reported once per failure; a loop that ends would be, too.
    const std::string errors = workers.lines_of("internal_error");
    CHECK_MESSAGE(errors.empty(), errors.substr(0, 2000));
    CHECK(workers.stop());
    return audit(dsn_, promised(), ledger_, options);
}

}  // namespace faults
