#pragma once

#include <libqueue/client.hpp>
#include <libqueue/error.hpp>
#include <libqueue/operations.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

// Alerts: what rules found wrong until it is right again (docs/alerts.md). workerd evaluates the
// rules and tells the channels; whoever has a database can look and acknowledge.

namespace libqueue {

/// Which alerts. Empty fields do not restrict.
class alert_filter {
   public:
    alert_filter() = default;
    bool only_open{true};  ///< those that go on
    std::optional<std::string> rule;
    std::optional<std::string> severity;  ///< critical, warning or info
    std::optional<std::int64_t> before;   ///< go on below this id
    int limit{50};                        ///< 1 to 10000
};
static_assert(!std::is_aggregate_v<alert_filter>);

/// Who is told that an alert is over.
class alert_ends {
   public:
    alert_ends() = default;
    /// Of those that were told that it fires; empty: nobody is.
    std::vector<std::string> channels;
    /// How long it must have been over. One that comes again earlier is the same to the channels;
    /// one that comes again later is news, whatever its cool-down.
    std::chrono::milliseconds after{300'000};
};
static_assert(!std::is_aggregate_v<alert_ends>);

/// Uses the client's connection: one thread at a time, and the client must outlive it. A database
/// that is away throws `failure`.
class alerts {
   public:
    explicit alerts(client& connection) noexcept : client_{connection} {}

    /// Newest first: columns id, rule, subject, severity, state (firing, acknowledged, resolved),
    /// summary, value, threshold, raised_at, seen_at, resolved_at, acknowledged_at,
    /// acknowledged_by, note, notified_at, notices, pending. `next` when there may be more.
    [[nodiscard]] report list(const alert_filter& filter = {});
    /// Somebody takes care of it: while it goes on nobody is told any more. The alert as it is
    /// then. `not_found`; `conflict` when it is over.
    [[nodiscard]] result<report> acknowledge(std::int64_t id, std::string_view by_whom,
                                             std::optional<std::string> note = std::nullopt);

    /// For who evaluates the rules: all that is wrong now, as a JSON array of {rule, subject,
    /// severity, summary, value, threshold, channels, cool_down}. Raises, goes on with and ends
    /// alerts. Columns raised, resolved.
    [[nodiscard]] report update(const std::string& firing, const alert_ends& ends = {});
    /// Who is still to be told of what: columns id, rule, subject, severity, summary, value,
    /// threshold, raised_at, channel, notices (how many times it was to be told that it fires),
    /// resolved_at (empty: it fires; else the channel is to be told that it is over).
    [[nodiscard]] report untold();
    /// What came of telling one; `is_end`: that it is over.
    void note_told(std::int64_t id, std::string_view channel, bool told, bool is_end = false);

   private:
    client& client_;
};

}  // namespace libqueue
