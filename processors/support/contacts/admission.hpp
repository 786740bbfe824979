#pragma once

#include <libqueue/migrate.hpp>
#include <libqueue/statement.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// Whom the processors that write to people may write to: preferences, quiet hours, limits and
// suppressions, kept in the SQL schema `contacts` for all channels together.

namespace libqueue::processors::contacts {

/// The tables and functions. Processors that send bring them along; twice does no harm.
[[nodiscard]] migration_set migrations();

/// The question before sending.
class admission_request {
   public:
    admission_request(std::int64_t job_id_, std::string channel_,
                      std::vector<std::string> addresses_)
        : job_id{job_id_}, channel{std::move(channel_)}, addresses{std::move(addresses_)} {}

    [[nodiscard]] statement question() const;

    std::int64_t job_id;
    std::optional<std::string> tenant_id;
    std::string channel;  ///< `email`, `sms`
    /// What may be switched off: 1 to 64 of a-z 0-9 _ . -; `critical` is sent in any case.
    std::string category{"transactional"};
    std::vector<std::string> addresses;
    int hourly{0};  ///< how many a contact gets within an hour; 0: any number
};
static_assert(!std::is_aggregate_v<admission_request>);

/// The answer, by position of the address.
class admission {
   public:
    admission() = default;
    /// Of the rows that `question()` was answered with.
    explicit admission(const rows& answer);

    std::vector<std::size_t> allowed;
    /// Never: `suppressed`, `off` or `daily_limit`.
    std::vector<std::pair<std::size_t, std::string>> refused;
    /// Not before: the job should be snoozed for so long, whatever else is said.
    std::optional<std::chrono::milliseconds> wait;
    std::string wait_reason;  ///< `quiet` or `rate`
    /// For the unsubscribe links.
    std::vector<std::string> tokens;
};
static_assert(!std::is_aggregate_v<admission>);

/// For the transaction that ends the run: nothing was sent, so it counts for no limit.
[[nodiscard]] statement release(std::int64_t job_id);
/// For the same: this address is not written to again. `reason` is `bounce` or `stop`; `detail` a
/// code without content.
[[nodiscard]] statement suppress(const std::optional<std::string>& tenant_id,
                                 std::string_view channel, std::string_view address,
                                 std::string_view reason, std::string_view detail);

}  // namespace libqueue::processors::contacts
