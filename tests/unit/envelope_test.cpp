#include "core/envelope.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace core = libqueue::core;
using libqueue::seal_owner;
using libqueue::sealed_part;

namespace {

const std::string tenant{"11111111-2222-3333-4444-aaaabbbbcccc"};

std::array<unsigned char, core::key_bytes> key_of(unsigned char first) {
    std::array<unsigned char, core::key_bytes> key{};
    for (std::size_t i = 0; i < key.size(); ++i) {
        key[i] = static_cast<unsigned char>(first + i);
    }
    return key;
}

const auto key = key_of(1);

seal_owner owner() {
    return seal_owner{42, "payment.process", tenant};
}

std::string sealed(std::string_view plain, std::string_view hash = {}) {
    return core::seal(key, "k1", hash, owner(), plain);
}

std::optional<std::string> opened(std::string_view json, const seal_owner& by = owner(),
                                  core::key_view with = key) {
    const auto parsed = core::parse_envelope(json);
    return parsed ? core::open(with, *parsed, by) : std::nullopt;
}

std::string bytes_of_hex(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(std::string{hex.substr(i, 2)}, nullptr, 16));
    }
    return bytes;
}

}  // namespace

TEST_SUITE_BEGIN("envelope");

TEST_CASE("envelope: what is sealed opens for its owner, byte for byte") {
    for (const std::string& plain :
         {std::string{}, std::string{"{}"}, std::string{R"({"card" : "4111 1111"})"},
          std::string(100'000, 'x'), std::string((std::size_t{1} << 24) + 17, 'y')}) {
        CHECK(opened(sealed(plain)) == plain);
    }
}

TEST_CASE("envelope: names key and algorithm, prints as jsonb does and shows no plaintext") {
    const std::string json = sealed(R"({"card":"4111"})", "aGFzaA==");

    CHECK(json.starts_with(libqueue::sealed_prefix));
    CHECK(json.find("4111") == std::string::npos);
    CHECK(json.ends_with(R"(, "libqueue.sealed": 1})"));
    const auto parsed = core::parse_envelope(json);
    REQUIRE(parsed.has_value());
    CHECK(parsed->key_id == "k1");
    CHECK(parsed->hash == "aGFzaA==");
}

TEST_CASE("envelope: sealed twice, the same text looks different") {
    std::set<std::string> seen;
    for (int i = 0; i < 1'000; ++i) {
        seen.insert(core::parse_envelope(sealed("{}")).value().nonce);
    }
    CHECK(seen.size() == 1'000);
}

TEST_CASE("envelope: opens for no other job, tenant, kind or part, and with no other key") {
    const std::string json = sealed(R"({"card":"4111"})");
    const std::string other{"11111111-2222-3333-4444-aaaabbbbcccd"};

    CHECK_FALSE(opened(json, seal_owner{43, "payment.process", tenant}));
    CHECK_FALSE(opened(json, seal_owner{42, "payment.refund", tenant}));
    CHECK_FALSE(opened(json, seal_owner{42, "payment.process", other}));
    CHECK_FALSE(opened(json, seal_owner{42, "payment.process", std::nullopt}));
    CHECK_FALSE(opened(json, seal_owner{42, "payment.process", tenant, sealed_part::output}));
    CHECK_FALSE(opened(json, seal_owner{42, "payment.process", tenant, sealed_part::checkpoint}));
    CHECK_FALSE(opened(json, owner(), key_of(2)));
    CHECK(opened(json, seal_owner{42, "payment.process", "11111111-2222-3333-4444-AAAABBBBCCCC"}));
}

TEST_CASE("envelope: fields that only together have the same bytes are not the same owner") {
    CHECK(core::owner_text(seal_owner{1, "2.a", std::nullopt}) !=
          core::owner_text(seal_owner{12, ".a", std::nullopt}));
    CHECK(core::owner_text(seal_owner{1, "a", ""}) ==
          core::owner_text(seal_owner{1, "a", std::nullopt}));
}

TEST_CASE("envelope: no byte of it can be changed") {
    const std::string json = sealed(R"({"card":"4111"})", "aGFzaA==");
    REQUIRE(opened(json).has_value());

    int opened_anyway = 0;
    for (std::size_t at = 0; at < json.size(); ++at) {
        if (json[at] == ' ') {
            continue;  // between tokens: no part of what it says
        }
        for (int bit = 0; bit < 7; ++bit) {
            std::string changed = json;
            changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
            opened_anyway += opened(changed).has_value() ? 1 : 0;
        }
    }
    CHECK(opened_anyway == 0);
}

TEST_CASE("envelope: members that are missing, added or of another type are refused") {
    const std::string json = sealed("{}", "aGFzaA==");
    const auto changed = [&](std::string_view from, std::string_view to) {
        std::string text = json;
        const auto at = text.find(from);
        REQUIRE(at != std::string::npos);
        return text.replace(at, from.size(), to);
    };

    CHECK_FALSE(opened(changed(R"("hash": "aGFzaA==", )", "")));
    CHECK_FALSE(opened(changed(R"("libqueue.sealed": 1)", R"("libqueue.sealed": 2)")));
    CHECK_FALSE(opened(changed(R"("libqueue.sealed": 1)", R"("libqueue.sealed": "1")")));
    CHECK_FALSE(opened(changed(R"("libqueue.sealed": 1)", R"("libqueue.sealed": 1, "x": 1)")));
    CHECK_FALSE(opened(changed(R"("alg": "A256GCM", )", "")));
    CHECK_FALSE(opened("[]"));
    CHECK_FALSE(opened("{"));
    CHECK_FALSE(opened(""));
}

TEST_CASE("envelope: base64 has one text for the same bytes") {
    CHECK(core::from_base64("aGFzaA==") == "hash");
    CHECK(core::to_base64("hash") == "aGFzaA==");
    for (const char* text : {"aGFzaB==", "aGFzaA=", "aGFzaA", " GFzaA==", "aGFzaA==\n", "====", "",
                             "a===", "aGFz aA=", "aGF\xc3\xa4"}) {
        CAPTURE(text);
        CHECK_FALSE(core::from_base64(text).has_value());
    }
}

TEST_CASE("envelope: keys are derived as RFC 5869 says") {
    // A.3 asks for a key of 22 bytes and no salt; this is its form for one of 32, computed with
    // `openssl kdf`: salt 000102030405060708090a0b0c, info f0f1f2f3f4f5f6f7f8f9.
    std::array<unsigned char, core::key_bytes> into{};
    core::derive_key(key_of(0), bytes_of_hex("000102030405060708090a0b0c"),
                     bytes_of_hex("f0f1f2f3f4f5f6f7f8f9"), into);
    const std::string expected =
        bytes_of_hex("194109eabd17e0cb6c156d2bcbb8e54f9aa71ab5cdcf4a730b827c03ee4090f4");
    CHECK(std::equal(into.begin(), into.end(), expected.begin(), expected.end(),
                     [](unsigned char a, char b) { return a == static_cast<unsigned char>(b); }));
}

TEST_CASE("envelope: hashes of content tell texts, kinds, tenants and keys apart, not blanks") {
    const auto hash = [](std::string_view json, const seal_owner& by = owner(),
                         core::key_view with = key) {
        return core::content_hash(with, by, json);
    };
    const std::string one = hash(R"({"a": [1, 2], "b": "x \" y"})");

    CHECK(hash("{\"a\":[1,2],\n\t\"b\":\"x \\\" y\"}") == one);
    CHECK(hash(R"({"a": [1, 2], "b": "x \"  y"})") != one);
    CHECK(hash(R"({"a": [1, 3], "b": "x \" y"})") != one);
    CHECK(hash(R"({"a": [1, 2], "b": "x \" y"})", seal_owner{7, "payment.process", tenant}) == one);
    CHECK(hash(R"({"a": [1, 2], "b": "x \" y"})", seal_owner{42, "other", tenant}) != one);
    CHECK(hash(R"({"a": [1, 2], "b": "x \" y"})", seal_owner{42, "payment.process", {}}) != one);
    CHECK(hash(R"({"a": [1, 2], "b": "x \" y"})", owner(), key_of(2)) != one);
}

TEST_SUITE_END();
