#pragma once

#include "audit.hpp"
#include "fleet.hpp"
#include "journal.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <ios>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace faults {

/// What the whole run draws from; printed, so that it can be made again: the environment variable
/// LIBQUEUE_FAULT_SEED replaces it.
[[nodiscard]] std::uint64_t seed();

/// How often a fault happens: `slice` in tests/run, `soak` with LIBQUEUE_FAULTS=soak, a tenth of
/// the slice with LIBQUEUE_FAULTS=brief and in builds with a sanitizer.
[[nodiscard]] std::size_t times(std::size_t slice, std::size_t soak);

/// Lets a random time of at most `most` pass, so that a fault hits at no particular instant.
void pass_time(std::mt19937_64& random, std::chrono::milliseconds most);

/// A line of the table that tests/run prints at its end (the file LIBQUEUE_FAULT_TABLE), and a
/// message of this test.
void report(const std::string& fault, std::size_t happened, std::size_t wanted,
            const findings& found);

/// Everything one test case runs: a ledger, producers in processes of their own, a fleet.
class trial {
   public:
    /// `dsn`: where the auditor looks, and the producers unless they have one of their own. Workers
    /// connect as `how` says.
    trial(std::string dsn, fleet_options how, std::string producer_dsn = {});
    explicit trial(const std::string& dsn) : trial{dsn, fleet_options{dsn}} {}

    /// A producer of jobs of at most so many ms, which keeps about `in_line` of them waiting.
    /// `repeat_after`: how long it waits before it asks again.
    void produce(int ms_most, int in_line, const std::string& failpoints = {},
                 std::chrono::milliseconds repeat_after = std::chrono::milliseconds{20});
    /// SIGKILL to a producer and a new one in its place, which asks again for what was open.
    /// Whether it ran.
    bool kill_producer(std::size_t place);
    [[nodiscard]] test::process& producer(std::size_t place) {
        return *producers_.at(place).program;
    }
    [[nodiscard]] std::size_t producers() const noexcept { return producers_.size(); }
    /// Starts producers again that a fault has ended; returns how many.
    std::size_t revive_producers();

    /// Jobs acknowledged so far, over all producers.
    [[nodiscard]] std::size_t acknowledged() const;
    /// Repeated enqueues of single jobs that found their job there; see journal.hpp.
    [[nodiscard]] std::size_t duplicates() const;
    /// True once `more` jobs have been acknowledged since the call.
    [[nodiscard]] bool wait_for_more(std::size_t more,
                                     std::chrono::milliseconds deadline = std::chrono::minutes{
                                         1}) const;
    /// Waits for this many acknowledged in all.
    [[nodiscard]] bool wait_for(std::size_t jobs,
                                std::chrono::milliseconds deadline = std::chrono::minutes{30});

    /// Ends the load, lets the fleet finish it, stops the fleet and audits.
    [[nodiscard]] findings finish(const audit_options& options = {});
    /// The same without a word from doctest; for planted bugs.
    [[nodiscard]] findings finish_quietly(const audit_options& options);

    [[nodiscard]] journal promised() const;

   private:
    class source {
       public:
        std::string name;
        std::filesystem::path file;
        std::vector<std::string> arguments;
        std::unique_ptr<test::process> program;
        std::streamoff counted{0};  // of the journal
        std::size_t acknowledged{0};
        std::size_t duplicates{0};
    };
    static void count_on(source& place);
    void launch(source& place, const std::string& failpoints);
    [[nodiscard]] bool stop_producers();

    std::string dsn_;
    std::string producer_dsn_;
    test::temp_dir folder_;
    std::filesystem::path ledger_;
    mutable std::vector<source> producers_;

   public:
    fleet workers;
};

}  // namespace faults
