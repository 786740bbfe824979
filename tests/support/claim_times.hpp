#pragma once

#include "test_database.hpp"

#include <string>
#include <vector>

namespace test {

/// Keeps the database's own time and size of every claim, which leases lose when their jobs end.
/// Create it before the first worker starts.
class claim_times {
   public:
    explicit claim_times(const test_database& db);

    /// Jobs claimed so far.
    [[nodiscard]] int jobs() const;
    /// From the first claim to the one that brought the number of jobs to `count`.
    [[nodiscard]] double seconds_to(int count) const;
    /// By how many jobs the worst stretch of time, of any length, went over burst + rate * length.
    /// Negative: none did.
    [[nodiscard]] double overshoot(double burst, double rate) const;
    /// The same of the jobs with this limit_key.
    [[nodiscard]] double overshoot(double burst, double rate, const std::string& key) const;

   private:
    [[nodiscard]] static double worst(double burst, double rate, const std::vector<row>& claims);
    const test_database& db_;
};

}  // namespace test
