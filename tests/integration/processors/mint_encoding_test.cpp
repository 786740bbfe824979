#include "processors/mint/address.hpp"
#include "processors/mint/base58.hpp"
#include "processors/mint/instructions.hpp"
#include "processors/mint/message.hpp"
#include "processors/mint/next_step.hpp"
#include "processors/mint/programs.hpp"
#include "processors/mint/signing_key.hpp"
#include "processors/support/crypto.hpp"
#include "support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <fstream>
#include <string>

// Expected values were computed with npm's @solana/kit 8.0, another implementation, unless said
// otherwise.

namespace {

using namespace libqueue::processors;
using namespace libqueue::processors::mint;

std::string bytes_of(std::string_view hexadecimal) {
    std::string out;
    for (std::size_t i = 0; i + 1 < hexadecimal.size(); i += 2) {
        out.push_back(
            static_cast<char>(std::stoi(std::string{hexadecimal.substr(i, 2)}, nullptr, 16)));
    }
    return out;
}

std::string hex_of(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        constexpr std::string_view digits = "0123456789abcdef";
        out.push_back(digits[static_cast<unsigned char>(c) >> 4U]);
        out.push_back(digits[static_cast<unsigned char>(c) & 15U]);
    }
    return out;
}

public_key key_of(std::string_view text) {
    return public_key::parse(text).value();
}

/// Seed 1, 2, 3 ... 32.
std::string counting_seed() {
    std::string seed;
    for (char i = 1; i <= 32; ++i) {
        seed.push_back(i);
    }
    return seed;
}

const std::string payer_text = "9C6hybhQ6Aycep9jaUnP6uL9ZYvDjUp1aSkFWPUFJtpj";
const std::string mint_text = "57ttPJcsRBffFSwtfrjcSgEcX4Mg1P7Cz6VoPRi4kz39";
const std::string wallet_text = "4fYNw3dojWmQ4dXtSGE9epjRGy9pFSx62YypT7avPYvA";
const std::string token_text = "4sYoZUJrFusVMUQRSEQ1sJZzH1F16jKGt6Ht7VSb8KHP";

signed_transaction under_way(std::uint64_t last_valid) {
    signed_transaction made;
    made.signature = "s";
    made.last_valid_height = last_valid;
    return made;
}

}  // namespace

TEST_SUITE("processors: mint encoding") {
    TEST_CASE("base58 reads back what it writes, and knows the texts of others") {
        CHECK(base58_encode(bytes_of("000001ff02")) == "11ftV");
        CHECK(base58_encode(std::string(32, '\0')) == std::string(32, '1'));
        CHECK(base58_encode("") == "");
        // From the draft "The Base58 Encoding Scheme" (draft-msporny-base58-03), section 5.
        CHECK(base58_encode("Hello World!") == "2NEpo7TZRRrLZSi2U");
        CHECK(base58_encode("The quick brown fox jumps over the lazy dog.") ==
              "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z");
        CHECK(base58_decode("11ftV", 5) == bytes_of("000001ff02"));
        CHECK(base58_decode("2NEpo7TZRRrLZSi2U", 12) == "Hello World!");
        CHECK(base58_decode("", 5) == "");
    }

    TEST_CASE("base58 refuses what is too long and what is no digit of it") {
        CHECK_FALSE(base58_decode("2NEpo7TZRRrLZSi2U", 11));
        CHECK_FALSE(base58_decode(std::string(100'000, 'z'), 32));
        CHECK_FALSE(base58_decode(std::string(33, '1'), 32));
        for (const auto* text : {"0", "O", "I", "l", " 2", "2\n", "+", "\xc3\xa9"}) {
            CAPTURE(text);
            CHECK_FALSE(base58_decode(text, 32));
        }
        CHECK_FALSE(public_key::parse("4fYNw3dojWmQ4dXtSGE9epjRGy9pFSx62YypT7avPY"));
    }

    TEST_CASE("lengths are written in seven bits a byte") {
        CHECK(hex_of(shortvec(0)) == "00");
        CHECK(hex_of(shortvec(127)) == "7f");
        CHECK(hex_of(shortvec(128)) == "8001");
        CHECK(hex_of(shortvec(255)) == "ff01");
        CHECK(hex_of(shortvec(16'383)) == "ff7f");
        CHECK(hex_of(shortvec(16'384)) == "808001");
        CHECK(hex_of(shortvec(65'535)) == "ffff03");
    }

    TEST_CASE("addresses from a seed and of a token account are those of another implementation") {
        const auto seed = seed_of("", "mint:T-1:U-1");
        CHECK(seed == "29ae97f569779d581399311b23b8c2b1");
        CHECK(address_with_seed(key_of(payer_text), seed, programs::token_2022()).text() ==
              mint_text);
        // Three bumps of this one are on the curve, so the test of that is not idle.
        CHECK(associated_token_address(key_of(wallet_text), key_of(mint_text)).text() ==
              token_text);
    }

    TEST_CASE("a tenant's keys lead elsewhere than another's and than those of none") {
        const std::string key = "mint:T-1:U-1";
        const auto none = seed_of("", key);
        const auto one = seed_of("6f1c1b1e-0000-4000-8000-000000000001", key);
        const auto two = seed_of("6f1c1b1e-0000-4000-8000-000000000002", key);
        CHECK(none != one);
        CHECK(one != two);
    }

    TEST_CASE("points of the curve are told from what is none") {
        const std::string expected =
            "1100110110111011100000101100001100111010001011111110001000001011";
        std::string found;
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const auto digest = sha256("point " + std::to_string(i));
            found.push_back(is_on_curve(public_key::from_bytes(digest).value()) ? '1' : '0');
        }
        CHECK(found == expected);
    }

    TEST_CASE("small and unreduced points count as the runtime counts them") {
        const auto on = [](const std::string& hexadecimal) {
            return is_on_curve(public_key::from_bytes(bytes_of(hexadecimal)).value());
        };
        const std::string zeros(58, '0');
        const std::string ones(60, 'f');
        CHECK(on("000000" + zeros));
        CHECK(on("010000" + zeros));
        CHECK_FALSE(on("020000" + zeros));
        CHECK(on("ec" + ones + "7f"));
        CHECK(on("ed" + ones + "7f"));  // p itself, which is zero
        CHECK(on("ee" + ones + "7f"));
        // Of order 8: libsodium's check, which asks for the main subgroup, says no.
        CHECK(on("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"));
    }

    TEST_CASE("a message lists each account once, in the order the format demands") {
        const auto payer = key_of(payer_text);
        const auto wallet = key_of(wallet_text);
        const auto token = key_of(token_text);
        const instruction first{
            programs::system(),
            {{payer, true, true}, {wallet, false, true}, {programs::system(), false, false}},
            bytes_of("020000000100000000000000")};
        const instruction second{programs::token_2022(),
                                 {{wallet, false, false},
                                  {token, true, false},
                                  {programs::associated_token(), false, false},
                                  {key_of(mint_text), false, true}},
                                 std::string(200, '\x07')};

        const auto message = encode_message(payer, {first, second}, key_of(mint_text));

        const std::string expected =
            "AgEDB3m1Vi6P5lT5QHixEuipi6eQH4U65pW+1+DjkQutBJZkOYYPi5PpHZNMMOBKW78TxB5PqvrbVxd0xUe3"
            "JW3EPRY2cpxjjPgqIIWg2G/Xldd1bil5t5DwT8+ztzdmPHhKRz0y5nIu05bW8ep/Eek4bfZyeLTMVSI3o5EB"
            "PfJ3ax8IAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACMlyWPTiSJ8bs9ECkUjg2DC1oTmdr/EIQE"
            "jnvY2+n4WQbd9uHudY/eGEJdvORszdq2GvxNg7kNJ/69+SjYoYv8PTLmci7Tltbx6n8R6Tht9nJ4tMxVIjej"
            "kQE98ndrHwgCBAMAAgQMAgAAAAEAAAAAAAAABgQCAQUDyAEHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"
            "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"
            "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"
            "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw==";
        CHECK(base64_encode(message) == expected);
    }

    TEST_CASE("a signing key is read from both forms and signs as RFC 8032 says") {
        const auto pair = counting_seed() + std::string{key_of(payer_text).bytes()};
        std::string numbers{"["};
        for (const char c : pair) {
            numbers +=
                (numbers.size() > 1 ? ", " : "") + std::to_string(static_cast<unsigned char>(c));
        }
        numbers += "]\n";
        for (const auto& text : {numbers, base58_encode(pair)}) {
            const auto key = signing_key::parse(text);
            REQUIRE(key.has_value());
            CHECK((*key)->address().text() == payer_text);
            CHECK(hex_of((*key)->sign("hello")) ==
                  "6970dad564d940df9017a22431bc2d52fae0b56ce07b860fbe3819fe7128653c"
                  "cb4ce6c05aef0141e84b1428cc6289fd6e1d5a0941e2005f4dfe534cdbb1990e");
        }
    }

    TEST_CASE("what is no signing key is refused without showing it") {
        const auto pair = counting_seed() + std::string{key_of(payer_text).bytes()};
        auto halves = pair;
        halves.back() = static_cast<char>(halves.back() + 1);
        for (const auto& text :
             {std::string{"[1, 2, 3]"}, std::string{"canary"}, base58_encode(pair.substr(1)),
              base58_encode(halves), std::string{"[256"} + std::string(63 * 2, ',') + "]",
              std::string{}}) {
            const auto key = signing_key::parse(text);
            REQUIRE_FALSE(key.has_value());
            CHECK(key.error().message.find("canary") == std::string::npos);
            CHECK(key.error().message.starts_with("signing key: "));
        }
        const test::temp_dir folder;
        const auto open = folder.write("key", "canary");
        ::chmod(open.c_str(), 0644);
        CHECK(signing_key::read(open).error().message.find("other users") != std::string::npos);
        ::chmod(open.c_str(), 0600);
        CHECK(signing_key::read(open).error().message.starts_with(open.string()));
    }

    TEST_CASE("the pages of a key are locked and stay out of core dumps") {
        locked_memory memory{64};
        memory.data()[63] = 7;
        std::ifstream maps{"/proc/self/smaps"};
        const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
        bool inside = false;
        std::string flags;
        for (std::string line; std::getline(maps, line);) {
            std::uintptr_t begin = 0;
            std::uintptr_t end = 0;
            if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
                inside = begin <= address && address < end;
            } else if (inside && line.starts_with("VmFlags:")) {
                flags = line + " ";
            }
        }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        // The sanitizers turn mlock into nothing.
        CHECK(flags.find(" lo ") != std::string::npos);
#endif
        CHECK(flags.find(" dd ") != std::string::npos);
        CHECK(flags.find(" wf ") != std::string::npos);
    }

    TEST_CASE("only a block past the last one, and then silence, proves that nothing can land") {
        using enum account_finding;
        chain_view seen;
        CHECK(next_step({}, seen, free) == mint_step::sign);
        CHECK(next_step({}, seen, ours) == mint_step::done);
        CHECK(next_step({}, seen, other) == mint_step::blocked);

        seen.height = 100;
        CHECK(next_step(under_way(100), seen, free) == mint_step::wait);
        CHECK(next_step(under_way(99), seen, free) == mint_step::expired);
        CHECK(next_step(under_way(99), seen, ours) == mint_step::done);

        seen.status.known = true;
        CHECK(next_step(under_way(99), seen, free) == mint_step::wait);
        seen.status.error = R"({"InstructionError":[2,{"Custom":0}]})";
        CHECK(next_step(under_way(99), seen, free) == mint_step::wait);
        seen.status.settled = true;
        CHECK(next_step(under_way(99), seen, free) == mint_step::failed);
        seen.status.error.clear();
        CHECK(next_step(under_way(99), seen, free) == mint_step::wait);
    }
}
