#include "auth/jwt.hpp"

#include "support/signed_token.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

namespace {

namespace api = workerd::api;
using test::hmac;
using test::packed;
using test::rsa_pair;

constexpr std::int64_t now_s = 1'800'000'000;
const std::string secret(48, 's');
const std::string other_secret(48, 't');
const std::string tenant{"6f1c2a9e-0f5b-4c55-9d6e-0d6f1f3b7a10"};

libqueue::time_point at(std::int64_t seconds) {
    return libqueue::time_point{std::chrono::seconds{seconds}};
}

const rsa_pair& pair() {
    static const rsa_pair made;
    return made;
}

api::jwt_rules rules() {
    api::jwt_rules made;
    made.issuer = "https://id.example.com";
    made.audience = "libqueue";
    made.keys.emplace_back("shared", "HS256", secret);
    made.keys.emplace_back("public", "RS256", pair().public_pem);
    return made;
}

const api::jwt_verifier& verifier() {
    static const api::jwt_verifier made{rules()};
    return made;
}

std::string time_claims(std::int64_t begin, std::int64_t end) {
    return R"("iat":)" + std::to_string(begin) + R"(,"nbf":)" + std::to_string(begin) +
           R"(,"exp":)" + std::to_string(end);
}

const std::string identity{R"("iss":"https://id.example.com","sub":"u1","jti":"t1")"};
const std::string audience{R"("aud":"libqueue")"};
const std::string rights{R"("role":"admin","tenant_id":")" + tenant + '"'};
const std::string times{time_claims(now_s - 60, now_s + 600)};

std::string good_claims() {
    return '{' + identity + ',' + audience + ',' + rights + ',' + times + '}';
}

std::string shared_head(const std::string& algorithm = "HS256", const std::string& id = "shared") {
    return R"({"alg":")" + algorithm + R"(","typ":"JWT","kid":")" + id + "\"}";
}

std::string good(const std::string& claims) {
    return test::shared_token(secret, shared_head(), claims);
}

bool is_taken(const std::string& token) {
    return verifier().verify(token, at(now_s)).has_value();
}

using forger = std::function<std::string(std::mt19937&)>;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto place = text.find(from);
    REQUIRE(place != std::string::npos);
    return text.replace(place, from.size(), to);
}

forger claims_with(const std::string& from, const std::string& to) {
    return [=](std::mt19937&) {
        return good(replaced(good_claims(), from, to));
    };
}

forger head_of(const std::string& head) {
    return [=](std::mt19937&) {
        return test::shared_token(secret, head, good_claims());
    };
}

std::string letters(std::mt19937& random, std::size_t most) {
    std::string text(1 + random() % most, 'a');
    for (char& c : text)
        c = static_cast<char>('!' + random() % 94);
    return text;
}

// Forgeries of the signature and the header.
std::vector<forger> wrong_signatures() {
    const auto text = packed(shared_head()) + '.' + packed(good_claims());
    const auto rs_text = packed(shared_head("HS256", "public")) + '.' + packed(good_claims());
    return {
        head_of(R"({"alg":"none","kid":"shared"})"),
        head_of(R"({"alg":"None","kid":"shared"})"),
        head_of(R"({"alg":"nOnE","kid":"shared"})"),
        head_of(R"({"alg":"","kid":"shared"})"),
        head_of(R"({"alg":null,"kid":"shared"})"),
        head_of(R"({"kid":"shared"})"),
        head_of(R"({"alg":"hs256","kid":"shared"})"),
        head_of(R"({"alg":"HS384","kid":"shared"})"),
        head_of(R"({"alg":["HS256"],"kid":"shared"})"),
        head_of(R"({"alg":"HS256","alg":"none","kid":"shared"})"),
        head_of(R"({"alg":"HS256"})"),
        head_of(R"({"alg":"HS256","kid":""})"),
        head_of(R"({"alg":"HS256","kid":"../../../dev/null"})"),
        head_of(R"({"alg":"HS256","kid":"' OR 1=1 --"})"),
        head_of(R"({"alg":"HS256","kid":"shared","kid":"shared"})"),
        head_of(R"({"alg":"HS256","kid":"SHARED"})"),
        head_of(R"({"alg":"HS256","kid":"public"})"),
        head_of(R"({"alg":"HS256","kid":["shared"]})"),
        head_of(R"({"alg":"HS256","kid":"shared","crit":["exp"]})"),
        head_of(R"(["HS256"])"),
        head_of("null"),
        head_of("{"),
        [=](std::mt19937&) { return text + '.'; },
        [=](std::mt19937&) { return text; },
        [=](std::mt19937&) { return text + ".AA"; },
        [=](std::mt19937&) { return text + '.' + packed(hmac(other_secret, text)); },
        [=](std::mt19937&) { return text + '.' + packed(hmac("", text)); },
        [=](std::mt19937&) { return text + '.' + packed(hmac(secret, text)) + '='; },
        [=](std::mt19937&) { return text + '.' + packed(hmac(secret, text)) + ".x"; },
        // The public key taken for a shared secret.
        [=](std::mt19937&) { return rs_text + '.' + packed(hmac(pair().public_pem, rs_text)); },
        [=](std::mt19937&) {
            const auto head = R"({"alg":"RS256","kid":"shared"})";
            const auto all = packed(head) + '.' + packed(good_claims());
            return all + '.' + packed(pair().sign(all));
        },
        [=](std::mt19937& random) {
            auto token = good(good_claims());
            auto& letter = token[random() % token.size()];
            letter = letter == 'A' ? 'B' : 'A';
            return token;
        },
        [=](std::mt19937& random) {
            const auto token = good(good_claims());
            return token.substr(0, random() % token.size());
        },
        [=](std::mt19937& random) { return letters(random, 200); },
        [=](std::mt19937& random) {
            return letters(random, 60) + '.' + letters(random, 60) + '.' + letters(random, 60);
        },
        [=](std::mt19937& random) { return text + '.' + packed(hmac(letters(random, 64), text)); },
    };
}

// Rightly signed, and yet not to be taken.
std::vector<forger> wrong_claims() {
    const auto end = std::to_string(now_s + 600);
    return {
        claims_with(R"("exp":)" + end, R"("exp":")" + end + '"'),
        claims_with(R"("exp":)" + end, R"("exp":)" + end + ".0"),
        claims_with(R"("exp":)" + end, R"("exp":1e99)"),
        claims_with(R"("exp":)" + end, R"("exp":9223372036854775807)"),
        claims_with(R"("exp":)" + end, R"("exp":-1)"),
        claims_with(R"("exp":)" + end, R"("exp":null)"),
        claims_with(R"("exp":)" + end, R"("exp":true)"),
        claims_with(R"("exp":)" + end, R"("ex":1)"),
        claims_with(R"("exp":)" + end, R"("exp":)" + end + R"(,"exp":)" + end),
        claims_with(times, time_claims(now_s - 7200, now_s - 60)),
        claims_with(times, time_claims(now_s + 60, now_s + 600)),
        claims_with(times, time_claims(now_s - 60, now_s + 90'000)),
        claims_with(times, time_claims(now_s + 5, now_s + 5)),
        claims_with(R"("nbf":)", R"("nb":)"),
        claims_with(R"("iat":)", R"("ia":)"),
        claims_with(audience, R"("aud":"libqueue2")"),
        claims_with(audience, R"("aud":"LIBQUEUE")"),
        claims_with(audience, R"("aud":["a","b"])"),
        claims_with(audience, R"("aud":[["libqueue"]])"),
        claims_with(audience, R"("aud":{"a":"libqueue"})"),
        claims_with(audience, R"("x":1)"),
        claims_with("id.example.com", "id.example.com.evil"),
        claims_with("id.example.com", "id.example.com/"),
        claims_with(R"("sub":"u1")", R"("sub":"")"),
        claims_with(R"("sub":"u1")", R"("sub":"a\nb")"),
        claims_with(R"("sub":"u1")", R"("sub":"u\u0000")"),
        claims_with(R"("sub":"u1")", R"("sub":7)"),
        claims_with(R"("sub":"u1")", R"("sub":")" + std::string(500, 'u') + '"'),
        claims_with(R"("jti":"t1")", R"("jt":"t1")"),
        claims_with(R"("role":"admin")", R"("role":"root")"),
        claims_with(R"("role":"admin")", R"("role":"ADMIN")"),
        claims_with(R"("role":"admin")", R"("role":[7,"admin"])"),
        claims_with(R"("role":"admin")", R"("role":{"admin":true})"),
        claims_with(R"("role":"admin")", R"("role":"admin","role":"admin")"),
        claims_with(tenant, "6f1c2a9e"),
        claims_with(tenant, "*"),
        claims_with('"' + tenant + '"', "null"),
        claims_with(R"(,"tenant_id":")" + tenant + '"', ""),
        [](std::mt19937&) { return good("[]"); },
        [](std::mt19937&) { return good(""); },
        [](std::mt19937&) { return good(std::string(9'000, '{')); },
        [](std::mt19937& random) { return good(letters(random, 300)); },
    };
}

}  // namespace

TEST_SUITE("jwt") {
    TEST_CASE("jwt: takes tokens signed by a key of ours, with role and tenant") {
        const auto found = verifier().verify(good(good_claims()), at(now_s));
        REQUIRE(found);
        CHECK(found->who.actor == "user:u1");
        CHECK(found->who.role == libqueue::role::admin);
        CHECK(found->who.tenant_id == tenant);
        CHECK(found->expires == at(now_s + 600));
        CHECK(found->token_id == "t1");

        const auto head = shared_head("RS256", "public");
        const auto text = packed(head) + '.' + packed(good_claims());
        CHECK(is_taken(text + '.' + packed(pair().sign(text))));
        CHECK(is_taken(good(replaced(good_claims(), audience, R"("aud":["x","libqueue"])"))));
        const auto viewer = verifier().verify(
            good(replaced(good_claims(), R"("admin")", R"(["guest","viewer"])")), at(now_s));
        REQUIRE(viewer);
        CHECK(viewer->who.role == libqueue::role::viewer);
    }

    TEST_CASE("jwt: the leeway is as long as it is said to be") {
        const auto token = good(good_claims());

        CHECK(verifier().verify(token, at(now_s + 609)));
        CHECK_FALSE(verifier().verify(token, at(now_s + 610)));
        CHECK(verifier().verify(token, at(now_s - 70)));
        CHECK_FALSE(verifier().verify(token, at(now_s - 71)));
    }

    TEST_CASE("jwt: times at the ends of what numbers can say are refused, not added up") {
        auto widest = rules();
        widest.leeway = std::chrono::seconds{30};
        widest.most_life = std::chrono::days{30};
        const api::jwt_verifier patient{widest};
        const std::vector<std::string> extremes{"9223372036854775807",  "9223372036854775797",
                                                "-9223372036854775808", "-9223372036854775798",
                                                "18446744073709551615", "9999999999",
                                                "10000000000",          "-1"};
        const auto taken = [&](const std::string& claims, std::int64_t now) {
            return patient.verify(good(claims), at(now)).has_value();
        };
        const auto with = [](const std::string& begin, const std::string& since,
                             const std::string& end) {
            return replaced(good_claims(), times,
                            R"("iat":)" + begin + R"(,"nbf":)" + since + R"(,"exp":)" + end);
        };
        const auto before = std::to_string(now_s - 60);
        const auto after = std::to_string(now_s + 600);
        REQUIRE(taken(with(before, before, after), now_s));

        for (const auto& each : extremes) {
            CHECK_FALSE_MESSAGE(taken(with(before, before, each), now_s), each);
            for (const auto& other : extremes)
                CHECK_FALSE_MESSAGE(taken(with(each, other, each), now_s), (each + ' ' + other));
        }
        for (const auto* each : {"9223372036854775807", "18446744073709551615", "9999999999",
                                 "10000000000", "-9223372036854775808", "-1"}) {
            CHECK_FALSE_MESSAGE(taken(with(each, before, after), now_s), each);
            CHECK_FALSE_MESSAGE(taken(with(before, each, after), now_s), each);
        }
        // The last moment there is, by a clock that shows it.
        CHECK(taken(with("9999999000", "9999999000", "9999999999"), 9'999'999'500));
    }

    TEST_CASE("jwt: of 10,000 forged tokens none is taken") {
        std::mt19937 random{20261121};
        auto forgers = wrong_signatures();
        for (auto& each : wrong_claims())
            forgers.push_back(std::move(each));
        const auto honest = good(good_claims());
        int taken = 0;
        for (int i = 0; i < 10'000; ++i) {
            const auto token = forgers[static_cast<std::size_t>(i) % forgers.size()](random);
            if (token != honest && is_taken(token)) {
                ++taken;
                MESSAGE("taken: forger " << i % static_cast<int>(forgers.size()) << ' ' << token);
            }
        }
        CHECK(taken == 0);
        CHECK(is_taken(honest));
    }

    TEST_CASE("jwt: keys that cannot protect are refused at the start") {
        const auto with = [](const std::string& algorithm, const std::string& key) {
            auto made = rules();
            made.keys.clear();
            made.keys.emplace_back("k", algorithm, key);
            return api::jwt_verifier{made};
        };
        CHECK_THROWS(with("HS256", std::string(31, 's')));
        CHECK_NOTHROW(with("HS256", std::string(32, 's')));
        CHECK_THROWS(with("HS512", std::string(63, 's')));
        CHECK_THROWS(with("none", secret));
        CHECK_THROWS(with("RS256", secret));
        CHECK_THROWS(with("ES256", pair().public_pem));
        CHECK_NOTHROW(with("RS512", pair().public_pem));
    }
}
