#include "processor_kinds.hpp"
#include "processors/payment/processor.hpp"

#include <utility>

namespace workerd {
namespace {

namespace payment = libqueue::processors::payment;

payment::provider_kind provider_of(const payment_config& given) {
    return given.provider == "internal" ? payment::provider_kind::internal
                                        : payment::provider_kind::stripe;
}

}  // namespace

std::vector<libqueue::registration> payment_kinds(const config& value) {
    if (!value.processors.payment)
        return {};
    const payment_config& given = *value.processors.payment;
    payment::options options{provider_of(given)};
    options.key = libqueue::processors::secret{given.key};
    options.base_url = given.base_url;
    options.service = given.service;
    options.timeout = given.timeout;
    options.action_timeout = std::chrono::duration_cast<std::chrono::seconds>(given.action_timeout);
    options.most = given.max_amount;
    options.ca_file = given.ca_file;
    options.allow_http = given.allow_http;
    options.limit = payment::default_limit(options.provider).name;
    return payment::make_registrations(std::move(options));
}

void add_payment_options(const config& value, libqueue::worker_options& into) {
    if (!value.processors.payment)
        return;
    add_migrations(payment::migrations(), into);
    add_limit(payment::default_limit(provider_of(*value.processors.payment)), into);
}

}  // namespace workerd
