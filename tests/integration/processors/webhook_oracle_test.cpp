#include "processors/support/crypto.hpp"
#include "processors/support/payload.hpp"
#include "support/process.hpp"

#include <libqueue/webhook.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

// Our signatures as the reference library of Standard Webhooks sees them. Needs node, and an npm
// registry once.

namespace {

namespace webhook = libqueue::webhook;
using libqueue::processors::json_string;
using namespace std::chrono_literals;

std::string modules() {
    const auto folder = test::source_dir() / "tests/support/webhook_oracle";
    const auto into = test::binary("workerd").parent_path().parent_path() / "webhook_oracle";
    const auto done =
        test::run_command(test::process_options{folder / "install", {into.string()}}, 280s);
    REQUIRE_MESSAGE(done.code == 0, done.errors);
    return done.output.substr(0, done.output.find('\n'));
}

int accepted(const std::string& lines) {
    test::process_options node{
        "node",
        {(test::source_dir() / "tests/support/webhook_oracle/verify.js").string(), modules()}};
    node.stdin_text = lines;
    const auto done = test::run_command(node);
    REQUIRE_MESSAGE(done.code == 0, done.errors);
    return std::stoi(done.output);
}

/// Bodies of every length up to 300 and of characters of one to four bytes.
std::string body_of(std::mt19937& random) {
    static const std::vector<std::string> pieces{"a", "\"", "\\", "\n", "{",
                                                 "ü", "€",  "𝄞",  " ",  "."};
    std::string body;
    const auto length = std::uniform_int_distribution<std::size_t>{0, 300}(random);
    while (body.size() < length) {
        body += pieces[random() % pieces.size()];
    }
    return "{\"text\":" + json_string(body) + "}";
}

}  // namespace

TEST_SUITE("processors: webhook oracle") {
    TEST_CASE("the reference library verifies ten thousand messages, during rotations too") {
        std::mt19937 random{20'261'121};
        const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
        std::string good;
        std::string spoilt;
        constexpr int many = 10'000;
        for (int i = 0; i < many; ++i) {
            std::string bytes;
            for (std::size_t n = 24 + random() % 41; n > 0; --n) {
                bytes.push_back(static_cast<char>(random()));
            }
            const auto secret = "whsec_" + libqueue::processors::base64_encode(bytes);
            const auto key = webhook::key::parse(secret).value();
            // Alone, before or behind another, or beside one of another scheme.
            std::vector<webhook::key> keys{key};
            if (i % 4 > 0) {
                const auto other = webhook::key::parse(
                    (i % 4 == 3 ? "whsk_" : "whsec_") +
                    libqueue::processors::base64_encode(std::string(32, static_cast<char>(i))));
                keys.insert(i % 4 == 1 ? keys.begin() : keys.end(), other.value());
            }
            const auto id = "msg_" + std::to_string(i);
            const auto body = body_of(random);
            const auto line = [&](const std::string& shown) {
                return R"({"secret":)" + json_string(secret) + R"(,"id":)" + json_string(id) +
                       R"(,"timestamp":")" + std::to_string(now.time_since_epoch().count()) +
                       R"(","signature":)" +
                       json_string(webhook::signature_header(keys, id, now, body)) + R"(,"body":)" +
                       json_string(shown) + "}\n";
            };
            good += line(body);
            if (i % 100 == 0) {
                spoilt += line(body + " ");
            }
        }

        CHECK(accepted(good) == many);
        CHECK(accepted(spoilt) == 0);
    }
}
