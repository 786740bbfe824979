#include "processor_kinds.hpp"
#include "processors/webhook/processor.hpp"

#include <utility>

namespace workerd {

namespace webhook = libqueue::processors::webhook;

std::vector<libqueue::registration> webhook_kinds(const config& value) {
    if (!value.processors.webhook)
        return {};
    const webhook_config& given = *value.processors.webhook;
    webhook::options options;
    options.secrets.emplace_back(given.secret);
    if (!given.previous_secret.empty())
        options.secrets.emplace_back(given.previous_secret);
    if (!given.endpoint_key.empty())
        options.endpoint_keys.emplace_back(given.endpoint_key);
    if (!given.previous_endpoint_key.empty())
        options.endpoint_keys.emplace_back(given.previous_endpoint_key);
    options.source = given.source;
    options.endpoint_cache = given.endpoint_cache;
    options.keep_log = std::chrono::duration_cast<std::chrono::hours>(given.log_retention);
    options.timeout = given.timeout;
    options.ca_file = given.ca_file;
    options.allow_private = given.allow_private;
    options.allow_http = given.allow_http;
    return webhook::make_registrations(std::move(options));
}

void add_webhook_options(const config& value, libqueue::worker_options& into) {
    if (value.processors.webhook && !value.processors.webhook->endpoint_key.empty())
        add_migrations(webhook::migrations(), into);
}

}  // namespace workerd
