#pragma once

#include "config/config.hpp"
#include "processors/email/options.hpp"
#include "processors/sms/options.hpp"

#include <optional>

namespace workerd {

// What the sections `processors.email` and `processors.sms` say; nothing without them.
[[nodiscard]] std::optional<libqueue::processors::email::options> email_options(
    const config& value);
[[nodiscard]] std::optional<libqueue::processors::sms::options> sms_options(const config& value);

}  // namespace workerd
