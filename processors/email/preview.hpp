#pragma once

#include "processors/email/payload.hpp"

#include <libqueue/error.hpp>
#include <libqueue/operations.hpp>

namespace libqueue::processors::email {

/// What a stored template makes of variables, as a mail would have it, without a mail. `stored` has
/// one row with the columns locale, version, category, subject, html and plain of mail.template.
/// Returns one row: name, locale (the one found), version, category, subject, html (NULL: none),
/// text. A variable `unsubscribe_url` stands for the link that delivery makes; without it there is
/// none.
/// Error: as fill_in(): invalid_argument naming the part and the variable. Pure, any thread.
[[nodiscard]] result<report> preview(const report& stored, const template_request& with);

}  // namespace libqueue::processors::email
