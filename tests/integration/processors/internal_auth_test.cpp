#include "processors/support/internal_auth.hpp"

#include "processors/support/crypto.hpp"
#include "processors/support/redaction.hpp"

#include <doctest/doctest.h>

#include <map>

namespace {

using namespace std::chrono_literals;
using namespace libqueue::processors;
using std::chrono::system_clock;

const std::string key_text(32, 'k');

/// What the other side receives of a signed request.
received_call received(const http_request& request, const std::string& target) {
    std::map<std::string, std::string> headers;
    for (const auto& line : request.headers) {
        const auto colon = line.find(": ");
        headers[line.substr(0, colon)] = line.substr(colon + 2);
    }
    received_call call{request.method, target, request.body};
    call.header = [headers](std::string_view name) {
        const auto found = headers.find(std::string{name});
        return found == headers.end() ? std::string{} : found->second;
    };
    return call;
}

received_call signed_call(system_clock::time_point when, const std::string& service = "tickets",
                          const std::string& key = key_text) {
    http_request request{"https://pay.internal/api/v1/x?a=1", R"({"a":1})"};
    internal_signer{service, secret{key}}.sign(request, "/api/v1/x?a=1", when);
    return received(request, "/api/v1/x?a=1");
}

std::string said(internal_verifier& verifier, const received_call& call,
                 system_clock::time_point now) {
    const auto caller = verifier.verify(call, now);
    return caller ? *caller : caller.error().message;
}

}  // namespace

TEST_SUITE("processors: internal calls") {
    TEST_CASE("a signed call is known, once") {
        const auto now = system_clock::now();
        internal_verifier verifier;
        verifier.allow("tickets", secret{key_text});
        const auto call = signed_call(now);
        CHECK_EQ(said(verifier, call, now), "tickets");
        CHECK_EQ(said(verifier, call, now + 1s), "internal call: the nonce came before");
        CHECK_EQ(said(verifier, signed_call(now), now), "tickets");
    }

    TEST_CASE("the signature is the HMAC of the six parts that the header comment names") {
        const auto now = system_clock::time_point{1'700'000'000s};
        const auto call = signed_call(now);
        CHECK_EQ(call.header("x-internal-timestamp"), "1700000000");
        CHECK_EQ(call.header("x-internal-body-hash"), sha256_hex(R"({"a":1})"));
        const auto text = "tickets\n1700000000\n" + call.header("x-internal-nonce") +
                          "\nPOST\n/api/v1/x?a=1\n" + call.header("x-internal-body-hash");
        CHECK_EQ(call.header("x-internal-signature"), hmac_sha256_hex(key_text, text));
    }

    TEST_CASE("whatever is changed, it is refused") {
        const auto now = system_clock::now();
        internal_verifier verifier;
        verifier.allow("tickets", secret{key_text});
        auto call = signed_call(now);
        call.body += ' ';
        CHECK_EQ(said(verifier, call, now),
                 "internal call: the body is not the one that was signed");
        call = signed_call(now);
        call.method = "DELETE";
        CHECK_EQ(said(verifier, call, now), "internal call: the signature does not fit");
        call = signed_call(now);
        call.target = "/api/v1/y";
        CHECK_EQ(said(verifier, call, now), "internal call: the signature does not fit");
        CHECK_EQ(said(verifier, signed_call(now, "tickets", std::string(32, 'x')), now),
                 "internal call: the signature does not fit");
        CHECK_EQ(said(verifier, signed_call(now, "mailer"), now),
                 "internal call: the service is not allowed to call");
        call = signed_call(now);
        call.header = [](std::string_view) {
            return std::string{};
        };
        CHECK_EQ(said(verifier, call, now), "internal call: a header is missing or malformed");
    }

    TEST_CASE("a minute to either side is the window, and a nonce is remembered throughout") {
        const auto now = std::chrono::floor<std::chrono::seconds>(system_clock::now());
        internal_verifier verifier;
        verifier.allow("tickets", secret{key_text});
        CHECK_EQ(said(verifier, signed_call(now - 60s), now), "tickets");
        CHECK_EQ(said(verifier, signed_call(now - 61s), now),
                 "internal call: the time is outside the window");
        CHECK_EQ(said(verifier, signed_call(now + 61s), now),
                 "internal call: the time is outside the window");
        const auto early = signed_call(now + 60s);
        CHECK_EQ(said(verifier, early, now), "tickets");
        CHECK_EQ(said(verifier, early, now + 120s), "internal call: the nonce came before");
    }

    TEST_CASE("both keys of a rotation fit") {
        const auto now = system_clock::now();
        internal_verifier verifier;
        verifier.allow("tickets", secret{key_text});
        verifier.allow("tickets", secret{std::string(32, 'n')});
        CHECK_EQ(said(verifier, signed_call(now), now), "tickets");
        CHECK_EQ(said(verifier, signed_call(now, "tickets", std::string(32, 'n')), now), "tickets");
    }

    TEST_CASE("a full memory refuses calls until nonces have aged") {
        const auto now = system_clock::now();
        internal_verifier verifier{60s, 2};
        verifier.allow("tickets", secret{key_text});
        CHECK_EQ(said(verifier, signed_call(now), now), "tickets");
        CHECK_EQ(said(verifier, signed_call(now), now), "tickets");
        CHECK_EQ(said(verifier, signed_call(now), now),
                 "internal call: too many calls within the window");
        const auto later = now + 121s;
        CHECK_EQ(said(verifier, signed_call(later), later), "tickets");
    }

    TEST_CASE("a short key and an odd name are refused") {
        CHECK_THROWS_AS(internal_signer("tickets", secret{"short"}), std::invalid_argument);
        CHECK_THROWS_AS(internal_signer("Tick ets", secret{key_text}), std::invalid_argument);
    }
}

TEST_SUITE("processors: redaction") {
    TEST_CASE("secrets with a shape are hidden in texts") {
        CHECK_EQ(redacted("key sk_live_abc123 is bad"), "key sk_*** is bad");
        CHECK_EQ(redacted("Authorization: Bearer eyJ.x.y, next"),
                 "Authorization: Bearer ***, next");
        CHECK_EQ(redacted("card 4242 4242 4242 4242 declined"), "card *** declined");
        CHECK_EQ(redacted("card 4242424242424242"), "card ***");
        CHECK_EQ(redacted("number 4242424242424241 has a wrong check digit"),
                 "number 4242424242424241 has a wrong check digit");
        CHECK_EQ(redacted("to jane.doe@example.com now"), "to j***@example.com now");
        CHECK_EQ(redacted("pi_123 task_7 risk_level"), "pi_123 task_7 risk_level");
        CHECK(redacted(std::string(10'000, 'x')).size() <= 600);
    }

    TEST_CASE("fields named like secrets are hidden in JSON, however deep") {
        CHECK_EQ(redacted_json(
                     R"({"code":"x","client_secret":"pi_1_secret_2","list":[{"cardNumber":1}]})"),
                 R"({"code":"x","client_secret":"***","list":[{"cardNumber":"***"}]})");
        CHECK_EQ(redacted_json(R"({"amount_capturable":500,"apiKey":"k","id":"pi_1"})"),
                 R"({"amount_capturable":"***","apiKey":"***","id":"pi_1"})");
        CHECK_EQ(redacted_json("<html>j@example.com"), "<html>j***@example.com");
    }
}
