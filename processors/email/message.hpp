#pragma once

#include "processors/email/payload.hpp"
#include "processors/support/run_view.hpp"

#include <libqueue/job.hpp>

#include <string>

namespace libqueue::processors::email {

/// `<id@domain of the sender>`, the same on every attempt of the job.
[[nodiscard]] std::string message_id(const mail_payload& mail, const run_view& run);

/// The whole message with CRLF line ends, not dot-stuffed. Every attempt builds the same bytes:
/// the date is when the job was created. Bcc recipients do not appear.
[[nodiscard]] std::string message_text(const mail_payload& mail, const std::string& message_id,
                                       time_point date);

}  // namespace libqueue::processors::email
