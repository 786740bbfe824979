#include "catalogue.hpp"

#include "processors/analytics/processor.hpp"
#include "processors/email/processor.hpp"
#include "processors/mint/processor.hpp"
#include "processors/payment/processor.hpp"
#include "processors/sms/processor.hpp"
#include "processors/webhook/processor.hpp"

#include <libqueue/migrate.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>

namespace processors = libqueue::processors;

namespace {

/// The queue and the tables of every processor.
class bench {
   public:
    bench() {
        std::vector<libqueue::migration_set> sets = processors::email::migration_sets();
        for (libqueue::migration_set& set : processors::sms::migration_sets()) {
            if (std::none_of(sets.begin(), sets.end(), [&](const libqueue::migration_set& known) {
                    return known.schema == set.schema;
                })) {
                sets.push_back(std::move(set));
            }
        }
        sets.push_back(processors::analytics::migrations());
        sets.push_back(processors::mint::migrations());
        sets.push_back(processors::payment::migrations());
        sets.push_back(processors::webhook::migrations());
        libqueue::migrate_options options;
        options.dsn = db.dsn();
        static_cast<void>(libqueue::migrate(options, sets).value());
        // Of a catalogue that is younger than its statistics the question takes seconds.
        db.execute(
            "ANALYZE pg_catalog.pg_class, pg_catalog.pg_policy, pg_catalog.pg_proc, "
            "pg_catalog.pg_attribute, pg_catalog.pg_index");
    }

    [[nodiscard]] std::string escaped() const {
        std::string all;
        for (const std::string& one : test::escapes(db)) {
            all += one + "\n";
        }
        return all;
    }

    test::test_database db;
};

}  // namespace

TEST_SUITE("tenancy catalogue") {
    TEST_CASE("nothing of any schema escapes row-level security") {
        bench t;
        CHECK(t.escaped() == "");
        // The question itself sees something: all schemas, with tables.
        CHECK(t.db.query("SELECT string_agg(DISTINCT c.relnamespace::regnamespace::text, ' ') "
                         "FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid") ==
              "analytics contacts mail mint payments queue webhooks");
    }

    TEST_CASE("a leak of any kind is found") {
        bench t;
        const auto found = [&](const std::string& planted, const std::string& word) {
            CAPTURE(planted);
            t.db.execute(planted);
            CHECK(t.escaped().find(word) != std::string::npos);
        };
        found("CREATE TABLE queue.leak (tenant_id uuid, secret text)",
              "table queue.leak: no forced row-level security");
        found("CREATE SCHEMA other; CREATE TABLE other.leak (id int)",
              "table other.leak: no forced row-level security");
        found("ALTER TABLE queue.job NO FORCE ROW LEVEL SECURITY",
              "table queue.job: no forced row-level security");
        found("CREATE VIEW queue.all_jobs AS SELECT * FROM queue.job",
              "view queue.all_jobs: not security_invoker");
        found("CREATE MATERIALIZED VIEW queue.kept AS SELECT * FROM queue.job",
              "materialised view queue.kept");
        found(
            "CREATE FUNCTION queue.leak() RETURNS bigint LANGUAGE sql SECURITY DEFINER "
            "AS 'SELECT count(*) FROM queue.job'",
            "function queue.leak(): no pinned search_path");
        CHECK(t.escaped().find("function queue.leak(): PUBLIC may call it") != std::string::npos);
        CHECK(t.escaped().find("function queue.leak(): does not look at the tenant") !=
              std::string::npos);
        found("CREATE POLICY more ON queue.dead_letter TO PUBLIC USING (true)",
              "policy more of queue.dead_letter");
        found(
            "DROP POLICY tenant ON queue.batch; CREATE POLICY tenant ON queue.batch "
            "TO queue_producer USING (true) WITH CHECK (true)",
            "policy of queue.batch: does not ask for the tenant");
        CHECK(t.escaped().find("table queue.batch: seen by all though it has column tenant_id") !=
              std::string::npos);
        found("GRANT UPDATE ON queue.job TO queue_operator", "queue.job: UPDATE granted");
        found("GRANT SELECT ON queue.limit_bucket TO PUBLIC", "queue.limit_bucket: SELECT granted");
        found("CREATE UNIQUE INDEX leak_key ON queue.schedule (name)",
              "key leak_key of queue.schedule");
    }

    TEST_CASE("what processors keep is kept apart, too") {
        bench t;
        constexpr const char* mine{"'00000000-0000-4000-8000-00000000000a'"};
        constexpr const char* theirs{"'00000000-0000-4000-8000-00000000000b'"};
        test::connection on{t.db.dsn()};
        const auto as = [&](const char* tenant, const std::string& sql) {
            on.execute("BEGIN; SELECT queue.act_as('x', 'admin', " + std::string{tenant} + ")");
            std::string got;
            try {
                got = on.query(sql);
            } catch (const test::sql_error& why) {
                got = why.sqlstate();
            }
            on.execute(got.size() == 5 && !got.empty() ? "ROLLBACK" : "COMMIT");
            return got;
        };
        const std::string create =
            "SELECT webhooks.endpoint_create(NULL, 'https://a.example/h', '{order.*}')";
        const std::string endpoint = as(mine, create);
        REQUIRE(endpoint.size() < 5);
        CHECK(as(mine, "SELECT count(*) FROM webhooks.endpoints") == "1");
        CHECK(as(theirs, "SELECT count(*) FROM webhooks.endpoints") == "0");
        for (const std::string tenant : {"NULL", mine, theirs}) {
            CAPTURE(tenant);
            CHECK(as(theirs, "SELECT webhooks.endpoint_disable(" + tenant + ", " + endpoint +
                                 ", 'x')") == "LQ005");
            CHECK(as(theirs, "SELECT webhooks.endpoint_rotate(" + tenant + ", " + endpoint + ")") ==
                  "LQ005");
        }
        CHECK(as(theirs, "SELECT webhooks.publish(" + std::string{mine} +
                             ", 'order.paid', '{}')") == "LQ005");
        CHECK(as(theirs, "SELECT webhooks.publish(NULL, 'order.paid', '{}')") != "LQ005");
        CHECK(as(theirs, "SELECT count(*) FROM queue.jobs WHERE kind = 'webhook.event'") == "0");
        CHECK(as(mine, "SELECT count(*) FROM mail.templates") != "0");
        CHECK(as(theirs, "SELECT queue.publish('a.b', '{}', " + std::string{mine} + ")") ==
              "LQ005");
        t.db.execute(
            "INSERT INTO payments.payment (tenant_id, order_id, provider, amount, "
            "currency, state) VALUES (" +
            std::string{mine} + ", 'o', 'stripe', 5, 'EUR', 'processing')");
        CHECK(as(mine, "SELECT count(*) FROM payments.payments") == "1");
        CHECK(as(theirs, "SELECT count(*) FROM payments.payments") == "0");
        CHECK(as(theirs, "SELECT payments.decide(id, 'failed') FROM generate_series(1, 9) id") ==
              "LQ005");
        CHECK(t.db.query("SELECT string_agg(action || ' ' || tenant_id::text, ', ' ORDER BY id) "
                         "FROM queue.audit") ==
              "endpoints.create 00000000-0000-4000-8000-00000000000a");
    }

    TEST_CASE("a table that a migration makes is hidden until it has a rule, then it has its own") {
        bench t;
        t.db.execute(
            "CREATE TABLE queue.fresh (tenant_id uuid, n int);"
            "INSERT INTO queue.fresh SELECT '00000000-0000-4000-8000-00000000000a', 1;"
            "INSERT INTO queue.fresh SELECT '00000000-0000-4000-8000-00000000000b', 2;"
            "SELECT queue.apply_rights()");
        CHECK(t.escaped() == "");
        const std::string seen =
            "BEGIN; SELECT queue.act_as('x', 'admin', '00000000-0000-4000-8000-00000000000a')";
        test::connection on{t.db.dsn()};
        on.execute(seen);
        CHECK_THROWS_AS(static_cast<void>(on.query("SELECT sum(n) FROM queue.fresh")),
                        test::sql_error);
        on.execute("ROLLBACK");
        t.db.execute(
            "SELECT queue.protect('queue.fresh', 'tenant_id = queue.current_tenant()');"
            "SELECT queue.apply_rights()");
        CHECK(t.escaped() == "");
        on.execute(seen);
        CHECK(on.query("SELECT sum(n) FROM queue.fresh") == "1");
        on.execute("ROLLBACK");
        on.execute("SET ROLE queue_operator");
        CHECK(on.query("SELECT count(*) FROM queue.fresh") == "0");
    }
}
