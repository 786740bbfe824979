#include "processors/payment/payload.hpp"

#include "processors/payment/currency.hpp"
#include "processors/support/payload.hpp"
#include "processors/support/text_rules.hpp"

#include <algorithm>
#include <array>

namespace libqueue::processors::payment {

namespace {

constexpr std::size_t longest_id = 200;
constexpr std::size_t longest_part = 64;
constexpr std::size_t longest_text = 1'000;
constexpr std::size_t longest_value = 500;
constexpr std::size_t most_metadata = 40;  // Stripe takes 50, some of which are ours
constexpr std::int64_t largest_id = INT64_MAX;

void check_text(payload_reader& reader, std::string_view path, std::string_view text,
                std::size_t longest) {
    if (text.size() > longest || has_control_characters(text)) {
        reader.fault(path, "expected at most " + std::to_string(longest) +
                               " bytes without control characters");
    }
}

std::string text_of(payload_reader& reader, std::string_view name, std::size_t longest) {
    auto text = reader.optional_text(name).value_or("");
    check_text(reader, name, text, longest);
    return text;
}

/// An id goes into a path or is a key, so it is held to more than a text is.
bool is_id(std::string_view text) noexcept {
    return !text.empty() && text.size() <= longest_id &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

void check_id(payload_reader& reader, std::string_view path, std::string_view text) {
    if (!text.empty() && !is_id(text)) {
        reader.fault(path, "expected 1 to 200 printable ASCII characters without blanks");
    }
}

std::string currency_of(payload_reader& reader, const std::string& given) {
    auto code = to_upper(given);
    if (!given.empty() && !minor_digits(code)) {
        reader.fault("currency", "expected a code of ISO 4217");
    }
    return code;
}

std::int64_t required_amount(payload_reader& reader, std::int64_t most) {
    const auto amount = reader.optional_integer("amount", 1, most);
    if (!amount && !reader.has("amount")) {
        reader.fault("amount", "expected an integer of minor units, got nothing");
    }
    return amount.value_or(0);
}

payment_name name_of(payload_reader& reader) {
    payment_name name;
    name.payment_id = reader.optional_integer("payment_id", 1, largest_id);
    name.order_id = reader.optional_text("order_id");
    name.provider_id = reader.optional_text("provider_id");
    name.part = text_of(reader, "part", longest_part);
    check_id(reader, "order_id", name.order_id.value_or(""));
    check_id(reader, "provider_id", name.provider_id.value_or(""));
    if (reader.ok() && !name.payment_id && !name.order_id && !name.provider_id) {
        reader.fault("order_id", "expected order_id, payment_id or provider_id, got none");
    }
    return name;
}

template <typename Payload>
result<Payload> checked(const payload_reader& reader, Payload payload) {
    if (!reader.ok()) {
        return error{errc::invalid_argument, reader.faults()};
    }
    return payload;
}

}  // namespace

result<process_payload> process_payload::parse(std::string_view json, std::int64_t most) {
    payload_reader reader{json};
    process_payload payload;
    payload.order_id = reader.text("order_id");
    payload.part = text_of(reader, "part", longest_part);
    payload.amount = required_amount(reader, most);
    payload.currency = currency_of(reader, reader.text("currency"));
    payload.payment_method = reader.text("payment_method");
    payload.customer = text_of(reader, "customer", longest_id);
    payload.capture = reader.optional_flag("capture").value_or(true);
    payload.off_session = reader.optional_flag("off_session").value_or(false);
    payload.return_url = text_of(reader, "return_url", 2 * longest_text);
    payload.description = text_of(reader, "description", longest_text);
    payload.metadata = reader.text_map("metadata");
    check_id(reader, "order_id", payload.order_id);
    check_id(reader, "payment_method", payload.payment_method);
    check_id(reader, "customer", payload.customer);
    if (payload.metadata.size() > most_metadata) {
        reader.fault("metadata", "expected at most 40");
    }
    for (const auto& [name, value] : payload.metadata) {
        if (name.starts_with("libqueue_")) {
            reader.fault("metadata", "names that begin with libqueue_ are ours");
        }
        check_text(reader, "metadata", value, longest_value);
        if (!is_token(name) || name.size() > 40) {
            reader.fault("metadata", "expected names of 1 to 40 letters, digits, _ and -");
        }
    }
    return checked(reader, std::move(payload));
}

result<follow_payload> follow_payload::parse(std::string_view json, bool needs_method,
                                             std::int64_t most) {
    payload_reader reader{json};
    follow_payload payload;
    payload.payment = name_of(reader);
    if (needs_method) {
        payload.payment_method = reader.text("payment_method");
        check_id(reader, "payment_method", payload.payment_method);
        payload.return_url = text_of(reader, "return_url", 2 * longest_text);
    } else {
        payload.amount = reader.optional_integer("amount", 1, most);
    }
    return checked(reader, std::move(payload));
}

result<refund_payload> refund_payload::parse(std::string_view json, refund_mode mode,
                                             std::int64_t most) {
    constexpr std::array<std::string_view, 3> reasons{"duplicate", "fraudulent",
                                                      "requested_by_customer"};
    payload_reader reader{json};
    refund_payload payload;
    payload.payment = name_of(reader);
    if (mode == refund_mode::partial) {
        payload.amount = required_amount(reader, most);
    } else {
        payload.amount = reader.optional_integer("amount", 1, most);
        if (mode == refund_mode::whole && payload.amount) {
            reader.fault("amount", "expected none: refund.full gives back all that is left");
        }
    }
    if (const auto code = reader.optional_text("currency")) {
        payload.currency = currency_of(reader, *code);
    }
    payload.reference = reader.optional_text("reference");
    check_id(reader, "reference", payload.reference.value_or(""));
    payload.reason = text_of(reader, "reason", longest_text);
    if (!payload.reason.empty() &&
        std::find(reasons.begin(), reasons.end(), payload.reason) == reasons.end()) {
        reader.fault("reason", "expected duplicate, fraudulent or requested_by_customer");
    }
    return checked(reader, std::move(payload));
}

}  // namespace libqueue::processors::payment
