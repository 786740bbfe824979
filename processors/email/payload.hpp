#pragma once

#include "processors/email/address_list.hpp"

#include <libqueue/error.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace libqueue::processors::email {

/// What `email.send` is told:
///   {"to": "a@b.c" or ["a@b.c", "Name <d@e.f>"], "cc": ..., "bcc": ..., "from": "...",
///    "reply_to": "...", "subject": "...", "text": "...", "html": "...",
///    "headers": {"List-Unsubscribe": "<https://...>"}}
/// Required: at least one recipient, subject, and text or html.
class mail_payload {
   public:
    mail_payload() = default;
    /// Error: invalid_argument with every fault; never with content.
    [[nodiscard]] static result<mail_payload> parse(std::string_view json,
                                                    std::string_view default_from);

    [[nodiscard]] std::vector<std::string> recipients() const;

    std::vector<mailbox> to;
    std::vector<mailbox> cc;
    std::vector<mailbox> bcc;
    std::optional<mailbox> from;  ///< always there after parse
    std::optional<mailbox> reply_to;
    std::string subject;
    std::optional<std::string> text;
    std::optional<std::string> html;
    std::vector<std::pair<std::string, std::string>> headers;
};
static_assert(!std::is_aggregate_v<mail_payload>);

}  // namespace libqueue::processors::email
