#include "api_rig.hpp"
#include "support/signed_token.hpp"
#include "support/wait_until.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

// JWTs from the configuration file to the answer: what docs/auth.md promises of them.

using namespace std::chrono_literals;
using test::api_request;

namespace {

const std::string issuer{"https://id.example.com"};

std::int64_t now_s() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// The platform that people log in at: it has the keys, workerd has what verifies them.
class platform {
   public:
    platform() {
        std::filesystem::permissions(
            secret_file_, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    }

    /// The section `http` with these lines below `keys`.
    [[nodiscard]] static std::string config(const std::string& keys) {
        return "http:\n  listen: \"127.0.0.1:0\"\n"
               "  rate_limits: {token: 100000/s, user: 100000/s, address: 100000/s}\n"
               "  auth:\n    jwt:\n      issuer: " +
               issuer +
               "\n      audience: libqueue\n      admin_roles: [SUPER_ADMIN]\n"
               "      operator_roles: [SUPPORT]\n      viewer_roles: [USER]\n      keys:\n" +
               keys;
    }
    [[nodiscard]] std::string shared_key() const {
        return "        shared: {algorithm: HS256, secret_file: " + secret_file_.string() + "}\n";
    }
    [[nodiscard]] std::string first_key() const {
        return "        \"2026-11\": {algorithm: RS256, public_key_file: " + first_file_.string() +
               "}\n";
    }
    [[nodiscard]] std::string second_key() const {
        return "        \"2026-12\": {algorithm: RS256, public_key_file: " + second_file_.string() +
               "}\n";
    }

    /// What the claims of a good token are; a test changes what it wants wrong.
    [[nodiscard]] static boost::json::object claims(const std::string& who, const std::string& role,
                                                    const std::string& tenant) {
        boost::json::object made;
        made["iss"] = issuer;
        made["aud"] = "libqueue";
        made["sub"] = who;
        made["jti"] = who + "-1";
        made["iat"] = now_s() - 60;
        made["nbf"] = now_s() - 60;
        made["exp"] = now_s() + 600;
        made["role"] = role;
        if (!tenant.empty())
            made["tenant_id"] = tenant;
        return made;
    }
    [[nodiscard]] static std::string head(const std::string& algorithm, const std::string& key) {
        return R"({"alg":")" + algorithm + R"(","typ":"JWT","kid":")" + key + "\"}";
    }
    [[nodiscard]] std::string by_shared(const boost::json::object& what) const {
        return test::shared_token(secret_, head("HS256", "shared"), boost::json::serialize(what));
    }
    [[nodiscard]] std::string by_first(const boost::json::object& what) const {
        return test::rsa_token(first_, head("RS256", "2026-11"), boost::json::serialize(what));
    }
    [[nodiscard]] std::string by_second(const boost::json::object& what) const {
        return test::rsa_token(second_, head("RS256", "2026-12"), boost::json::serialize(what));
    }
    /// The public key taken for a shared secret.
    [[nodiscard]] std::string by_public(const boost::json::object& what) const {
        return test::shared_token(first_.public_pem, head("HS256", "2026-11"),
                                  boost::json::serialize(what));
    }

    test::temp_dir folder;

   private:
    std::string secret_ = std::string(48, 's');
    test::rsa_pair first_;
    test::rsa_pair second_;
    std::filesystem::path secret_file_{folder.write("secret", secret_)};
    std::filesystem::path first_file_{folder.write("first.pem", first_.public_pem)};
    std::filesystem::path second_file_{folder.write("second.pem", second_.public_pem)};
};

boost::json::object with(boost::json::object claims, const std::string& name,
                         boost::json::value value) {
    claims[name] = std::move(value);
    return claims;
}

boost::json::object without(boost::json::object claims, const std::string& name) {
    claims.erase(name);
    return claims;
}

std::string job_of(const test::api_rig& rig, const std::string& tenant) {
    return rig.db().query(
        "SELECT queue.enqueue('a.b', '{}', queue => 'default', tenant_id => $1::uuid, "
        "delay => '1 hour')",
        {tenant});
}

}  // namespace

TEST_SUITE("http jwt") {
    TEST_CASE("http jwt: who logs in has the role and the tenant of the token, and no more") {
        const platform from;
        test::api_rig rig{from.config(from.shared_key() + from.first_key())};
        const auto mine = rig.tenant("mine");
        const auto other = rig.tenant("other");
        const auto my_job = job_of(rig, mine);
        const auto other_job = job_of(rig, other);
        const auto viewer = from.by_first(from.claims("vera", "USER", mine));
        const auto support = from.by_shared(from.claims("sam", "SUPPORT", mine));
        const auto admin = from.by_first(
            with(from.claims("ada", "", mine), "role", boost::json::array{"USER", "SUPER_ADMIN"}));

        const auto me = rig.get("/whoami", support);
        REQUIRE(me.status == 200);
        CHECK(me.text("actor") == "user:sam");
        CHECK(me.text("role") == "operator");
        CHECK(me.text("tenant_id") == mine);
        CHECK(rig.get("/whoami", viewer).text("role") == "viewer");
        CHECK(rig.get("/whoami", admin).text("role") == "admin");

        for (const auto& token : {viewer, support, admin}) {
            const auto jobs = rig.get("/jobs", token);
            REQUIRE(jobs.status == 200);
            REQUIRE(jobs.json().at("items").as_array().size() == 1);
            CHECK(jobs.json().at("items").at(0).at("id").as_int64() == std::stoll(my_job));
            CHECK(rig.get("/jobs/" + my_job, token).status == 200);
            CHECK(rig.get("/jobs/" + other_job, token).status == 404);
        }
        const auto enqueue = [&](const std::string& token) {
            return rig.ask(
                api_request{"POST", "/jobs", token,
                            R"({"kind":"a.b","payload":{},"run_at":"2099-01-01T00:00:00Z"})"});
        };
        CHECK(enqueue(viewer).status == 403);
        const auto made = enqueue(support);
        REQUIRE_MESSAGE(made.status == 201, made.body);
        CHECK(rig.db().query("SELECT string_agg(DISTINCT tenant_id::text, ',') FROM queue.jobs "
                             "WHERE id NOT IN ($1::bigint)",
                             {other_job}) == mine);
        const auto cancel = [&](const std::string& job, const std::string& token) {
            return rig.ask(api_request{"DELETE", "/jobs/" + job, token}).status;
        };
        CHECK(cancel(my_job, support) == 403);
        CHECK(cancel(other_job, admin) == 404);
        CHECK(cancel(my_job, admin) < 300);
        CHECK(rig.db()
                  .query("SELECT string_agg(actor, ',' ORDER BY id) FROM queue.audit "
                         "WHERE action IN ('jobs.enqueue', 'jobs.cancel')")
                  .find("user:ada") != std::string::npos);
        // What all tenants share is not a tenant's, whatever the role.
        CHECK(rig.get("/settings", admin).status == 403);
    }

    TEST_CASE("http jwt: whatever is not beyond doubt is refused in the same words") {
        const platform from;
        test::api_rig rig{from.config(from.shared_key() + from.first_key())};
        const auto good = from.claims("vera", "USER", rig.tenant("mine"));
        REQUIRE(rig.get("/whoami", from.by_first(good)).status == 200);
        REQUIRE(rig.get("/whoami", from.by_shared(good)).status == 200);
        const auto now = now_s();
        auto expired = with(good, "exp", now - 60);
        expired["iat"] = expired["nbf"] = now - 600;
        auto later = with(good, "nbf", now + 60);
        later["iat"] = now + 60;
        auto long_lived = with(good, "exp", now + 90'000);

        const std::vector<std::pair<std::string, std::string>> cases{
            {"expired", from.by_first(expired)},
            {"not yet", from.by_first(later)},
            {"too long a life", from.by_first(long_lived)},
            {"last second of all", from.by_first(with(good, "exp", 9223372036854775807))},
            {"first second of all", from.by_first(with(good, "nbf", -9223372036854775807 - 1))},
            {"another issuer", from.by_first(with(good, "iss", (issuer + "/").c_str()))},
            {"another audience", from.by_first(with(good, "aud", "shop"))},
            {"no tenant", from.by_first(without(good, "tenant_id"))},
            {"no id", from.by_first(without(good, "jti"))},
            {"no role of ours", from.by_first(with(good, "role", "GUEST"))},
            {"a key that is not there", from.by_second(good)},
            {"the public key as secret", from.by_public(good)},
            {"unsigned", test::packed(from.head("none", "2026-11")) + '.' +
                             test::packed(boost::json::serialize(good)) + '.'},
        };

        const auto none = rig.get("/whoami", "");
        for (const auto& [what, token] : cases) {
            const auto refused = rig.get("/whoami", token);
            CHECK_MESSAGE(refused.status == 401, what);
            CHECK(refused.text("code") == "unauthenticated");
            CHECK(refused.text("detail") == none.text("detail"));
            CHECK(refused.header("www-authenticate") == "Bearer");
            CHECK_MESSAGE(rig.workerd().errors().find(token) == std::string::npos, what);
        }
    }

    TEST_CASE("http jwt: keys are rotated by a reload, and a bad one changes nothing") {
        const platform from;
        test::api_rig rig{from.config(from.first_key())};
        const auto good = from.claims("vera", "USER", rig.tenant("mine"));
        const auto old_token = from.by_first(good);
        const auto new_token = from.by_second(good);
        const auto status = [&](const std::string& token) {
            return rig.get("/whoami", token).status;
        };
        REQUIRE(status(old_token) == 200);
        REQUIRE(status(new_token) == 401);

        CHECK(rig.reload(from.config(from.first_key() + from.second_key())));
        CHECK(status(old_token) == 200);
        CHECK(status(new_token) == 200);
        CHECK(rig.count("config_needs_restart") == 0);

        const auto broken = from.folder.write("broken.pem", "no key\n");
        CHECK_FALSE(
            rig.reload(from.config("        \"2027-01\": {algorithm: RS256, public_key_file: " +
                                   broken.string() + "}\n")));
        CHECK(status(old_token) == 200);
        CHECK(status(new_token) == 200);

        // Who was let in a moment ago is not any more.
        CHECK(rig.reload(from.config(from.second_key())));
        CHECK(status(old_token) == 401);
        CHECK(status(new_token) == 200);

        // New content of the same file.
        static_cast<void>(from.folder.write("second.pem", test::rsa_pair{}.public_pem));
        CHECK(rig.reload(from.config(from.second_key())));
        CHECK(status(new_token) == 401);

        CHECK(rig.reload("http: {listen: \"127.0.0.1:0\"}\n"));
        CHECK(status(old_token) == 401);
        CHECK(rig.reload(from.config(from.first_key())));
        CHECK(status(old_token) == 200);
    }

    TEST_CASE("http jwt: a revoked token ends within five seconds, its holder's others do not") {
        const platform from;
        test::api_rig rig{from.config(from.first_key())};
        const auto mine = rig.tenant("mine");
        const auto claims = from.claims("vera", "SUPER_ADMIN", mine);
        const auto token = from.by_first(claims);
        const auto next = from.by_first(with(claims, "jti", "vera-2"));
        const auto unused = from.by_first(with(claims, "jti", "vera-3"));
        const auto revoke = [&](const std::string& jti, const std::string& by) {
            return rig.ask(api_request{"POST", "/tokens/revocations", by,
                                       R"({"issuer":")" + issuer + R"(","jti":")" + jti +
                                           R"(","expires_at":"2099-01-01T00:00:00Z"})"});
        };
        REQUIRE(rig.get("/whoami", token).status == 200);

        CHECK(revoke("vera-1", token).status == 403);
        const auto admin = rig.token(libqueue::role::admin);
        CHECK(revoke("vera-1", admin).status == 204);
        CHECK(revoke("vera-3", admin).status == 204);

        CHECK(rig.get("/whoami", unused).status == 401);
        CHECK(test::wait_until([&] { return rig.get("/whoami", token).status == 401; }, 6s));
        CHECK(rig.get("/whoami", next).status == 200);
        const auto audit = rig.get("/audit?action=tokens.revoke_jwt", admin);
        CHECK(audit.json().at("items").as_array().size() == 2);
        CHECK(audit.body.find("vera") == std::string::npos);
    }
}
