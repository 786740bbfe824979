#pragma once

#include <libqueue/client.hpp>
#include <libqueue/error.hpp>
#include <libqueue/job.hpp>
#include <libqueue/operations.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

// Events that become jobs of whoever subscribed. docs/topics.md has the patterns and filters. To
// publish in a transaction of your own, say `SELECT queue.publish($1, $2)` in it.

namespace libqueue {

/// What you publish. It has a constructor on purpose; see new_job.
class new_event {
   public:
    /// `topic`: words of A-Z a-z 0-9 _ - with dots between, at most 16 and 255 bytes.
    explicit new_event(std::string topic_, std::string payload_ = "{}")
        : topic{std::move(topic_)}, payload{std::move(payload_)} {}

    std::string topic;
    std::string payload;  ///< JSON text; of each job as it is
    std::optional<std::string> tenant_id;
    std::optional<std::chrono::milliseconds> delay;
    /// JSON object text or empty. Each job also gets `topic` and `event_id` in it.
    std::string meta;
    /// 1 to 480 bytes: each subscription gets one job, however often the event is published.
    std::optional<std::string> idempotency_key;
};
static_assert(!std::is_aggregate_v<new_event>);

/// Who wants which events. Fields left empty take the defaults of the kind when an event comes.
class new_subscription {
   public:
    /// `pattern`: as a topic, and `*` for exactly one word, `#` for any number of words.
    new_subscription(std::string pattern_, std::string kind_)
        : pattern{std::move(pattern_)}, kind{std::move(kind_)} {}

    std::string pattern;
    std::string kind;
    std::optional<std::string> queue;  ///< must exist
    std::optional<int> priority;
    std::optional<int> max_attempts;
    std::optional<std::chrono::milliseconds> delay;
    /// A JSON path condition on the payload: `$.total > 100`. What is not true does not match.
    std::optional<std::string> filter;
    /// A JSON path in the payload: events of one value run one after the other.
    std::optional<std::string> ordering_key_path;
    /// UUID text: only this tenant's events. Nothing: those of all and of none.
    std::optional<std::string> tenant_id;
};
static_assert(!std::is_aggregate_v<new_subscription>);

/// Which subscriptions. Empty fields do not restrict.
class subscription_filter {
   public:
    subscription_filter() = default;
    std::optional<std::string> pattern;  ///< exact
    std::optional<std::string> kind;     ///< exact, or a prefix ending in `*`
    std::optional<std::string> tenant_id;
    std::optional<std::int64_t> after;  ///< ids above this one: the next page
    int limit{1'000};                   ///< 1 to 10000
};

/// Uses the client's connection: one thread at a time, and the client must outlive it. Bad
/// arguments are `invalid_argument` with the argument's name; a database that is away throws
/// `failure`. All may be repeated blindly but `publish` without idempotency key.
class topics {
   public:
    explicit topics(client& connection) noexcept : client_{connection} {}

    /// How many jobs were made; 0: nobody hears it, which unrouted() tells.
    [[nodiscard]] result<int> publish(const new_event& event);

    /// Makes the subscription, or changes the one of that pattern, kind and tenant; returns its id.
    /// To be called with every start of a program.
    [[nodiscard]] result<std::int64_t> subscribe(const new_subscription& wanted);
    /// Jobs made before stay. False: there was none.
    [[nodiscard]] result<bool> unsubscribe(std::int64_t id);
    [[nodiscard]] result<bool> unsubscribe(std::string_view pattern, std::string_view kind,
                                           const std::optional<std::string>& tenant_id = {});

    /// In the order they were made; columns as of the view queue.subscriptions, delay in ms.
    [[nodiscard]] report list(const subscription_filter& filter = {});
    /// Who would hear this event; nothing is enqueued.
    [[nodiscard]] result<report> subscribers(const new_event& event);
    /// Topics nobody heard, the most frequent first: topic, count, first_at, last_at, sample.
    [[nodiscard]] report unrouted(int limit = 100);
    /// Forgets a topic nobody heard, or all. Returns how many rows went.
    [[nodiscard]] result<std::int64_t> forget_unrouted(
        const std::optional<std::string>& topic = {});

   private:
    client& client_;
};

}  // namespace libqueue
