#include "faults_fleet.hpp"
#include "faults_producer.hpp"
#include "support/pgbouncer.hpp"
#include "support/test_database.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <random>
#include <string>

// The programs behind a real PgBouncer in transaction mode.

namespace {

using namespace std::chrono_literals;

test::command_result qctl(std::vector<std::string> args) {
    return test::run_command(test::process_options{test::binary("qctl"), std::move(args)});
}

}  // namespace

TEST_SUITE("pooler") {
    TEST_CASE("workerd asked to LISTEN through a pooler leaves, and says what to do") {
        const test::test_database db;
        const test::pgbouncer pooler{db.cluster().socket_dir()};
        faults::fleet workers{pooler.dsn(db.name())};
        workers.grow(1);

        const auto ended = workers.at(0).wait(20s);

        REQUIRE(ended.has_value());
        CHECK(ended->code.value_or(0) != 0);
        const auto said = workers.at(0).errors();
        CAPTURE(said);
        CHECK(said.find("expected a direct connection for LISTEN, got a pooler") !=
              std::string::npos);
        CHECK(said.find("listen_dsn") != std::string::npos);
    }

    TEST_CASE("workerd behind a pooler, killed under load: no job is lost, none finished twice") {
        constexpr int kills = 5;
        std::mt19937_64 random{faults::seed() + 8};
        MESSAGE("seed " << faults::seed());
        const test::test_database db;
        const test::pgbouncer pooler{
            db.cluster().socket_dir(), "transaction", {"default_pool_size = 6"}};
        faults::fleet workers{pooler.dsn(db.name()), "", "listen: false"};
        workers.grow(3);
        REQUIRE(workers.wait_ready());
        faults::producer load{pooler.dsn(db.name()), faults::producer::mode::keyed, random()};

        for (int round = 0; round < kills; ++round) {
            REQUIRE(load.wait_for_more(50 + random() % 50));
            faults::pass_time(random, 100ms);
            workers.crash(random() % workers.size());
        }
        REQUIRE(workers.wait_ready());
        const auto promised = load.finish();

        faults::audit(db.dsn(), promised);
        CHECK(workers.stop());
    }

    TEST_CASE("qctl works through a pooler; only a timeout that was asked for is refused") {
        const test::test_database db;
        const test::pgbouncer pooler{db.cluster().socket_dir()};
        const std::string dsn = pooler.dsn(db.name());

        const auto done = qctl({"enqueue", "a.b", "--db", dsn});
        const auto listed = qctl({"jobs", "list", "-o", "id", "--db", dsn});
        const auto refused = qctl({"jobs", "list", "--timeout", "5s", "--db", dsn});

        CHECK_MESSAGE(done.code == 0, done.errors);
        CHECK(listed.output == done.output);
        CHECK(refused.code != 0);
        CHECK(refused.errors.find("expected a direct connection, got a pooler") !=
              std::string::npos);
        const auto timeouts = test::query(dsn, "SHOW statement_timeout");
        CHECK(timeouts == "0");
    }
}
