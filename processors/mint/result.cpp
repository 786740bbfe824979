#include "processors/mint/result.hpp"

#include "processors/mint/metadata_store.hpp"
#include "processors/support/crypto.hpp"
#include "processors/support/payload.hpp"

#include <utility>

namespace libqueue::processors::mint {

std::string fingerprint_of(const mint_payload& payload) {
    std::string text = payload.recipient.text();
    for (const auto* part : {&payload.name, &payload.symbol}) {
        text += '\n';
        text += *part;
    }
    text += '\n';
    text += payload.uri.value_or(metadata_name(payload.metadata));
    return sha256_hex(text);
}

outcome minted(const mint_identity& who, const mint_payload& payload, std::string output) {
    std::string event{R"({"key":)"};
    event += json_string(who.key);
    event += R"(,"ticket":)" + json_string(payload.ticket);
    event += R"(,"user":)" + json_string(payload.user);
    event += R"(,"mint":)" + output + "}";
    auto recording = complete_mint(who, output);
    return completed(std::move(output))
        .also(std::move(recording))
        .also(publish(who, "mint.completed", event));
}

outcome given_up(const mint_identity& who, const std::string& why) {
    std::string event{R"({"key":)"};
    event += json_string(who.key);
    event += R"(,"error":)" + json_string(why) + "}";
    return discard(why).also(fail_mint(who, why)).also(publish(who, "mint.failed", event));
}

}  // namespace libqueue::processors::mint
