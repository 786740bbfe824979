#include "processors/mint/address.hpp"

#include "processors/mint/programs.hpp"
#include "processors/support/crypto.hpp"

#include <openssl/bn.h>
#include <openssl/evp.h>

#include <array>
#include <memory>
#include <stdexcept>

namespace libqueue::processors::mint {

namespace {

class bignum_deleter {
   public:
    void operator()(BIGNUM* number) const noexcept { BN_free(number); }
    void operator()(BN_CTX* context) const noexcept { BN_CTX_free(context); }
};
using bignum = std::unique_ptr<BIGNUM, bignum_deleter>;

void must(int succeeded) {
    if (succeeded != 1) {
        throw std::runtime_error{"OpenSSL: arithmetic failed"};
    }
}

bignum number(const char* hexadecimal) {
    BIGNUM* made = nullptr;
    must(BN_hex2bn(&made, hexadecimal) > 0 ? 1 : 0);
    return bignum{made};
}

bignum little_endian(std::string_view bytes) {
    bignum made{BN_lebin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                            static_cast<int>(bytes.size()), nullptr)};
    must(made ? 1 : 0);
    return made;
}

}  // namespace

std::string sha256(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    must(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr));
    return {reinterpret_cast<const char*>(digest.data()), size};
}

public_key address_with_seed(const public_key& base, std::string_view seed,
                             const public_key& owner) {
    std::string input{base.bytes()};
    input += seed;
    input += owner.bytes();
    return public_key::from_bytes(sha256(input)).value();
}

// With u = y^2 - 1 and v = d y^2 + 1: u / v is a square exactly when u * v is, and v is never zero
// because -1 / d is no square. Euler: w is a square when w^((p-1)/2) is 0 or 1.
bool is_on_curve(const public_key& key) {
    static const bignum p =
        number("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");
    static const bignum d =
        number("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3");
    static const bignum half =  // (p - 1) / 2
        number("3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff6");
    const std::unique_ptr<BN_CTX, bignum_deleter> context{BN_CTX_new()};
    must(context ? 1 : 0);
    auto* with = context.get();
    std::string bytes{key.bytes()};
    bytes.back() = static_cast<char>(static_cast<unsigned char>(bytes.back()) & 0x7FU);  // sign
    const auto y = little_endian(bytes);
    const bignum u{BN_new()};
    const bignum v{BN_new()};
    const bignum root{BN_new()};
    must(u && v && root ? 1 : 0);
    must(BN_mod_sqr(u.get(), y.get(), p.get(), with));
    must(BN_mod_mul(v.get(), u.get(), d.get(), p.get(), with));
    must(BN_add_word(v.get(), 1));
    must(BN_mod_sub(u.get(), u.get(), BN_value_one(), p.get(), with));
    must(BN_mod_mul(u.get(), u.get(), v.get(), p.get(), with));
    must(BN_mod_exp(root.get(), u.get(), half.get(), p.get(), with));
    return BN_is_zero(root.get()) == 1 || BN_is_one(root.get()) == 1;
}

public_key program_address(std::initializer_list<std::string_view> seeds,
                           const public_key& program) {
    std::string start;
    for (const auto seed : seeds) {
        start += seed;
    }
    for (int bump = 255; bump >= 0; --bump) {
        std::string input{start};
        input.push_back(static_cast<char>(bump));
        input += program.bytes();
        input += "ProgramDerivedAddress";
        const auto address = public_key::from_bytes(sha256(input)).value();
        if (!is_on_curve(address)) {
            return address;
        }
    }
    throw std::runtime_error{"no program address for these seeds"};
}

public_key associated_token_address(const public_key& wallet, const public_key& mint) {
    return program_address({wallet.bytes(), programs::token_2022().bytes(), mint.bytes()},
                           programs::associated_token());
}

std::string seed_of(std::string_view tenant, std::string_view business_key) {
    std::string identity{tenant};
    if (!tenant.empty()) {
        identity += '\n';
    }
    identity += business_key;
    return sha256_hex(identity).substr(0, 32);
}

}  // namespace libqueue::processors::mint
