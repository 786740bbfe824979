#pragma once

#include "config/config.hpp"

#include <libqueue/worker.hpp>

#include <vector>

namespace workerd {

// The processors that write to people: email and sms.

/// Throw std::invalid_argument with what the processor cannot work with.
[[nodiscard]] std::vector<libqueue::registration> email_kinds(const email_config& given);
[[nodiscard]] std::vector<libqueue::registration> sms_kinds(const sms_config& given);

/// Their schemas, and the limits `email` and `sms` that the configuration does not define itself.
void add_mail_options(const config& value, libqueue::worker_options& into);

}  // namespace workerd
