#pragma once

#include <libqueue/client.hpp>
#include <libqueue/error.hpp>
#include <libqueue/limit_options.hpp>
#include <libqueue/operations.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// Limits on the outside world, enforced by PostgreSQL for all processes together: a token bucket
// (so many at once, so many per second), concurrency (so many running at once), and a stop for
// emergencies. Kinds and queues name the limit their jobs are under (worker.hpp); what is here
// looks after limits and takes tokens for work that is no job.

namespace libqueue {

/// Changes of a limit. Nothing: as it was; 0: not limited in that way any more.
class limit_change {
   public:
    explicit limit_change(std::string name_) : name{std::move(name_)} {}
    std::string name;
    std::optional<int> burst;
    std::optional<double> rate;  ///< per second
    std::optional<int> concurrency;
    std::optional<std::string> key;
    std::optional<std::string> parent;    ///< empty: under none
    std::optional<double> breaker_ratio;  ///< 0: no breaker; else as breaker_options
    std::optional<int> breaker_min_requests;
    std::optional<std::chrono::milliseconds> breaker_window;
    std::optional<std::chrono::milliseconds> breaker_cooldown;
    /// Workers that start leave it as it is. False: their configuration counts again.
    bool pinned{true};
};
static_assert(!std::is_aggregate_v<limit_change>);

/// Uses the client's connection: one thread at a time, and the client must outlive it. A limit
/// that is not defined is `not_found`; figures out of range are `invalid_argument`; a database that
/// is away throws `failure`.
class limit_control {
   public:
    explicit limit_control(client& connection) noexcept : client_{connection} {}

    /// Defines or changes a limit. From commit on it counts for every claim.
    [[nodiscard]] result<void> set(const limit_change& change);
    /// Takes `n` tokens of the bucket of `key` now, and of the limits above, or none. `n` is 1 to
    /// the least burst of them. With an open circuit whose time has come the caller is the probe:
    /// it must report_requests().
    [[nodiscard]] result<grant> take(std::string_view name, int n = 1, std::string_view key = {});
    /// Reserves `n` tokens and says when they are there; they are the caller's from then on. Not
    /// granted, and nothing reserved, when that is later than `at_most` from now. A large request
    /// has its place in line and is not starved by small ones. Under other limits only tokens that
    /// are there now are granted.
    [[nodiscard]] result<grant> reserve(std::string_view name, int n,
                                        std::chrono::microseconds at_most,
                                        std::string_view key = {});
    /// reserve(), then blocks until the slot has come; asks again where nothing is reserved ahead.
    /// Returns at once when it would come too late or the limit is stopped (not granted).
    [[nodiscard]] result<grant> wait(std::string_view name, int n,
                                     std::chrono::microseconds at_most, std::string_view key = {});
    /// Nothing of this key starts, and no token of it is given, for so long: what a provider's
    /// Retry-After asks for. Never shortens what it is closed for; reset() does. Above 0, at most
    /// 30 days.
    [[nodiscard]] result<void> close(std::string_view name, std::string_view key,
                                     std::chrono::microseconds retry_after,
                                     std::string_view reason = {});
    /// Requests made by others than jobs and how many of them failed, for the circuit breaker.
    [[nodiscard]] result<void> report_requests(std::string_view name, std::string_view key,
                                               int requests, int errors);
    /// Fills the bucket of one key, or all buckets, ends what they are closed for and closes their
    /// circuits. Returns how many buckets were not full.
    [[nodiscard]] result<std::int64_t> reset(std::string_view name,
                                             const std::optional<std::string>& key = {});
    /// From commit on no job of this limit is claimed and no token given, by anybody. Jobs wait in
    /// line, no attempt is burnt; running jobs finish.
    [[nodiscard]] result<void> stop(std::string_view name, std::string_view reason);
    [[nodiscard]] result<void> resume(std::string_view name);
    /// Limits with what is left of them, one row per key in use: the columns of
    /// `queue.limit_status`. With a name: that limit's only.
    [[nodiscard]] result<report> list(const std::optional<std::string>& name = {});

   private:
    client& client_;
};

}  // namespace libqueue
