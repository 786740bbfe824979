#pragma once

#include <libqueue/client.hpp>
#include <libqueue/filter.hpp>
#include <libqueue/jobs.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace libqueue {

/// What is done to every job that matches.
enum class bulk_action {
    retry,    ///< waiting ones become due, dead and cancelled ones stand in line again
    cancel,   ///< waiting ones are cancelled, running ones asked to stop
    replay,   ///< dead letters stand in line again
    discard,  ///< dead letters are deleted
    purge,    ///< waiting ones are cancelled
};

[[nodiscard]] std::string_view to_string(bulk_action action) noexcept;
[[nodiscard]] std::optional<bulk_action> parse_bulk_action(std::string_view text) noexcept;

class new_bulk {
   public:
    new_bulk(bulk_action action_, filter which_) : action{action_}, which{std::move(which_)} {}

    bulk_action action;
    filter which;  ///< at least one term
    /// Jobs per second, 0.001 to 100000; nothing: as fast as others are not disturbed.
    std::optional<double> per_second;
    std::optional<std::string> reason;  ///< kept as the error of cancelled jobs
    /// How long it can be cancelled before anything happens; at most a day.
    std::chrono::milliseconds undo{10'000};
};

/// Operations on all jobs that match a filter. Workers do them in the background, in steps; a step
/// and what is known of it commit together, so counts are exact whoever dies when. Jobs that die
/// after the operation was created are left alone: replaying ends.
///
/// Uses the client's connection: one thread at a time, and the client must outlive it. Errors:
/// invalid_argument, `not_found`, `conflict` (cancelled after its end); a database that is away
/// throws `failure`.
class bulk {
   public:
    explicit bulk(client& connection) noexcept : client_{connection} {}

    /// What it would act on now; exact up to 100,000 jobs and half a second.
    [[nodiscard]] result<bounded_count> count(bulk_action action, const filter& which);
    /// Returns its id.
    [[nodiscard]] result<std::int64_t> create(const new_bulk& wanted);
    /// Newest first. Columns as of the view queue.operations; `report::next` is the next page's
    /// `before`. `limit` 1 to 10000.
    [[nodiscard]] report list(bool unfinished_only = false,
                              const std::optional<std::int64_t>& before = {}, int limit = 50);
    [[nodiscard]] result<report> show(std::int64_t operation);
    /// What is done stays done.
    [[nodiscard]] result<void> cancel(std::int64_t operation);

   private:
    client& client_;
};

}  // namespace libqueue
