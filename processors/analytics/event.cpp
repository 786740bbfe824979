#include "processors/analytics/event.hpp"

#include "processors/analytics/event_time.hpp"
#include "processors/support/crypto.hpp"
#include "processors/support/text_rules.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>
#include <utility>

namespace libqueue::processors::analytics {

namespace {

namespace json = boost::json;

constexpr std::size_t most_events = 10'000;
constexpr int most_faults = 20;
constexpr std::int64_t most_amount = 9'007'199'254'740'991;  // what JSON carries everywhere
constexpr std::int64_t most_quantity = 1'000'000;
constexpr std::int64_t last_millisecond = 253'402'300'799'999;  // of the year 9999
constexpr std::size_t longest_customer = 256;
constexpr std::size_t longest_text = 128;
constexpr std::size_t longest_page = 1024;

constexpr std::array<std::pair<std::string_view, event_type>, 5> types{
    {{"ticket-purchase", event_type::purchase},
     {"ticket-scan", event_type::scan},
     {"page-view", event_type::page_view},
     {"cart-update", event_type::cart_update},
     {"venue-update", event_type::venue_update}}};

std::string_view kind_of(const json::value* value) {
    if (value == nullptr || value->is_null()) {
        return "nothing";
    }
    switch (value->kind()) {
        case json::kind::bool_:
            return "a boolean";
        case json::kind::string:
            return "a string";
        case json::kind::array:
            return "an array";
        case json::kind::object:
            return "an object";
        case json::kind::double_:
            return "a fraction or a number too large";
        default:
            return "a number";
    }
}

std::string hex_of(std::string_view bytes) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        text += digits[value >> 4U];
        text += digits[value & 15U];
    }
    return text;
}

/// Reads the events of one job and gathers what is wrong with them.
class reader {
   public:
    reader(const job& from, const secret& key) : from_{from}, key_{key}, tenant_{tenant_of(from)} {}

    void read(const json::object& members, event& into, std::size_t number) {
        members_ = &members;
        number_ = number;
        read_type(into);
        read_identity(into);
        read_what(into);
        into.venue = text("venue", longest_text);
        into.channel = text("channel", 32);
        if (!into.channel.empty() &&
            into.channel.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") !=
                std::string::npos) {
            fault("channel", "1 to 32 of a-z 0-9 _ -", "something else");
        }
        if ((into.type == event_type::scan || into.type == event_type::venue_update) &&
            into.venue.empty()) {
            fault("venue", "a string, which this type needs", "nothing");
        }
    }

    void in_array(bool is) noexcept { in_array_ = is; }

    void fault(std::string_view member, std::string_view expected, std::string_view got) {
        if (++fault_count_ > most_faults) {
            return;
        }
        if (!faults_.empty()) {
            faults_ += "; ";
        }
        faults_ += "payload";
        if (in_array_) {
            faults_ += ".events[" + std::to_string(number_) + "]";
        }
        if (!member.empty()) {
            faults_ += '.';
            faults_ += member;
        }
        faults_ += ": expected ";
        faults_ += expected;
        faults_ += ", got ";
        faults_ += got;
    }
    void at(std::size_t number) noexcept { number_ = number; }

    [[nodiscard]] bool ok() const noexcept { return fault_count_ == 0; }
    [[nodiscard]] std::string faults() const {
        return fault_count_ <= most_faults
                   ? faults_
                   : faults_ + "; and " + std::to_string(fault_count_ - most_faults) + " more";
    }

   private:
    [[nodiscard]] const json::value* find(std::string_view name) const {
        const json::value* const found = members_->if_contains(name);
        return found == nullptr || found->is_null() ? nullptr : found;
    }

    std::string text(std::string_view name, std::size_t longest) {
        const json::value* const found = find(name);
        if (found == nullptr) {
            return {};
        }
        const json::string* const value = found->if_string();
        if (value == nullptr) {
            fault(name, "a string", kind_of(found));
            return {};
        }
        const std::string_view view{value->data(), value->size()};
        if (view.empty() || view.size() > longest || has_control_characters(view)) {
            fault(name, "1 to " + std::to_string(longest) + " bytes without control characters",
                  view.empty() ? "none" : std::to_string(view.size()) + " bytes");
            return {};
        }
        return std::string{view};
    }

    std::optional<std::int64_t> integer(std::string_view name, std::int64_t least,
                                        std::int64_t most) {
        const json::value* const found = find(name);
        if (found == nullptr) {
            return std::nullopt;
        }
        const std::int64_t* const value = found->if_int64();
        if (value == nullptr || *value < least || *value > most) {
            fault(name, "an integer from " + std::to_string(least) + " to " + std::to_string(most),
                  value == nullptr ? kind_of(found) : "one outside");
            return std::nullopt;
        }
        return *value;
    }

    void read_type(event& into) {
        const json::value* const found = find("type");
        if (found != nullptr && found->is_string()) {
            const json::string& name = found->get_string();
            for (const auto& [known, type] : types) {
                if (std::string_view{name.data(), name.size()} == known) {
                    into.type = type;
                    return;
                }
            }
        }
        // A type that asks for nothing more, so that one mistake is one fault.
        into.type = event_type::page_view;
        fault("type", "one of ticket-purchase, ticket-scan, page-view, cart-update, venue-update",
              found != nullptr && found->is_string() ? "another string" : kind_of(found));
    }

    void read_identity(event& into) {
        const auto id = text("id", longest_text);
        // An explicit id has no line feed, so it never meets the one of a job.
        into.key = sha256_hex(tenant_ + '\n' +
                              (id.empty() ? "\njob:" + std::to_string(from_.id) + ':' +
                                                std::to_string(number_)
                                          : id))
                       .substr(0, 32);
        into.at = from_.created_at.time_since_epoch().count();
        if (const json::value* const found = find("at"); found != nullptr) {
            if (found->is_string()) {
                const json::string& when = found->get_string();
                const auto parsed = parse_time(std::string_view{when.data(), when.size()});
                if (parsed) {
                    into.at = *parsed;
                } else {
                    fault("at", "an RFC 3339 time from 1970 on", "another string");
                }
            } else if (const auto milliseconds = integer("at", 0, last_millisecond)) {
                into.at = *milliseconds * 1000;
            }
        }
        const auto customer = text("customer", longest_customer);
        if (!customer.empty()) {
            into.customer = pseudonym(customer);
        }
    }

    void read_what(event& into) {
        into.quantity = static_cast<int>(integer("quantity", 1, most_quantity).value_or(1));
        const auto amount = integer("amount", 0, most_amount);
        into.currency = text("currency", 3);
        if (!into.currency.empty() &&
            (into.currency.size() != 3 ||
             into.currency.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string::npos)) {
            fault("currency", "three capital letters (ISO 4217)", "another string");
        }
        into.amount = amount.value_or(0);
        switch (into.type) {
            case event_type::purchase:
                if (find("amount") == nullptr) {
                    fault("amount", "an integer in minor units", "nothing");
                }
                into.reference = text("order", longest_text);
                break;
            case event_type::scan:
                into.reference = text("ticket", longest_text);
                break;
            case event_type::page_view:
                into.reference = text("page", longest_page);
                into.reference.resize(
                    std::min(into.reference.find_first_of("?#"), into.reference.size()));
                break;
            case event_type::cart_update:
                into.reference = text("cart", longest_text);
                break;
            case event_type::venue_update:
                break;
        }
        const bool has_currency = find("currency") != nullptr;
        if (has_currency != (find("amount") != nullptr)) {
            fault(has_currency ? "amount" : "currency", "it beside the other of amount, currency",
                  "nothing");
        }
    }

    std::string pseudonym(const std::string& customer) {
        auto& known = pseudonyms_[customer];
        if (known.empty()) {
            known = pseudonym_of(customer, tenant_, key_);
        }
        return known;
    }

    const job& from_;
    const secret& key_;
    std::string tenant_;
    const json::object* members_{nullptr};
    std::size_t number_{0};
    bool in_array_{false};
    int fault_count_{0};
    std::string faults_;
    std::unordered_map<std::string, std::string> pseudonyms_;
};

}  // namespace

std::string tenant_of(const job& from) {
    return from.tenant_id.value_or("00000000-0000-0000-0000-000000000000");
}

std::string pseudonym_of(std::string_view customer, std::string_view tenant, const secret& key) {
    std::string text{tenant};
    text += '\n';
    text += customer;
    return hex_of(std::string_view{hmac_sha256(key.reveal(), text)}.substr(0, 16));
}

result<std::vector<event>> parse_events(const job& from, const secret& customer_key) {
    json::monotonic_resource memory;
    json::error_code wrong;
    const json::value payload = json::parse(from.payload, wrong, &memory);
    reader events{from, customer_key};
    std::vector<event> read;
    const json::object* const members = wrong ? nullptr : payload.if_object();
    if (members == nullptr) {
        events.fault("", "a JSON object", wrong ? "something else" : kind_of(&payload));
    } else if (from.kind == "analytics.batch") {
        const json::value* const list = members->if_contains("events");
        const json::array* const array = list == nullptr ? nullptr : list->if_array();
        if (array == nullptr || array->empty() || array->size() > most_events) {
            events.fault(
                "events", "an array of 1 to 10000 events",
                array == nullptr ? std::string{kind_of(list)} : std::to_string(array->size()));
        } else {
            events.in_array(true);
            read.resize(array->size());
            for (std::size_t at = 0; at < array->size(); ++at) {
                events.at(at);
                if (const json::object* const one = (*array)[at].if_object(); one != nullptr) {
                    events.read(*one, read[at], at);
                } else {
                    events.fault("", "an object", kind_of(&(*array)[at]));
                }
            }
        }
    } else {
        read.resize(1);
        events.read(*members, read.front(), 0);
    }
    if (!events.ok()) {
        return error{errc::invalid_argument, events.faults()};
    }
    return read;
}

}  // namespace libqueue::processors::analytics
