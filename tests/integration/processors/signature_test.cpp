#include "processors/support/crypto.hpp"
#include "processors/support/http_request.hpp"
#include "processors/support/run_view.hpp"
#include "processors/support/text_rules.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <libqueue/webhook.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

namespace webhooks = libqueue::webhook;
using namespace std::chrono_literals;
using libqueue::processors::base64_decode;
using libqueue::processors::base64_encode;

const std::chrono::sys_seconds noon{1'700'000'000s};

webhooks::key key_of(const std::string& bytes) {
    return webhooks::key::parse("whsec_" + base64_encode(bytes)).value();
}

const std::string bytes_a(32, 'a');
const std::string bytes_b(24, 'b');

/// Standard Webhooks as Python's standard library computes it: an implementation not ours.
std::string reference_signature(const std::string& secret, const std::string& signed_text) {
    test::process_options python{
        "python3",
        {"-c",
         "import base64,hashlib,hmac,sys\n"
         "key=base64.b64decode(sys.argv[1][len('whsec_'):])\n"
         "print('v1,'+base64.b64encode(hmac.new(key,sys.stdin.buffer.read(),hashlib.sha256)"
         ".digest()).decode(),end='')",
         secret}};
    python.stdin_text = signed_text;
    return test::run_command(python).output;
}

}  // namespace

TEST_SUITE("processors: signature") {
    TEST_CASE("base64: round trips, and refuses everything that is not canonical") {
        for (const std::string text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
            CHECK(base64_decode(base64_encode(text)).value() == text);
        }
        CHECK(base64_encode("fooba") == "Zm9vYmE=");
        CHECK(base64_encode(std::string_view{"\0\xff\x10", 3}) == "AP8Q");
        for (const char* text :
             {"Zg=", "Zg", "Z===", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "====", "Z=g=", "-_8="}) {
            CAPTURE(text);
            CHECK_FALSE(base64_decode(text).has_value());
        }
    }

    TEST_CASE("hmac_sha256 and sha256_hex: the published vectors") {
        using libqueue::processors::hmac_sha256_hex;
        using libqueue::processors::sha256_hex;
        // RFC 4231, test case 2.
        CHECK(hmac_sha256_hex("Jefe", "what do ya want for nothing?") ==
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        // FIPS 180-2, appendix B.1, and of nothing.
        CHECK(sha256_hex("abc") ==
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        CHECK(sha256_hex({}) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        CHECK(hmac_sha256_hex({}, {}) ==
              "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    }

    TEST_CASE("signing_key: takes 24 to 64 bytes and never quotes what it refuses") {
        CHECK(webhooks::key::parse("whsec_" + base64_encode(std::string(24, 'k'))).has_value());
        CHECK(webhooks::key::parse("whsec_" + base64_encode(std::string(64, 'k'))).has_value());
        for (const auto& text :
             std::vector<std::string>{"", "whsec_", base64_encode(bytes_a),
                                      "whsec_" + base64_encode(std::string(23, 'k')),
                                      "whsec_" + base64_encode(std::string(65, 'k')),
                                      "whsec_not*base64", "WHSEC_" + base64_encode(bytes_a)}) {
            const auto key = webhooks::key::parse(text);
            REQUIRE(key.has_error());
            const bool quoted =
                text.size() > 6 && key.error().message.find(text.substr(6)) != std::string::npos;
            CHECK_FALSE(quoted);
        }
    }

    TEST_CASE("signature: equals what an independent implementation computes") {
        const auto secret = "whsec_" + base64_encode(bytes_a);
        for (const std::string body : {"", "{}", R"({"type":"a.b","data":"\u00fc"})", "ü\n"}) {
            CHECK(key_of(bytes_a).signature("msg_1", noon, body) ==
                  reference_signature(secret, "msg_1.1700000000." + body));
        }
    }

    TEST_CASE("v1a: RFC 8032's key pair, and a signature that the openssl tool verifies") {
        // RFC 8032, section 7.1, test 1.
        std::string seed;
        std::string half;
        const std::string pair =
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        for (std::size_t i = 0; i < pair.size(); i += 2) {
            (i < 64 ? seed : half)
                .push_back(static_cast<char>(std::stoi(pair.substr(i, 2), nullptr, 16)));
        }
        const auto key = webhooks::key::parse("whsk_" + base64_encode(seed + half)).value();
        CHECK(key.receiver_text() == "whpk_" + base64_encode(half));
        CHECK(webhooks::key::parse("whsk_" + base64_encode(seed + seed)).has_error());

        const auto text = key.signature("msg_1", noon, R"({"a":1})");
        REQUIRE(text.starts_with("v1a,"));
        const test::temp_dir files;
        // The 12 bytes before it say "ed25519 public key" in DER.
        const std::string der{"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12};
        const auto public_key = files.write("key.der", der + half);
        const auto message = files.write("message", R"(msg_1.1700000000.{"a":1})");
        const auto made = files.write("signature", base64_decode(text.substr(4)).value());
        const auto verdict = test::run_command(test::process_options{
            "openssl",
            {"pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", public_key.string(),
             "-rawin", "-in", message.string(), "-sigfile", made.string()}});
        CHECK(verdict.code == 0);
    }

    TEST_CASE("v1a: the public key verifies, and neither signs nor fits another scheme") {
        const auto key = webhooks::key::parse("whsk_" + base64_encode(bytes_a)).value();
        const std::vector known{webhooks::key::parse(key.receiver_text()).value()};
        CHECK(key.signs());
        CHECK_FALSE(known.front().signs());
        const std::vector both{key_of(bytes_a), key};
        const auto header = webhooks::signature_header(both, "id", noon, "body");
        const webhooks::received_headers headers{"id", "1700000000", header};
        CHECK(webhooks::verify(known, headers, "body", noon).has_value());
        CHECK(webhooks::verify(known, headers, "bodY", noon).has_error());
        const auto symmetric = key_of(bytes_a).signature("id", noon, "body");
        const auto renamed = "v1a," + symmetric.substr(3);
        const webhooks::received_headers other{"id", "1700000000", renamed};
        CHECK(webhooks::verify(known, other, "body", noon).has_error());
        for (const std::string& text : {"whpk_" + base64_encode(std::string(31, 'k')),
                                        "whsk_" + base64_encode(std::string(33, 'k'))}) {
            CHECK(webhooks::key::parse(text).has_error());
        }
    }

    TEST_CASE("master_key: derives what HKDF of another implementation derives") {
        const std::string hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        const std::string id = "3626d514-64e7-4359-b16a-4ff119061616";
        const auto master = webhooks::master_key::parse(hex).value();
        const auto derived = master.derive(7, id, webhooks::scheme::v1);
        const auto python = test::run_command(test::process_options{
            "python3",
            {"-c",
             "import base64,hashlib,hmac,sys\n"
             "h=lambda k,t: hmac.new(k,t,hashlib.sha256).digest()\n"
             "prk=h(b'libqueue webhook endpoint',bytes.fromhex(sys.argv[1]))\n"
             "print('whsec_'+base64.b64encode(h(prk,b'v1\\n7\\n'+sys.argv[2].encode()+b'\\x01'))"
             ".decode(),end='')",
             hex, id}});
        CHECK(derived.receiver_text() == python.output);
        std::string bytes;
        for (char c = 0; c < 32; ++c) {
            bytes.push_back(c);
        }
        const auto same = webhooks::master_key::parse(base64_encode(bytes)).value();
        CHECK(same.derive(7, id, webhooks::scheme::v1).receiver_text() == derived.receiver_text());
        CHECK(same.derive(8, id, webhooks::scheme::v1).receiver_text() != derived.receiver_text());
        CHECK(same.derive(7, id, webhooks::scheme::v1a).signs());
        for (const std::string& text :
             {std::string{}, hex + "00", hex.substr(1) + "g", base64_encode(bytes.substr(1))}) {
            CHECK(webhooks::master_key::parse(text).has_error());
        }
    }

    TEST_CASE("verify: accepts either key during a rotation") {
        const std::vector keys{key_of(bytes_a), key_of(bytes_b)};
        const auto header = webhooks::signature_header(keys, "id", noon, "body");
        for (const auto& bytes : {bytes_a, bytes_b}) {
            const std::vector known{key_of(bytes)};
            const webhooks::received_headers headers{"id", "1700000000", header};
            CHECK(webhooks::verify(known, headers, "body", noon).has_value());
        }
    }

    TEST_CASE("verify: refuses another body, id, time or key, and what is no signature") {
        const std::vector keys{key_of(bytes_a)};
        const auto good = webhooks::signature_header(keys, "id", noon, "body");
        const auto refused = [&](std::string_view id, std::string_view time,
                                 std::string_view signature, std::string_view body) {
            const webhooks::received_headers headers{id, time, signature};
            return webhooks::verify(keys, headers, body, noon).has_error();
        };
        CHECK_FALSE(refused("id", "1700000000", good, "body"));
        CHECK(refused("id", "1700000000", good, "bodY"));
        CHECK(refused("ID", "1700000000", good, "body"));
        CHECK(refused("id", "1700000001", good, "body"));
        CHECK(refused("i.d", "1700000000", good, "body"));
        CHECK(refused("", "1700000000", good, "body"));
        for (const std::string time : {"", "x", "1700000000x", " 1700000000", "-1", "1e9",
                                       "99999999999999999999", "9223372036854775807"}) {
            CAPTURE(time);
            CHECK(refused("id", time, good, "body"));
        }
        for (std::size_t i = 0; i < good.size(); ++i) {
            auto flipped = good;
            flipped[i] = static_cast<char>(flipped[i] ^ 1);
            CHECK(refused("id", "1700000000", flipped, "body"));
        }
        CHECK(refused("id", "1700000000", "", "body"));
        CHECK(refused("id", "1700000000", "v1,", "body"));
        CHECK(refused("id", "1700000000", good.substr(0, good.size() - 1), "body"));
        CHECK_FALSE(refused("id", "1700000000", "v1a,AAAA  v9,x " + good, "body"));
        const std::vector others{key_of(bytes_b)};
        const webhooks::received_headers headers{"id", "1700000000", good};
        CHECK(webhooks::verify(others, headers, "body", noon).has_error());
    }

    TEST_CASE("verify: holds the clock to five minutes either way") {
        const std::vector keys{key_of(bytes_a)};
        const auto good = webhooks::signature_header(keys, "id", noon, "body");
        const webhooks::received_headers headers{"id", "1700000000", good};
        CHECK(webhooks::verify(keys, headers, "body", noon + 300s).has_value());
        CHECK(webhooks::verify(keys, headers, "body", noon - 300s).has_value());
        CHECK(webhooks::verify(keys, headers, "body", noon + 301s).has_error());
        CHECK(webhooks::verify(keys, headers, "body", noon - 301s).has_error());
    }

    TEST_CASE("delivery_id: stable, dot-free, and different for different jobs") {
        using libqueue::processors::delivery_id;
        libqueue::job job;
        job.id = 7;
        const auto with_key = [&job](const std::string& key) {
            libqueue::processors::run_view run{job};
            run.idempotency_key = key;
            return delivery_id(run);
        };
        const auto own = delivery_id(libqueue::processors::run_view{job});
        CHECK(own.starts_with("job-7-"));
        job.attempt = 3;
        CHECK(delivery_id(libqueue::processors::run_view{job}) == own);
        job.created_at += 1s;
        CHECK(delivery_id(libqueue::processors::run_view{job}) != own);

        CHECK(with_key("order:17:paid") == "order:17:paid");
        for (const std::string key : {"a.b", "a b", "a\r\nb", "ü", "", "x/y"}) {
            const auto id = with_key(key);
            CHECK(id.starts_with("key-"));
            CHECK(id.size() == 36);
        }
        CHECK(with_key("a.b") != with_key("a-b"));
        CHECK(with_key(std::string(512, 'k')).size() == 36);
        job.tenant_id = "5b0ee4b4-0d4a-4f30-9f3c-2a5f0d1d7c11";
        const auto tenants = with_key("order:17:paid");
        CHECK(tenants.starts_with("key-"));
        job.tenant_id = "11111111-0d4a-4f30-9f3c-2a5f0d1d7c11";
        CHECK(with_key("order:17:paid") != tenants);
    }

    TEST_CASE("retry_after_of: seconds and dates, within a day, never negative") {
        const std::chrono::system_clock::time_point now{noon};
        const auto wait = [now](const char* value) {
            libqueue::processors::http_response response;
            response.headers.emplace_back("retry-after", value);
            return libqueue::processors::retry_after_of(response, now);
        };
        CHECK(wait("0").value() == 0s);
        CHECK(wait("120").value() == 120s);
        CHECK(wait(" 7 ").value() == 7s);
        CHECK(wait("-5").value() == 0s);
        CHECK(wait("999999999").value() == 24h);
        CHECK(wait("99999999999999999999999").value() == 24h);
        CHECK(wait("Tue, 14 Nov 2023 22:14:20 GMT").value() == 60s);
        CHECK(wait("Tue, 14 Nov 2023 22:00:00 GMT").value() == 0s);
        CHECK_FALSE(wait("").has_value());
        CHECK_FALSE(wait("soon").has_value());
    }

    TEST_CASE("with_addresses_masked: shows the first letter and the domain") {
        using libqueue::processors::with_addresses_masked;
        CHECK(with_addresses_masked("550 <john@example.com>: no") == "550 <j***@example.com>: no");
        CHECK(with_addresses_masked("a@b.c,d@e.f") == "a***@b.c,d***@e.f");
        CHECK(with_addresses_masked("nothing here @ all") == "nothing here @ all");
        CHECK(with_addresses_masked("") == "");
    }
}
