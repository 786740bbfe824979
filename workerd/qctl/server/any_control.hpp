#pragma once

#include <libqueue/batches.hpp>
#include <libqueue/limits.hpp>
#include <libqueue/schedules.hpp>
#include <libqueue/topics.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Of the database or of a server; see any_jobs.hpp.

namespace qctl {

class context;

/// `libqueue::schedules`. A server knows the tenant from the token: another one is refused.
class any_schedules {
   public:
    explicit any_schedules(context& with) noexcept : with_{with} {}

    using tenant = std::optional<std::string>;
    [[nodiscard]] libqueue::result<std::int64_t> set(const libqueue::new_schedule& wanted);
    [[nodiscard]] libqueue::result<bool> remove(std::string_view name, const tenant& of);
    [[nodiscard]] libqueue::result<void> pause(std::string_view name, const tenant& of);
    [[nodiscard]] libqueue::result<void> resume(std::string_view name, const tenant& of);
    [[nodiscard]] libqueue::result<libqueue::job_id> run_now(std::string_view name,
                                                             const tenant& of);
    [[nodiscard]] libqueue::result<std::vector<libqueue::time_point>> next(std::string_view name,
                                                                           int n, const tenant& of);
    /// A server tells a hundred times at most.
    [[nodiscard]] libqueue::result<std::vector<libqueue::time_point>> preview(
        std::string_view cron, std::string_view timezone, int n);
    [[nodiscard]] libqueue::report list(const libqueue::schedule_filter& filter);
    [[nodiscard]] libqueue::result<libqueue::report> show(std::string_view name, const tenant& of);
    [[nodiscard]] libqueue::report runs(std::string_view name, int limit, const tenant& of);

   private:
    context& with_;
};

/// `libqueue::batches`.
class any_batches {
   public:
    explicit any_batches(context& with) noexcept : with_{with} {}

    [[nodiscard]] libqueue::result<std::int64_t> create(const libqueue::new_batch& wanted);
    [[nodiscard]] libqueue::result<void> seal(std::int64_t batch);
    [[nodiscard]] libqueue::result<libqueue::batch_cancelled> cancel(
        std::int64_t batch, const std::optional<std::string>& reason);
    [[nodiscard]] libqueue::result<libqueue::batch_counts> counts(std::int64_t batch);
    [[nodiscard]] libqueue::report list(const libqueue::batch_filter& filter);
    [[nodiscard]] libqueue::result<libqueue::report> show(std::int64_t batch);
    [[nodiscard]] libqueue::result<libqueue::report> items(
        std::int64_t batch, const libqueue::batch_item_filter& filter);

   private:
    context& with_;
};

/// `libqueue::topics`.
class any_topics {
   public:
    explicit any_topics(context& with) noexcept : with_{with} {}

    [[nodiscard]] libqueue::result<int> publish(const libqueue::new_event& event);
    [[nodiscard]] libqueue::result<std::int64_t> subscribe(
        const libqueue::new_subscription& wanted);
    [[nodiscard]] libqueue::result<bool> unsubscribe(std::string_view pattern,
                                                     std::string_view kind,
                                                     const std::optional<std::string>& tenant_id);
    [[nodiscard]] libqueue::report list(const libqueue::subscription_filter& filter);
    [[nodiscard]] libqueue::result<libqueue::report> subscribers(const libqueue::new_event& event);
    [[nodiscard]] libqueue::report unrouted(int limit);
    [[nodiscard]] libqueue::result<std::int64_t> forget_unrouted(
        const std::optional<std::string>& topic);

   private:
    context& with_;
};

/// `libqueue::limit_control`.
class any_limits {
   public:
    explicit any_limits(context& with) noexcept : with_{with} {}

    [[nodiscard]] libqueue::result<void> set(const libqueue::limit_change& change);
    [[nodiscard]] libqueue::result<void> close(std::string_view name, std::string_view key,
                                               std::chrono::microseconds retry_after,
                                               std::string_view reason);
    [[nodiscard]] libqueue::result<std::int64_t> reset(std::string_view name,
                                                       const std::optional<std::string>& key);
    [[nodiscard]] libqueue::result<void> stop(std::string_view name, std::string_view reason);
    [[nodiscard]] libqueue::result<void> resume(std::string_view name);
    [[nodiscard]] libqueue::result<libqueue::report> list(const std::optional<std::string>& name);

   private:
    context& with_;
};

}  // namespace qctl
