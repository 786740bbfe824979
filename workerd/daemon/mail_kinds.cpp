#include "mail_options.hpp"
#include "processor_kinds.hpp"
#include "processors/email/processor.hpp"
#include "processors/sms/processor.hpp"

#include <algorithm>
#include <utility>

namespace workerd {

namespace {

namespace email = libqueue::processors::email;
namespace sms = libqueue::processors::sms;
using libqueue::registration;

constexpr const char* email_limit = "email";
constexpr const char* sms_limit = "sms";

email::tls_mode tls_of(const std::string& text) {
    if (text == "none")
        return email::tls_mode::none;
    return text == "tls" ? email::tls_mode::tls : email::tls_mode::starttls;
}

void put_under(std::vector<registration>& kinds, const char* limit, int per_minute) {
    for (auto& kind : kinds) {
        if (per_minute > 0)
            kind.options.limit = limit;
    }
}

// A bucket that lets no more than so many through in any minute: a tenth at once, the rest evenly.
void limit_minute(const char* name, int per_minute, libqueue::worker_options& into) {
    if (per_minute <= 0)
        return;
    libqueue::limit_options limit{name};
    limit.burst = std::max(1, per_minute / 10);
    limit.rate = std::max(per_minute - limit.burst, 1) / 60.0;
    add_limit(std::move(limit), into);
}

void add_sets(std::vector<libqueue::migration_set> sets, libqueue::worker_options& into) {
    for (auto& set : sets)
        add_migrations(std::move(set), into);
}

}  // namespace

std::optional<email::options> email_options(const config& value) {
    if (!value.processors.email)
        return std::nullopt;
    const email_config& given = *value.processors.email;
    email::options options{given.host};
    options.port = given.port;
    options.tls = tls_of(given.tls);
    options.username = given.username;
    options.password = libqueue::processors::secret{given.password};
    options.bearer_file = given.bearer_file;
    options.from = given.from;
    options.helo_name = given.helo_name;
    options.on_unknown =
        given.on_unknown == "park" ? email::unknown_policy::park : email::unknown_policy::retry;
    options.ca_file = given.ca_file;
    options.timeout = given.timeout;
    options.stores = given.stores;
    options.hourly_per_recipient = given.hourly_per_recipient;
    options.unsubscribe_url = given.unsubscribe_url;
    return options;
}

std::optional<sms::options> sms_options(const config& value) {
    if (!value.processors.sms)
        return std::nullopt;
    const sms_config& given = *value.processors.sms;
    sms::options options{given.account, libqueue::processors::secret{given.token}};
    options.url = given.url;
    options.user = given.user;
    options.from = given.from;
    options.on_unknown =
        given.on_unknown == "look_up" ? sms::unknown_policy::look_up : sms::unknown_policy::park;
    options.settle = given.settle;
    options.timeout = given.timeout;
    options.most_segments = given.most_segments;
    options.hourly_per_recipient = given.hourly_per_recipient;
    options.stores = given.stores;
    options.ca_file = given.ca_file;
    options.allow_private = given.allow_private;
    options.allow_http = given.allow_http;
    return options;
}

std::vector<registration> email_kinds(const config& value) {
    auto options = email_options(value);
    if (!options)
        return {};
    auto kinds = email::make_registrations(std::move(*options));
    put_under(kinds, email_limit, value.processors.email->per_minute);
    return kinds;
}

std::vector<registration> sms_kinds(const config& value) {
    auto options = sms_options(value);
    if (!options)
        return {};
    auto kinds = sms::make_registrations(std::move(*options));
    put_under(kinds, sms_limit, value.processors.sms->per_minute);
    return kinds;
}

void add_email_options(const config& value, libqueue::worker_options& into) {
    if (const auto& given = value.processors.email) {
        limit_minute(email_limit, given->per_minute, into);
        if (given->stores)
            add_sets(email::migration_sets(), into);
    }
}

void add_sms_options(const config& value, libqueue::worker_options& into) {
    if (const auto& given = value.processors.sms) {
        limit_minute(sms_limit, given->per_minute, into);
        if (given->stores)
            add_sets(sms::migration_sets(), into);
    }
}

}  // namespace workerd
