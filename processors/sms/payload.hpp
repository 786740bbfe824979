#pragma once

#include "processors/sms/options.hpp"

#include <libqueue/error.hpp>

#include <string>
#include <string_view>
#include <type_traits>

namespace libqueue::processors::sms {

/// What `sms.send` is told:
///   {"to": "+436601234567", "text": "...", "from": "+43...", "category": "marketing"}
/// Required: `to`, in E.164 (+ and 7 to 15 digits), and `text`.
class sms_payload {
   public:
    sms_payload() = default;
    /// Error: invalid_argument with every fault; never with content.
    [[nodiscard]] static result<sms_payload> parse(std::string_view json, const options& given);

    std::string to;
    std::string from;  ///< the options' when the payload names none
    std::string text;
    std::string category{"transactional"};
    int segments{1};  ///< of the text; a mark may add to it
};
static_assert(!std::is_aggregate_v<sms_payload>);

/// A number, a short code, a name or a service's id.
[[nodiscard]] bool is_sender(std::string_view text);
/// `+43***67`: what logs and outputs may show of a number.
[[nodiscard]] std::string masked_number(std::string_view number);

}  // namespace libqueue::processors::sms
