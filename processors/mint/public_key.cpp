#include "processors/mint/public_key.hpp"

#include "processors/mint/base58.hpp"

#include <algorithm>

namespace libqueue::processors::mint {

std::optional<public_key> public_key::from_bytes(std::string_view bytes) {
    if (bytes.size() != size) {
        return std::nullopt;
    }
    public_key key;
    std::copy(bytes.begin(), bytes.end(), key.bytes_.begin());
    return key;
}

std::optional<public_key> public_key::parse(std::string_view base58_text) {
    const auto bytes = base58_decode(base58_text, size);
    return bytes ? from_bytes(*bytes) : std::nullopt;
}

std::string public_key::text() const {
    return base58_encode(bytes());
}

}  // namespace libqueue::processors::mint
