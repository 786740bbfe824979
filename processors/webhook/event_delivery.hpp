#pragma once

#include "processors/webhook/endpoint.hpp"
#include "processors/webhook/event.hpp"

#include <libqueue/outcome.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace libqueue::processors::webhook {

/// One attempt at an endpoint: what becomes of the job, of the endpoint, and what the log says.
class attempt_end {
   public:
    attempt_end(outcome said_, std::string word_)
        : said{std::move(said_)}, word{std::move(word_)} {}

    outcome said;
    std::string word;  ///< delivered, failed, throttled, refused, gone, skipped; empty: no row
    std::optional<std::chrono::milliseconds> next;  ///< until the next attempt
    /// Disable the endpoint for this reason; `unless_delivered`: only if nothing was delivered to
    /// it since the job was created.
    std::string give_up;
    bool unless_delivered{false};
};

/// What an answer, or the lack of one, means. Pure; `random01` in [0, 1) spreads the waits by a
/// tenth either way.
///   2xx delivered · 410 gone: discard, and the endpoint is disabled · 429 throttled: snooze while
///   the job is younger than a day, so that no attempt is used up · a forbidden address or URL:
///   discard, and the endpoint is disabled · everything else failed: retry after the endpoint's
///   next wait, or what Retry-After of 429, 502, 503 and 504 says if that is longer. The attempt
///   after the last wait, and one of a job that is older than all waits together (and an hour),
///   disables an endpoint to which nothing was delivered in that time.
[[nodiscard]] attempt_end end_of(const endpoint& to, const http_response& response,
                                 const run_view& run, std::chrono::system_clock::time_point now,
                                 double random01);

/// The first `most` bytes of an answer as the log may keep them: valid UTF-8 without control
/// characters, mail addresses masked, and runs of 20 or more letters and digits that could be a
/// token replaced by `[...]`.
[[nodiscard]] std::string excerpt_of(std::string_view body, std::size_t most = 1'024);

/// One delivery, apart from the engine; the outcome has the log's row as a statement.
[[nodiscard]] boost::asio::awaitable<outcome> deliver_event(std::shared_ptr<const settings> with,
                                                            std::shared_ptr<const endpoint> to,
                                                            event_payload event, run_view run);

}  // namespace libqueue::processors::webhook
