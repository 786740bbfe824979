#pragma once

#include "processors/webhook/settings.hpp"

#include <libqueue/job_context.hpp>
#include <libqueue/statement.hpp>
#include <libqueue/webhook.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace libqueue::processors::webhook {

/// How a message looks. `data` is the same JSON in each, digit for digit.
enum class message_format {
    standard,                ///< {"type", "timestamp", "data"}
    cloudevents_structured,  ///< one JSON object with attributes and data
    cloudevents_binary,      ///< attributes are headers, the body is data
};

/// An endpoint as a delivery needs it.
class endpoint {
   public:
    endpoint() = default;
    /// Of a row of webhooks.read_endpoint. Error: invalid_argument, when the schema is not as this
    /// build knows it.
    [[nodiscard]] static result<endpoint> of_row(std::int64_t id, const rows& row,
                                                 const settings& with);

    /// The wait after so many failed attempts (1, 2, ...), the end when none is left.
    [[nodiscard]] std::optional<std::chrono::milliseconds> wait_after(int failed) const noexcept;
    /// All waits together: how long deliveries are tried.
    [[nodiscard]] std::chrono::milliseconds total_wait() const noexcept;

    std::int64_t id{0};
    bool enabled{false};
    std::string url;
    message_format format{message_format::standard};
    std::optional<std::chrono::milliseconds> timeout;
    std::vector<std::chrono::milliseconds> waits;
    std::vector<libqueue::webhook::key> keys;  ///< all of them sign, the newest first
};
static_assert(!std::is_aggregate_v<endpoint>);

/// Endpoints by id and tenant, asked for once every few seconds and not for every delivery.
/// Thread-safe: workers of one process share it.
class endpoint_cache {
   public:
    explicit endpoint_cache(std::shared_ptr<const settings> with) : with_{std::move(with)} {}

    /// Null when the tenant has no such endpoint. Asks the database when what is known is too old;
    /// while one delivery does, the others of the same endpoint go by what is known. Throws
    /// `failure` as job_context::query does.
    [[nodiscard]] boost::asio::awaitable<std::shared_ptr<const endpoint>> find(job_context& context,
                                                                               std::int64_t id);

   private:
    using key = std::pair<std::int64_t, std::string>;
    class entry {
       public:
        std::shared_ptr<const endpoint> known;
        std::chrono::steady_clock::time_point fresh_until;
    };

    // Shared with the handlers.
    std::shared_ptr<const settings> with_;
    std::mutex mutex_;
    std::map<key, entry> entries_;
};

}  // namespace libqueue::processors::webhook
