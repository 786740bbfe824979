#include "processors/mint/instructions.hpp"

#include "processors/mint/address.hpp"
#include "processors/mint/programs.hpp"

namespace libqueue::processors::mint {

namespace {

account_use signer(const public_key& key) {
    return {key, true, false};
}
account_use paying_signer(const public_key& key) {
    return {key, true, true};
}
account_use written(const public_key& key) {
    return {key, false, true};
}
account_use read(const public_key& key) {
    return {key, false, false};
}

/// Borsh: length in four bytes, then the text.
std::string borsh(const std::string& text) {
    return little_endian(text.size(), 4) + text;
}

instruction compute_limit(std::uint32_t units) {
    return {programs::compute_budget(), {}, "\x02" + little_endian(units, 4)};
}

instruction compute_price(std::uint64_t micro_lamports) {
    return {programs::compute_budget(), {}, "\x03" + little_endian(micro_lamports, 8)};
}

instruction transfer(const mint_order& order, std::uint64_t lamports) {
    return {programs::system(),
            {paying_signer(order.payer), written(order.mint)},
            little_endian(2, 4) + little_endian(lamports, 8)};
}

instruction allocate_with_seed(const mint_order& order) {
    std::string data = little_endian(9, 4);
    data += order.payer.bytes();
    data += little_endian(order.seed.size(), 8);
    data += order.seed;
    data += little_endian(allocated_bytes, 8);
    data += programs::token_2022().bytes();
    return {programs::system(), {written(order.mint), signer(order.payer)}, std::move(data)};
}

/// Points at the mint itself, for ever: there is no authority who could point it elsewhere.
instruction metadata_pointer(const mint_order& order) {
    std::string data{'\x27', '\0'};  // extension 39, its initialize
    data += public_key{}.bytes();
    data += order.mint.bytes();
    return {programs::token_2022(), {written(order.mint)}, std::move(data)};
}

instruction initialize_mint(const mint_order& order) {
    std::string data{'\x14', '\0'};  // InitializeMint2, decimals
    data += order.payer.bytes();
    data.push_back('\0');  // nobody can freeze it
    return {programs::token_2022(), {written(order.mint)}, std::move(data)};
}

instruction initialize_metadata(const mint_order& order) {
    // The interface's discriminator: SHA-256("spl_token_metadata_interface:initialize_account").
    std::string data = sha256("spl_token_metadata_interface:initialize_account").substr(0, 8);
    data += borsh(order.content.name);
    data += borsh(order.content.symbol);
    data += borsh(order.content.uri);
    return {programs::token_2022(),
            {written(order.mint), read(order.payer), read(order.mint), signer(order.payer)},
            std::move(data)};
}

/// Idempotent, because anybody may create the recipient's account before us.
instruction create_token_account(const mint_order& order) {
    return {programs::associated_token(),
            {paying_signer(order.payer), written(order.token), read(order.recipient),
             read(order.mint), read(programs::system()), read(programs::token_2022())},
            std::string{'\x01'}};
}

instruction mint_one(const mint_order& order) {
    return {programs::token_2022(),
            {written(order.mint), written(order.token), signer(order.payer)},
            "\x07" + little_endian(1, 8)};
}

instruction give_up_minting(const mint_order& order) {
    // SetAuthority, of minting tokens, to none.
    return {programs::token_2022(),
            {written(order.mint), signer(order.payer)},
            std::string{'\x06', '\0', '\0'}};
}

}  // namespace

mint_order::mint_order(const public_key& payer_, const public_key& recipient_, std::string seed_,
                       token_content content_)
    : payer{payer_},
      recipient{recipient_},
      seed{std::move(seed_)},
      content{std::move(content_)},
      mint{address_with_seed(payer, seed, programs::token_2022())},
      token{associated_token_address(recipient, mint)} {}

std::size_t mint_bytes(const token_content& content) {
    // Type and length of the extension; update authority, mint, three texts, no further fields.
    const std::size_t fixed = 2 + 2 + 32 + 32 + 3 * 4 + 4;
    return allocated_bytes + fixed + content.name.size() + content.symbol.size() +
           content.uri.size();
}

std::vector<instruction> mint_instructions(const mint_order& order, std::uint64_t lamports) {
    std::vector<instruction> all;
    all.push_back(compute_limit(order.compute_units));
    if (order.compute_price > 0) {
        all.push_back(compute_price(order.compute_price));
    }
    if (lamports > 0) {
        all.push_back(transfer(order, lamports));
    }
    all.push_back(allocate_with_seed(order));
    all.push_back(metadata_pointer(order));
    all.push_back(initialize_mint(order));
    all.push_back(initialize_metadata(order));
    all.push_back(create_token_account(order));
    all.push_back(mint_one(order));
    all.push_back(give_up_minting(order));
    return all;
}

std::uint64_t fee_of(const mint_order& order) {
    constexpr std::uint64_t per_signature = 5'000;
    constexpr std::uint64_t micro = 1'000'000;
    return per_signature + (order.compute_units * order.compute_price + micro - 1) / micro;
}

}  // namespace libqueue::processors::mint
