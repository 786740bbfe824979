#pragma once

#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace faults {

class fleet_options {
   public:
    explicit fleet_options(std::string dsn_) : dsn{std::move(dsn_)} {}
    std::string dsn;
    std::filesystem::path ledger;  ///< see ledger.hpp
    int concurrency{8};
    int crash_budget{100};       ///< no test uses it up unless it says so
    std::string worker_options;  ///< more of the section worker, "drain_timeout: 500ms"
    std::string planted_bug;     ///< of planted_bugs.hpp
    bool names_stay{false};      ///< a process takes the name of the one it replaces
};
static_assert(!std::is_aggregate_v<fleet_options>);

/// Real workerd processes on one database; heartbeat 200 ms, lease 1 s. Use from one thread.
class fleet {
   public:
    explicit fleet(fleet_options options) : options_{std::move(options)} {}

    /// Starts workers until there are `count`, each with these failpoints.
    void grow(std::size_t count, const std::string& failpoints = {});
    /// A new process in the place of one that has ended.
    void restart(std::size_t place, const std::string& failpoints = {});
    /// SIGKILL. False when it had ended by itself before.
    [[nodiscard]] bool kill(std::size_t place);
    /// Waits for the log line that says it claims jobs.
    [[nodiscard]] bool wait_ready();

    [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
    [[nodiscard]] test::process& at(std::size_t place) { return *members_.at(place).workerd; }
    /// worker.name of the process that runs there now.
    [[nodiscard]] const std::string& name(std::size_t place) const {
        return members_.at(place).name;
    }
    /// Stopped by SIGSTOP right now.
    [[nodiscard]] bool stopped(std::size_t place);
    /// Lines of this event in the log of the process that runs there now.
    [[nodiscard]] std::size_t count(std::size_t place, std::string_view event) const;
    /// The same over all processes, the ended ones included.
    [[nodiscard]] std::size_t count_all(std::string_view event) const;
    /// The lines themselves, one after the other.
    [[nodiscard]] std::string lines_of(std::string_view event) const;
    /// SIGTERM to all, and SIGKILL to those that are there at the deadline; true when each exits
    /// with 0.
    [[nodiscard]] bool stop(std::chrono::milliseconds deadline = std::chrono::seconds{30});

   private:
    class member {
       public:
        std::string name;
        std::unique_ptr<test::process> workerd;
    };
    void launch(member& place, const std::string& failpoints);

    fleet_options options_;
    test::temp_dir folder_;
    std::vector<member> members_;
    std::string earlier_logs_;  // of what is counted, see the source
    std::size_t launched_{0};
};

}  // namespace faults
