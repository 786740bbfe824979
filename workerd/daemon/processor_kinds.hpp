#pragma once

#include "config/config.hpp"

#include <libqueue/worker.hpp>

#include <vector>

namespace workerd {

// What each section of `processors` stands for. All of it is nothing when the configuration has no
// such section.

/// Kinds with their handlers. Throw std::invalid_argument with what the processor cannot work with.
[[nodiscard]] std::vector<libqueue::registration> analytics_kinds(const config& value);
[[nodiscard]] std::vector<libqueue::registration> debug_kinds(const config& value);
[[nodiscard]] std::vector<libqueue::registration> email_kinds(const config& value);
[[nodiscard]] std::vector<libqueue::registration> mint_kinds(const config& value);
[[nodiscard]] std::vector<libqueue::registration> payment_kinds(const config& value);
[[nodiscard]] std::vector<libqueue::registration> sms_kinds(const config& value);
[[nodiscard]] std::vector<libqueue::registration> webhook_kinds(const config& value);

/// Their tables, and the limits that the configuration does not define itself.
void add_analytics_options(const config& value, libqueue::worker_options& into);
void add_email_options(const config& value, libqueue::worker_options& into);
void add_mint_options(const config& value, libqueue::worker_options& into);
void add_payment_options(const config& value, libqueue::worker_options& into);
void add_sms_options(const config& value, libqueue::worker_options& into);
void add_webhook_options(const config& value, libqueue::worker_options& into);

/// What several processors share is added once; the configuration's own limits go first.
void add_migrations(libqueue::migration_set set, libqueue::worker_options& into);
void add_limit(libqueue::limit_options limit, libqueue::worker_options& into);

}  // namespace workerd
