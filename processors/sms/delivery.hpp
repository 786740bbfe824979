#pragma once

#include "processors/sms/options.hpp"
#include "processors/sms/payload.hpp"
#include "processors/support/http_request.hpp"
#include "processors/support/run_view.hpp"

#include <libqueue/outcome.hpp>

#include <optional>
#include <string>
#include <string_view>

// The requests to the provider and what its answers mean. Pure.
// API: POST and GET /2010-04-01/Accounts/{account}/Messages.json, basic authentication, errors as
// {"code": 21211, "message": ..., "status": 400}.

namespace libqueue::processors::sms {

/// Throws std::invalid_argument naming every fault.
[[nodiscard]] options checked(options given);

/// The text as it is sent: under `look_up` with a mark of 10 characters at its end, by which the
/// provider's list tells this job's message from every other.
[[nodiscard]] std::string sent_text(const options& given, const sms_payload& payload,
                                    const run_view& run);
[[nodiscard]] http_request send_request(const options& given, const sms_payload& payload,
                                        const std::string& text);
/// Asks for what was sent to the number since the day before the job was created.
[[nodiscard]] http_request list_request(const options& given, const sms_payload& payload,
                                        const run_view& run);

/// Whether the provider has the message now.
enum class sms_fate { taken, not_taken, doubtful };

class sms_report {
   public:
    explicit sms_report(outcome said_) : said{std::move(said_)} {}
    outcome said;
    sms_fate fate{sms_fate::not_taken};
    std::string suppress;  ///< `bounce` or `stop`: never write to that number again; empty: no
    std::string detail;    ///< the provider's code
};

/// What an answer to `send_request` means. 2xx taken; 429 and 503 not taken and to be repeated; 4xx
/// not taken and final; every other 5xx, and a request that left and was not answered, doubtful.
[[nodiscard]] sms_report report_of(const http_response& response, const sms_payload& payload,
                                   libqueue::stop_reason reason,
                                   std::chrono::system_clock::time_point now);

/// In an answer to `list_request`: the output of the job whose message has this text. Empty: it is
/// not among them. An answer that is no list: an error.
[[nodiscard]] result<std::optional<std::string>> find_in_list(const http_response& response,
                                                              const sms_payload& payload,
                                                              std::string_view text);

}  // namespace libqueue::processors::sms
