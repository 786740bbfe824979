#pragma once

#include "processors/email/payload.hpp"

#include <libqueue/error.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace libqueue::processors::email {

/// One version of a template as it is stored (`mail.template_find`).
class mail_template {
   public:
    mail_template() = default;
    std::string locale{"default"};
    std::string subject;
    std::optional<std::string> html;
    std::optional<std::string> plain;  ///< nothing: made from the HTML
};
static_assert(!std::is_aggregate_v<mail_template>);

/// A mail's texts. What a preview shows.
class mail_text {
   public:
    mail_text() = default;
    std::string subject;
    std::optional<std::string> html;
    std::string text;
};
static_assert(!std::is_aggregate_v<mail_text>);

/// Fills a template in. Dates and money are written as the template's language has it, in the
/// region that was asked for: a mail for de-AT made from `de` is Austrian, made from `default` it
/// is as `default` is throughout.
/// Error: invalid_argument naming the part and the variable; never a value. Pure, any thread.
[[nodiscard]] result<mail_text> fill_in(const mail_template& what, const template_request& with);

/// The same, with one more variable, `unsubscribe_url`, which may be empty.
[[nodiscard]] result<mail_text> fill_in(const mail_template& what, const template_request& with,
                                        std::string_view unsubscribe_url);

}  // namespace libqueue::processors::email
