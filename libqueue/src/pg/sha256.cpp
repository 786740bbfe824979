#include "pg/sha256.hpp"

#include <libqueue/error.hpp>

#include <openssl/evp.h>

#include <array>

namespace libqueue::pg {

std::string sha256_hex(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    const int done =
        EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr);
    LIBQUEUE_ASSERT(done == 1 && length == 32);
    constexpr std::string_view digits{"0123456789abcdef"};
    std::string hex;
    for (unsigned i = 0; i < length; ++i) {
        hex += digits[digest[i] >> 4U];
        hex += digits[digest[i] & 15U];
    }
    return hex;
}

}  // namespace libqueue::pg
