#include "processors/webhook/settings.hpp"

#include "processors/support/text_rules.hpp"

#include <array>
#include <cstdio>
#include <stdexcept>
#include <utility>

namespace libqueue::processors::webhook {

namespace {

[[noreturn]] void refuse(const error& why) {
    throw std::invalid_argument{why.message + (why.hint.empty() ? "" : " (" + why.hint + ")")};
}

}  // namespace

std::string utc_text(time_point when) {
    const auto day = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::milliseconds>(when - day)};
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                  static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                  static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()),
                  static_cast<int>(time.subseconds().count()));
    return text.data();
}

settings::settings(options given_) : given{std::move(given_)} {
    if (given.secrets.empty() || given.secrets.size() > 2) {
        throw std::invalid_argument{"webhook: expected one or two secrets, got " +
                                    std::to_string(given.secrets.size())};
    }
    if (given.endpoint_keys.size() > 2) {
        throw std::invalid_argument{"webhook: expected at most two master keys, got " +
                                    std::to_string(given.endpoint_keys.size())};
    }
    if (given.timeout <= std::chrono::milliseconds{0}) {
        throw std::invalid_argument{"webhook: expected a timeout above zero"};
    }
    if (given.source.empty() || given.source.size() > 256 || !is_ascii(given.source) ||
        has_control_characters(given.source) ||
        given.source.find_first_of(" \t\"%") != std::string::npos) {
        throw std::invalid_argument{
            "webhook: expected as source a URI reference of at most 256 characters"};
    }
    for (const auto& text : given.secrets) {
        auto key = libqueue::webhook::key::parse(text.reveal());
        if (!key) {
            refuse(key.error());
        }
        if (!key->signs()) {
            throw std::invalid_argument{"webhook: expected a key that signs, got a public one"};
        }
        keys.push_back(std::move(*key));
    }
    for (const auto& text : given.endpoint_keys) {
        auto master = libqueue::webhook::master_key::parse(text.reveal());
        if (!master) {
            refuse(master.error());
        }
        masters.push_back(std::move(*master));
    }
}

http_request settings::signed_request(const std::string& url, std::string body, std::string_view id,
                                      std::span<const libqueue::webhook::key> with) const {
    http_request request{url, std::move(body)};
    request.ca_file = given.ca_file;
    request.allow_http = given.allow_http;
    request.addresses = given.allow_private ? address_policy::any : address_policy::public_only;
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    request.set("webhook-id", id);
    request.set("webhook-timestamp", std::to_string(now.time_since_epoch().count()));
    request.set("webhook-signature",
                libqueue::webhook::signature_header(with, id, now, request.body));
    request.set("expect", "");  // no 100-continue: it costs a round trip or a second
    return request;
}

}  // namespace libqueue::processors::webhook
