#pragma once

#include <libqueue/bulk.hpp>
#include <libqueue/jobs.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace qctl {

class context;

/// `libqueue::bulk`, of the database or of a server; see any_jobs.hpp.
class any_bulk {
   public:
    explicit any_bulk(context& with) noexcept : with_{with} {}

    [[nodiscard]] libqueue::result<libqueue::bounded_count> count(libqueue::bulk_action action,
                                                                  const libqueue::filter& which);
    [[nodiscard]] libqueue::result<std::int64_t> create(const libqueue::new_bulk& wanted);
    [[nodiscard]] libqueue::report list(bool unfinished_only,
                                        const std::optional<std::int64_t>& before, int limit);
    [[nodiscard]] libqueue::result<libqueue::report> show(std::int64_t operation);
    [[nodiscard]] libqueue::result<void> cancel(std::int64_t operation);

    /// `libqueue::jobs::find`.
    [[nodiscard]] libqueue::result<libqueue::found_page> find(
        const libqueue::filter& which, const std::optional<std::string>& behind, int limit);

   private:
    context& with_;
};

}  // namespace qctl
