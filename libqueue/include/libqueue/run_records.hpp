#pragma once

#include <libqueue/client.hpp>
#include <libqueue/error.hpp>
#include <libqueue/operations.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// What runs leave behind while they go on, for whoever looks on: log lines, progress, checkpoints
// and effects. Handlers write them through their `job_context`.

namespace libqueue {

/// Which lines. Empty fields do not restrict.
class log_filter {
   public:
    log_filter() = default;
    std::optional<int> attempt;               ///< all runs of this number
    std::optional<int> tail;                  ///< the last so many; 0 or more
    std::optional<std::int64_t> after_lease;  ///< go on behind this lease's line `after_line`
    int after_line{0};
};

/// Uses the client's connection: one thread at a time, and the client must outlive it. A job that
/// is gone has left nothing; a database that is away throws `failure`.
class run_records {
   public:
    explicit run_records(client& connection) noexcept : client_{connection} {}

    /// In order: columns attempt, lease, line, at, level, message.
    [[nodiscard]] report log(job_id id, const log_filter& filter = {});
    /// Columns updated_at, fraction, message; no row when nothing was reported.
    [[nodiscard]] report progress(job_id id);
    /// JSON text of the last checkpoint.
    [[nodiscard]] std::optional<std::string> checkpoint(job_id id);
    /// Columns step, state, key, lease, begun_at, ended_at, result.
    [[nodiscard]] report effects(job_id id);
    /// What became of an effect that was begun and never answered, found out by a person; `output`
    /// is JSON or empty. `conflict` while the job runs, or when it is known already;
    /// `not_found` without such an effect.
    [[nodiscard]] result<void> resolve_effect(job_id id, std::string_view step, bool happened,
                                              const std::string& output = {});

   private:
    client& client_;
};

}  // namespace libqueue
