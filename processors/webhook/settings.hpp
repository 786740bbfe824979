#pragma once

#include "processors/support/http_request.hpp"
#include "processors/webhook/options.hpp"
#include "processors/webhook/url_check.hpp"

#include <libqueue/job.hpp>
#include <libqueue/webhook.hpp>

#include <span>
#include <string>
#include <vector>

namespace libqueue::processors::webhook {

/// Options as the handlers use them: keys decoded once, at start. Immutable; any thread.
class settings {
   public:
    /// Throws std::invalid_argument naming the fault.
    explicit settings(options given);

    [[nodiscard]] url_rules rules() const noexcept {
        return {given.allow_http, given.allow_private};
    }
    /// A request as all deliveries make it, signed with a timestamp of now: fresh on every attempt,
    /// so that a retry hours later is still within the receiver's tolerance.
    [[nodiscard]] http_request signed_request(const std::string& url, std::string body,
                                              std::string_view id,
                                              std::span<const libqueue::webhook::key> with) const;

    options given;
    std::vector<libqueue::webhook::key> keys;
    std::vector<libqueue::webhook::master_key> masters;
};

/// ISO 8601 in UTC with milliseconds.
[[nodiscard]] std::string utc_text(time_point when);

}  // namespace libqueue::processors::webhook
