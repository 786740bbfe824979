#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

// Looks for what keeps jobs from being run, or will: what `qctl doctor` prints.

namespace libqueue {

enum class severity {
    error,    ///< jobs are not run, or may be lost
    warning,  ///< will become one, or already costs
    note,     ///< the doctor could not look, or what is seen is only worth knowing
};

[[nodiscard]] std::string_view to_string(severity level) noexcept;

class finding {
   public:
    finding(severity level_, std::string check_, std::string found_, std::string cure_)
        : level{level_},
          check{std::move(check_)},
          found{std::move(found_)},
          cure{std::move(cure_)} {}
    severity level;
    std::string check;  ///< a stable word: schema, rights, durability ...
    std::string found;  ///< for people; never contains payload content
    std::string cure;   ///< a command, or what to do
};

class doctor_options {
   public:
    doctor_options() = default;
    std::string dsn;              ///< libpq string or URI; empty: PG* environment
    std::string schema{"queue"};  ///< as installed
    /// A transaction, open or prepared, is old after so long.
    std::chrono::milliseconds old_transaction{300'000};
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds statement_timeout{10'000};  ///< of each check; 0: the server's own
};

/// Makes all checks, each by itself: one that fails is a finding of its own. Changes nothing.
/// Blocks, for up to two seconds on a server that delivers no notifications. Worst first.
/// Throws `failure` when the database cannot be reached, `domain_failure` (invalid_argument) when
/// `schema` is no schema name.
[[nodiscard]] std::vector<finding> examine(const doctor_options& options);

}  // namespace libqueue
