#pragma once

#include "processors/analytics/options.hpp"

#include <libqueue/error.hpp>
#include <libqueue/job.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace libqueue::processors::analytics {

/// In the order of the codes in analytics.event_type, from 1.
enum class event_type : std::uint8_t { purchase = 1, scan, page_view, cart_update, venue_update };

/// One event as it is stored. A plain customer id is nowhere in it.
class event {
   public:
    event() = default;

    event_type type{event_type::purchase};
    std::string key;         ///< analytics.event_key: 32 hexadecimal digits
    std::int64_t at{0};      ///< microseconds since 1970 UTC
    std::int64_t amount{0};  ///< minor units of `currency`
    int quantity{1};
    std::string customer;  ///< `pseudonym_of`, or empty
    std::string venue;
    std::string channel;
    std::string currency;   ///< three capitals, or empty
    std::string reference;  ///< order, ticket, cart or page, or empty
};

/// The events of a job of `analytics.event` (the payload is the event) or `analytics.batch`
/// (`{"events": [...]}`, 1 to 10,000 of them):
///
///   {"type": "ticket-purchase", "id": "evt_1", "at": "2026-11-21T10:00:00Z", "customer": "c42",
///    "venue": "v7", "channel": "email", "amount": 4500, "currency": "EUR", "quantity": 2,
///    "order": "o77"}
///
/// `type` is required; `amount` and `currency` of a purchase, and of a cart update both or none;
/// `venue` of a scan and a venue update. `at` is RFC 3339 or milliseconds since 1970, by default
/// when the job was enqueued. Without an `id` the event is known by its job and place in it.
/// `reference` is the member `order`, `ticket`, `page` (up to its `?` or `#`, which may name
/// people) or `cart`. Other members are ignored.
///
/// Error: invalid_argument with what was expected, what came and where, of up to 20 faults; never
/// with content. One fault refuses the whole job.
[[nodiscard]] result<std::vector<event>> parse_events(const job& from, const secret& customer_key);

/// The first 128 bits of HMAC-SHA256 over tenant, line feed, id, as 32 hexadecimal digits (RFC 2104
/// section 5 allows to cut to half the hash): the same person has another one with each tenant.
[[nodiscard]] std::string pseudonym_of(std::string_view customer, std::string_view tenant,
                                       const secret& key);

/// The tenant of the job, or the one that stands for none.
[[nodiscard]] std::string tenant_of(const job& from);

}  // namespace libqueue::processors::analytics
