#include "qctl_bench.hpp"

// qctl's verbs on tokens, tenants, the audit and roles.

namespace {

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

}  // namespace

TEST_SUITE("qctl access") {
    TEST_CASE("tokens create prints the token alone, tenants create the id alone") {
        test::qctl_bench t;
        const auto tenant = t.run({"tenants", "create", "acme"});
        REQUIRE(tenant.code == 0);
        CHECK(tenant.output.size() == 37);
        CHECK(tenant.errors.empty());
        const std::string id = first_line(tenant.output);
        const auto made = t.run({"tokens", "create", "--role", "operator", "--tenant", id, "--ttl",
                                 "1h", "--name", "ci"});
        REQUIRE_MESSAGE(made.code == 0, made.errors);
        CHECK(made.output.size() == 47);
        CHECK(made.output.starts_with("lq_"));
        CHECK(made.output.ends_with("\n"));
        CHECK(made.errors.empty());
        const auto who = t.json({"tokens", "whoami", "-"}, made.output);
        CHECK(who.at("actor") == "token:ci");
        CHECK(who.at("tenant_id").as_string() == id);
    }

    TEST_CASE("whoami reads the token from stdin and tells whose it is, until it is revoked") {
        test::qctl_bench t;
        const auto made = t.json({"tokens", "create", "--role", "admin"});
        const std::string token = made.at("token").as_string().c_str();
        const std::string id = made.at("id").as_string().c_str();
        const auto who = t.json({"tokens", "whoami", "-"}, token + "\n");
        CHECK(who.at("role") == "admin");
        CHECK(who.at("token_id").as_string() == id);
        CHECK(who.at("tenant_id").is_null());
        CHECK(t.json({"tokens", "list"}).as_array().at(0).at("state") == "active");
        CHECK(t.code({"tokens", "revoke", id}) == 0);
        const auto [code, error] = [&] {
            const auto done = t.run({"tokens", "whoami", "-", "-o", "json"}, token);
            return std::pair{done.code, done.errors};
        }();
        CHECK(code == 3);
        CHECK(error.find(token) == std::string::npos);
        CHECK(t.code({"tokens", "revoke", "00000000-0000-4000-8000-000000000000"}) == 3);
        CHECK(t.code({"tokens", "create", "--role", "owner"}) == 2);
        CHECK(t.code({"tokens", "create", "--tenant", "00000000-0000-4000-8000-000000000000"}) ==
              3);
    }

    TEST_CASE("what a person does with qctl is in the audit, what they look at is not") {
        test::qctl_bench t;
        const auto job = t.enqueue();
        REQUIRE(t.code({"queues", "pause", "default", "--yes"}) == 0);
        REQUIRE(t.code({"jobs", "cancel", std::to_string(job), "--yes"}) == 0);
        REQUIRE(t.code({"jobs", "list"}) == 0);
        const auto all = t.json({"audit", "list"});
        REQUIRE(all.as_array().size() == 2);
        CHECK(all.at(0).at("action") == "jobs.cancel");
        CHECK(all.at(0).at("target").as_string() == std::to_string(job));
        CHECK(all.at(1).at("action") == "queues.pause");
        CHECK(std::string{all.at(1).at("actor").as_string()}.starts_with("qctl:"));
        CHECK(t.json({"audit", "list", "--action", "queues.*"}).as_array().size() == 1);
    }

    TEST_CASE("workers: asked with consent only, looked for in a dry run, and audited once") {
        test::qctl_bench t;
        const std::string id = t.worker.id();
        CHECK(t.code({"workers", "quiet", id}) == 2);
        CHECK(t.code({"workers", "stop", id}) == 2);
        CHECK(t.code({"workers", "quiet", "seventeen", "--yes"}) == 2);
        CHECK(t.code({"workers", "drain", "999999", "-n"}) == 3);
        CHECK(t.json({"workers", "drain", id, "-n"}).at("result") == "would be asked to drain");
        CHECK(t.json({"audit", "list"}).as_array().empty());

        const auto asked = t.run({"workers", "quiet", id, "--yes"});
        CHECK(asked.output == "worker " + id + ": asked to be quiet\n");
        CHECK(t.json({"workers", "show", id}).at("asked") == "quiet");
        CHECK(t.json({"workers", "resume", id}).at("result") == "asked to go on");
        CHECK(t.json({"workers", "show", id}).at("asked").is_null());
        const auto all = t.json({"audit", "list"});
        REQUIRE(all.as_array().size() == 2);
        CHECK(all.at(1).at("action") == "workers.quiet");
        CHECK(all.at(1).at("target").as_string() == id);

        t.database.execute("UPDATE queue.worker SET state = 'draining'");
        const auto [code, error] = t.error({"workers", "stop", id, "--yes"});
        CHECK(code == 5);
        CHECK(error.at("code") == "conflict");
        CHECK(t.json({"audit", "list"}).as_array().size() == 2);
    }

    TEST_CASE("audit verify prints the head, which finds a cut end later") {
        test::qctl_bench t;
        for (int i = 0; i < 3; ++i) {
            REQUIRE(t.code({"queues", "pause", "default", "--yes"}) == 0);
        }
        const auto verified = t.run({"audit", "verify"});
        REQUIRE(verified.code == 0);
        const std::string head = first_line(verified.output);
        CHECK(head.starts_with("3:"));
        CHECK(t.code({"audit", "verify", "--anchor", head}) == 0);
        CHECK(t.code({"audit", "verify", "--anchor", "3:x"}) == 2);
        t.database.execute(
            "SET session_replication_role = replica; DELETE FROM queue.audit WHERE id = 3;"
            "UPDATE queue.audit_head h SET id = 2, hash = a.hash FROM queue.audit a "
            "WHERE a.id = 2");
        CHECK(t.code({"audit", "verify"}) == 0);
        CHECK(t.code({"audit", "verify", "--anchor", head}) == 6);
        t.database.execute(
            "SET session_replication_role = replica; "
            "UPDATE queue.audit SET actor = 'you' WHERE id = 1");
        const auto broken = t.run({"audit", "verify", "-o", "json"});
        CHECK(broken.code == 6);
        CHECK(boost::json::parse(broken.output).at("problem") == "the record was altered");
    }

    TEST_CASE("audit prune asks, and leaves a record") {
        test::qctl_bench t;
        REQUIRE(t.code({"queues", "pause", "default", "--yes"}) == 0);
        CHECK(t.code({"audit", "prune", "--older-than", "0s"}) == 2);
        CHECK(t.code({"audit", "prune", "--yes"}) == 2);
        CHECK(t.json({"audit", "prune", "--older-than", "1h", "--yes"}).at("removed") == 0);
        CHECK(t.code({"audit", "verify"}) == 0);
    }

    TEST_CASE("roles list and install") {
        test::qctl_bench t;
        CHECK(t.json({"roles", "list"}).as_array().at(0).at("exists") == true);
        CHECK(t.code({"roles", "install"}) == 0);
    }
}
