#pragma once

#include <libqueue/operations.hpp>
#include <libqueue/samples.hpp>

#include <chrono>
#include <optional>
#include <string_view>

namespace qctl {

class context;

/// `libqueue::overview` and `libqueue::samples`, of the database or of a server; see any_jobs.hpp.
class any_overview {
   public:
    explicit any_overview(context& with) noexcept : with_{with} {}

    /// One row; what each table takes and what the tables suffer from are its documents `tables`
    /// and `cures`.
    [[nodiscard]] libqueue::report database();
    [[nodiscard]] libqueue::result<void> set_objective(
        std::string_view queue, std::optional<std::chrono::milliseconds> objective);
    /// One row for each step: `at`, and a column for each series.
    [[nodiscard]] libqueue::result<libqueue::report> series(const libqueue::series_request& wanted);

   private:
    context& with_;
};

}  // namespace qctl
