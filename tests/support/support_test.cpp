#include "support/pg_cluster.hpp"
#include "support/process.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <csignal>

TEST_SUITE("support") {
    TEST_CASE("test_database: is migrated, private and dropped at the end") {
        std::string name;
        {
            test::test_database db;
            test::test_database other;
            name = db.name();
            CHECK(db.query("SELECT count(*) FROM queue.job") == "0");
            db.execute("CREATE TABLE mine (id int)");
            CHECK_THROWS_AS(other.execute("SELECT id FROM mine"), test::sql_error);
        }

        const auto left = test::rows(test::pg_cluster::shared().dsn(),
                                     "SELECT 1 FROM pg_database WHERE datname = $1", {name});
        CHECK(left.empty());
    }

    TEST_CASE("query: tells NULL from empty and reports the SQLSTATE") {
        test::test_database db{test::test_database::content::empty};
        test::connection conn{db.dsn()};

        const auto found = conn.rows("SELECT $1::text, $2::text, 7", {"", std::nullopt});

        REQUIRE(found.size() == 1);
        CHECK(found[0] == test::row{"", std::nullopt, "7"});
        try {
            conn.execute("SELECT 1/0");
            FAIL("a division by zero was accepted");
        } catch (const test::sql_error& error) {
            CHECK(error.sqlstate() == "22012");
        }
    }

    TEST_CASE("pg_cluster: survives a kill -9 of the postmaster") {
        test::pg_cluster cluster;
        test::test_database db{cluster, test::test_database::content::empty};
        db.execute("CREATE TABLE kept (id int)");
        db.execute("INSERT INTO kept VALUES (1)");
        test::connection held{db.dsn()};

        cluster.kill();
        CHECK_THROWS_AS(db.execute("SELECT 1"), test::sql_error);
        cluster.start();

        CHECK(db.query("SELECT count(*) FROM kept") == "1");
        cluster.stop();
        cluster.start();
        CHECK(db.query("SELECT count(*) FROM kept") == "1");
    }

    TEST_CASE("process: keeps output, environment, input and exit code") {
        test::process_options options{"sh",
                                      {"-c", "cat; echo \"$WORD\"; pwd; echo oops >&2; exit 3"}};
        options.env = {{"WORD", "hello"}};
        options.stdin_text = "given\n";
        options.working_dir = "/";

        const auto done = test::run_command(options);

        CHECK(done.code == 3);
        CHECK(done.output == "given\nhello\n/\n");
        CHECK(done.errors == "oops\n");
    }

    TEST_CASE("process: is signalled, awaited and killed at the end") {
        pid_t pid = -1;
        {
            test::process child{test::process_options{
                "sh", {"-c", "trap 'echo caught' TERM; echo ready; while :; do sleep 0.05; done"}}};
            pid = child.pid();
            REQUIRE(child.wait_for_text("ready"));
            child.signal(SIGTERM);
            CHECK(child.wait_for_text("caught"));
            CHECK_FALSE(child.wait(std::chrono::milliseconds{1}).has_value());
        }
        CHECK(::kill(pid, 0) == -1);
    }

    TEST_CASE("process: a program that does not exist is an error with its name") {
        CHECK_THROWS_WITH_AS(test::process{test::process_options{"/no/such/program"}},
                             "cannot run /no/such/program: No such file or directory",
                             std::runtime_error);
    }
}
