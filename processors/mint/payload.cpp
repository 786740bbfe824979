#include "processors/mint/payload.hpp"

#include "processors/support/payload.hpp"
#include "processors/support/text_rules.hpp"

namespace libqueue::processors::mint {

namespace {

constexpr std::size_t longest_key = 480;
constexpr std::size_t longest_id = 200;
constexpr std::size_t longest_name = 32;
constexpr std::size_t longest_symbol = 10;
constexpr std::size_t longest_uri = 200;
constexpr std::size_t longest_metadata = 256UL * 1024;

void check_length(payload_reader& reader, std::string_view name, const std::string& text,
                  std::size_t most) {
    if (text.size() > most || has_control_characters(text)) {
        reader.fault(
            name, "expected at most " + std::to_string(most) + " bytes without control characters");
    }
}

void read_key(payload_reader& reader, mint_payload& payload) {
    payload.ticket = reader.optional_text("ticket").value_or("");
    payload.user = reader.optional_text("user").value_or("");
    check_length(reader, "ticket", payload.ticket, longest_id);
    check_length(reader, "user", payload.user, longest_id);
    payload.key = reader.optional_text("key").value_or("");
    check_length(reader, "key", payload.key, longest_key);
    if (!payload.key.empty()) {
        return;
    }
    if (payload.ticket.empty() || payload.user.empty()) {
        reader.fault("key", "expected a key, or both of ticket and user");
    }
    payload.key = "mint:" + payload.ticket + ":" + payload.user;
}

std::string metadata_of(payload_reader& reader, const mint_payload& payload) {
    const auto given = trimmed(reader.has("metadata") ? reader.raw("metadata") : "{}");
    if (!given.starts_with('{') || !given.ends_with('}') || given.size() > longest_metadata) {
        reader.fault("metadata", "expected an object of at most 256 KiB");
        return {};
    }
    std::string text{"{\"name\":"};
    text += json_string(payload.name);
    text += ",\"symbol\":";
    text += json_string(payload.symbol);
    const auto members = trimmed(given.substr(1, given.size() - 2));
    if (!members.empty()) {
        text += ',';
        text += members;
    }
    return text += '}';
}

}  // namespace

result<mint_payload> mint_payload::parse(std::string_view json) {
    payload_reader reader{json};
    mint_payload payload;
    read_key(reader, payload);
    const auto recipient = reader.text("recipient");
    payload.name = reader.text("name");
    payload.symbol = reader.optional_text("symbol").value_or("");
    payload.uri = reader.optional_text("uri");
    check_length(reader, "name", payload.name, longest_name);
    check_length(reader, "symbol", payload.symbol, longest_symbol);
    check_length(reader, "uri", payload.uri.value_or(""), longest_uri);
    if (const auto key = public_key::parse(recipient)) {
        payload.recipient = *key;
    } else if (!recipient.empty()) {
        reader.fault("recipient", "expected the base58 of 32 bytes");
    }
    payload.metadata = metadata_of(reader, payload);
    if (!reader.ok()) {
        return error{errc::invalid_argument, reader.faults()};
    }
    return payload;
}

}  // namespace libqueue::processors::mint
