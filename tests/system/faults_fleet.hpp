#pragma once

#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace faults {

/// What a fault test draws from; printed, so that a failure can be tried again: the environment
/// variable LIBQUEUE_FAULT_SEED replaces it.
[[nodiscard]] std::uint64_t seed();

/// Lets a random time of at most `most` pass, so that a fault hits at no particular instant.
void pass_time(std::mt19937_64& random, std::chrono::milliseconds most);

/// Real workerd processes on one database, each started over under a new name. Heartbeat 200 ms,
/// lease 1 s, a crash budget no test uses up. Use from one thread.
class fleet {
   public:
    /// `worker_options`: more of the section worker, "drain_timeout: 500ms"; `database_options`: of
    /// the section database.
    explicit fleet(std::string dsn, std::string worker_options = {},
                   std::string database_options = {});

    /// Starts workers until there are `count`.
    void grow(std::size_t count);
    /// A new process in the place of one that has ended.
    void restart(std::size_t place);
    /// SIGKILL and a new process, at once.
    void crash(std::size_t place);
    /// Waits for the log line that says it claims jobs.
    [[nodiscard]] bool wait_ready();

    [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
    [[nodiscard]] test::process& at(std::size_t place) { return *members_.at(place).workerd; }
    /// worker.name of the process that runs there now; no two processes share one.
    [[nodiscard]] const std::string& name(std::size_t place) const {
        return members_.at(place).name;
    }
    /// Lines of this event in the log of the process that runs there now.
    [[nodiscard]] std::size_t count(std::size_t place, std::string_view event) const;
    /// The same over all processes, the ended ones included.
    [[nodiscard]] std::size_t count_all(std::string_view event) const;
    /// The lines themselves, one after the other.
    [[nodiscard]] std::string lines_of(std::string_view event) const;
    /// SIGTERM to all; true when each exits with 0.
    [[nodiscard]] bool stop();

   private:
    class member {
       public:
        std::string name;
        std::unique_ptr<test::process> workerd;
    };
    void launch(member& place);

    std::string dsn_;
    std::string worker_options_;
    std::string database_options_;
    test::temp_dir folder_;
    std::vector<member> members_;
    std::string earlier_logs_;
    std::size_t launched_{0};
};

}  // namespace faults
