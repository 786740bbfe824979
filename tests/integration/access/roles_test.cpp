#include "integration/engine/rig.hpp"
#include "support/pg_cluster.hpp"

#include <libqueue/access.hpp>
#include <libqueue/migrate.hpp>
#include <sql/queries.hpp>

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

// The database's roles: who migrates, who runs workers, and what each of them finds.

using namespace engine_test;
using libqueue::errc;

namespace {

/// Roles belong to the cluster, so each of these has a cluster of its own.
class bench {
   public:
    /// A database owned by a login role that may do no more than `attributes` says.
    explicit bench(const std::string& attributes) {
        test::execute(cluster.dsn(), "CREATE ROLE owner LOGIN " + attributes);
        test::execute(cluster.dsn(), "CREATE DATABASE app OWNER owner");
    }

    [[nodiscard]] std::string dsn(const std::string& role) const {
        return cluster.dsn("app") + " user=" + role;
    }
    void migrate() const {
        libqueue::migrate_options options;
        options.dsn = dsn("owner");
        static_cast<void>(libqueue::migrate(options).value());
    }
    [[nodiscard]] std::string ask(const std::string& role, const std::string& sql) const {
        return test::query(dsn(role), sql);
    }

    test::pg_cluster cluster;
};

/// Runs one job with this connection; the worker's options are the rig's.
std::string run_job(const bench& t, const std::string& role) {
    rig with;
    auto wanted = with.options();
    wanted.dsn = t.dsn(role);
    wanted.migrate = false;
    wanted.require_tenancy = true;
    try {
        const auto worker = with.start({noop()}, wanted);
        const std::string id = t.ask("owner", "SELECT queue.enqueue('noop', '{}')");
        const bool done = test::wait_until(
            [&] {
                return t.ask("owner", "SELECT state FROM queue.jobs WHERE id = " + id) ==
                       "completed";
            },
            10s);
        return done ? "completed" : "not completed";
    } catch (const libqueue::domain_failure& refused) {
        return refused.why().message;
    }
}

bool says(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_SUITE("roles") {
    TEST_CASE("one role for everything goes on as it did, and the planner sees no policy") {
        const bench t{"CREATEROLE"};
        t.migrate();
        CHECK(t.ask("owner", "SELECT count(*) > 100 FROM pg_policy") == "t");
        CHECK(t.ask("owner", "SELECT queue.enqueue('a.b', '{}')") == "1");
        CHECK(t.ask("owner", "SELECT state FROM queue.jobs") == "ready");
        test::connection on{t.dsn("owner")};
        for (const auto& [name, arguments] :
             {std::pair{"claim", "1, 1, '{1}', '{2020-01-01}', '{0}', '{500}', 500, NULL"},
              std::pair{"finish_completed", "1, '{1}', '{1}', '{1}', '{1}', '{1}', '{1}'"},
              std::pair{"find_job", "1"}}) {
            CAPTURE(name);
            for (const libqueue::sql::query& one : libqueue::sql::all_queries) {
                if (one.name == name) {
                    on.execute("PREPARE p AS " + std::string{one.text});
                }
            }
            std::string plan;
            for (const auto& line :
                 on.rows("EXPLAIN (COSTS OFF) EXECUTE p(" + std::string{arguments} + ")")) {
                plan += line.front().value_or("") + "\n";
            }
            on.execute("DEALLOCATE p");
            CHECK(plan.size() > 20);
            CHECK_FALSE(says(plan, "current_setting"));
        }
    }

    TEST_CASE("who may not make roles still migrates, and installs them later") {
        const bench t{"NOCREATEROLE"};
        t.migrate();
        CHECK(t.ask("owner", "SELECT count(*) FROM pg_policy") == "0");
        CHECK(t.ask("owner", "SELECT queue.enqueue('a.b', '{}')") == "1");
        libqueue::client on{libqueue::client_options{t.dsn("owner")}};
        libqueue::access_control access{on};
        const auto refused = access.install_roles();
        REQUIRE(refused.has_error());
        CHECK(refused.error().code == errc::conflict);
        test::execute(t.cluster.dsn(), "ALTER ROLE owner CREATEROLE");
        CHECK(access.install_roles().has_value());
        CHECK(t.ask("owner", "SELECT count(*) FROM queue.jobs") == "1");
        for (const auto& row : access.list_roles().rows) {
            CHECK(row.at(1) == "t");
        }
    }

    TEST_CASE("a worker runs as a member of engine; superuser, BYPASSRLS, owner are refused") {
        const bench t{"CREATEROLE"};
        t.migrate();
        test::execute(t.cluster.dsn(),
                      "CREATE ROLE runner LOGIN IN ROLE queue_engine, queue_operator;"
                      "CREATE ROLE other LOGIN IN ROLE queue_operator;"
                      "CREATE ROLE free LOGIN BYPASSRLS IN ROLE queue_engine, queue_operator;"
                      "CREATE ROLE super LOGIN SUPERUSER");
        CHECK(run_job(t, "runner") == "completed");
        // It does what people asked for, though it may not write to the audit by itself.
        test::execute(
            t.dsn("owner"),
            "SELECT queue.enqueue('waiting.long', '{}', run_at => now() + interval '1 hour')");
        test::execute(t.dsn("owner"),
                      "SELECT queue.create_operation('cancel', '[{\"field\": \"kind\", \"any\": "
                      "[{\"eq\": \"waiting.long\"}]}]', 'kind:waiting.long', undo => '0')");
        CHECK(t.ask("runner", "SELECT ended FROM queue.run_operations()") == "t");
        CHECK(t.ask("owner", "SELECT state || done FROM queue.operations") == "completed1");
        CHECK(t.ask("owner", "SELECT action FROM queue.audit ORDER BY id DESC LIMIT 1") ==
              "operations.end");
        CHECK(says(run_job(t, "super"), "got a superuser"));
        CHECK(says(run_job(t, "free"), "got one with BYPASSRLS"));
        CHECK(says(run_job(t, "owner"), "got the owner of the tables"));
        CHECK(run_job(t, "other") != "completed");
    }

    TEST_CASE("nobody outside the roles may do anything, and nobody writes the audit's tables") {
        const bench t{"CREATEROLE"};
        t.migrate();
        test::execute(t.cluster.dsn(),
                      "CREATE ROLE stranger LOGIN; CREATE ROLE runner LOGIN IN ROLE queue_engine;"
                      "CREATE ROLE maker LOGIN IN ROLE queue_producer;"
                      "CREATE ROLE onlooker LOGIN IN ROLE queue_auditor");
        const auto denied = [&](const std::string& role, const std::string& sql) {
            try {
                static_cast<void>(t.ask(role, sql));
                return false;
            } catch (const test::sql_error& why) {
                return why.sqlstate() == "42501";
            }
        };
        CHECK(denied("stranger", "SELECT count(*) FROM queue.job"));
        CHECK(denied("stranger", "SELECT queue.enqueue('a.b', '{}')"));
        CHECK(denied("runner", "DELETE FROM queue.audit"));
        CHECK(denied("runner", "UPDATE queue.audit_head SET id = 0"));
        CHECK(
            denied("runner", "INSERT INTO queue.audit_entry (actor, action) VALUES ('a', 'b.c')"));
        CHECK(denied("runner", "INSERT INTO queue.api_token (id) VALUES (gen_random_uuid())"));
        CHECK(t.ask("maker", "SELECT queue.enqueue('a.b', '{}')") == "1");
        CHECK(denied("maker", "SELECT queue.retry(1)"));
        CHECK(denied("maker", "DELETE FROM queue.job"));
        // Without a tenant of its own it is shown nothing.
        CHECK(t.ask("maker", "SELECT count(*) FROM queue.jobs") == "0");
        CHECK(t.ask("onlooker", "SELECT count(*) FROM queue.jobs") == "1");
        CHECK(denied("onlooker", "UPDATE queue.job SET payload = '{}'"));
    }

    TEST_CASE("roles that had rights of their own before become members") {
        const bench t{"NOCREATEROLE"};
        t.migrate();
        test::execute(t.cluster.dsn(),
                      "CREATE ROLE runner LOGIN; CREATE ROLE onlooker LOGIN;"
                      "CREATE ROLE maker LOGIN; ALTER ROLE owner CREATEROLE");
        test::execute(t.dsn("owner"),
                      "GRANT USAGE ON SCHEMA queue TO runner, onlooker, maker;"
                      "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA queue "
                      "TO runner;"
                      "GRANT SELECT ON ALL TABLES IN SCHEMA queue TO onlooker;"
                      "SELECT queue.enqueue('a.b', '{}'); SELECT queue.install_roles()");
        CHECK(t.ask("runner", "SELECT count(*) FROM queue.job") == "1");
        CHECK(t.ask("onlooker", "SELECT count(*) FROM queue.jobs") == "1");
        CHECK(t.ask("maker", "SELECT queue.enqueue('a.b', '{}')") == "2");
    }

    TEST_CASE("databases of one cluster are migrated at the same time") {
        const bench t{"CREATEROLE CREATEDB"};
        std::vector<std::thread> all;
        std::vector<std::string> failed(4);
        for (std::size_t i = 0; i < failed.size(); ++i) {
            test::execute(t.cluster.dsn(),
                          "CREATE DATABASE app" + std::to_string(i) + " OWNER owner");
        }
        for (std::size_t i = 0; i < failed.size(); ++i) {
            all.emplace_back([&, i] {
                libqueue::migrate_options options;
                options.dsn = t.cluster.dsn("app" + std::to_string(i)) + " user=owner";
                try {
                    static_cast<void>(libqueue::migrate(options).value());
                } catch (const std::exception& what) {
                    failed[i] = what.what();
                }
            });
        }
        for (std::thread& one : all) {
            one.join();
        }
        for (std::size_t i = 0; i < failed.size(); ++i) {
            CHECK(failed[i] == "");
            CHECK(test::query(t.cluster.dsn("app" + std::to_string(i)),
                              "SELECT count(*) > 100 FROM pg_policy") == "t");
        }
    }
}
