#include "schema_dump.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/test_database.hpp"

#include <libqueue/client.hpp>
#include <libqueue/migrate.hpp>
#include <sql/migrations.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <thread>

using libqueue::errc;
using libqueue::migrate_options;

namespace {

constexpr auto empty = test::test_database::content::empty;

migrate_options options_for(const test::test_database& db, const std::string& schema = "queue") {
    migrate_options options;
    options.dsn = db.dsn();
    options.schema = schema;
    return options;
}

TEST_SUITE("migrate") {
    TEST_CASE("migrate: an empty database gets everything once") {
        const test::test_database db{empty};

        const auto first = libqueue::migrate(options_for(db));
        const auto again = libqueue::migrate(options_for(db));
        const auto state = libqueue::migration_state(options_for(db));

        REQUIRE(first.has_value());
        CHECK(first->size() == libqueue::sql::migrations.size());
        CHECK(again->empty());
        REQUIRE(state->size() == first->size());
        for (const auto& one : *state) {
            CHECK(one.applied);
            CHECK(one.checksum_ok);
            CHECK_FALSE(one.unknown);
            CHECK(one.applied_at.size() == std::string_view{"2026-01-01T00:00:00Z"}.size());
        }
        CHECK(db.query("SELECT queue.enqueue('a.b', '{}')") == "1");
    }

    TEST_CASE("migrate: a dry run tells what is pending and changes nothing") {
        const test::test_database db{empty};
        migrate_options options = options_for(db);
        options.dry_run = true;

        const auto pending = libqueue::migrate(options);

        REQUIRE(pending.has_value());
        CHECK(pending->size() == libqueue::sql::migrations.size());
        CHECK_FALSE(pending->front().applied);
        CHECK(db.query("SELECT to_regnamespace('queue') IS NULL") == "t");
        static_cast<void>(libqueue::migrate(options_for(db)).value());
        CHECK(libqueue::migrate(options)->empty());
    }

    TEST_CASE("migrate: twenty at once are harmless and apply each migration once") {
        const test::test_database db{empty};
        std::atomic<std::size_t> applied{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 20; ++i) {
            threads.emplace_back([&] {
                const auto mine = libqueue::migrate(options_for(db));
                CHECK(mine.has_value());
                applied += mine->size();
            });
        }
        for (std::thread& one : threads) {
            one.join();
        }

        CHECK(applied == libqueue::sql::migrations.size());
        CHECK(db.query("SELECT queue.enqueue('a.b', '{}')") == "1");
    }

    TEST_CASE("migrate: an edited migration is a schema_mismatch that names it") {
        const test::test_database db;
        db.execute("UPDATE queue.migration SET checksum = 'other' WHERE number = 2");

        const auto refused = libqueue::migrate(options_for(db));

        REQUIRE(refused.has_error());
        CHECK(refused.error().code == errc::schema_mismatch);
        CHECK(refused.error().message.find("0002_") != std::string::npos);
        CHECK_FALSE(libqueue::migration_state(options_for(db))->at(1).checksum_ok);
    }

    TEST_CASE("migrate: a newer schema is served unless it says it is breaking") {
        const test::test_database db;
        db.execute(
            "INSERT INTO queue.migration (number, name, checksum, breaking) "
            "VALUES (9001, 'add_something', 'x', false)");
        const auto newer = libqueue::migrate(options_for(db));
        const auto state = libqueue::migration_state(options_for(db));
        db.execute(
            "INSERT INTO queue.migration (number, name, checksum, breaking) "
            "VALUES (9002, 'drop_something', 'x', true)");
        const auto breaking = libqueue::migrate(options_for(db));

        CHECK(newer.has_value());
        CHECK(state->back().unknown);
        CHECK(state->back().number == 9001);
        REQUIRE(breaking.has_error());
        CHECK(breaking.error().code == errc::schema_mismatch);
        CHECK(breaking.error().message.find("9002_drop_something") != std::string::npos);
    }

    TEST_CASE("migrate: a schema that was left half-way goes on from there") {
        const test::test_database db{empty};
        static_cast<void>(libqueue::migrate(options_for(db)).value());
        db.execute("DROP SCHEMA queue CASCADE");
        const std::string script = libqueue::migration_sql();
        const std::size_t second = script.find("\nBEGIN;", script.find("create_engine"));
        db.execute(script.substr(0, second));

        const auto rest = libqueue::migrate(options_for(db));

        REQUIRE(rest.has_value());
        CHECK(rest->size() == libqueue::sql::migrations.size() - 1);
        CHECK(rest->front().number == 2);
    }

    TEST_CASE("migrate: a migration that fails leaves nothing behind and is named") {
        const test::test_database db{empty};
        // In the way of the third migration.
        db.execute(
            "CREATE SCHEMA queue;"
            "CREATE FUNCTION queue.fingerprint(kind text, error text) RETURNS text "
            "LANGUAGE sql AS 'SELECT 1'");

        try {
            static_cast<void>(libqueue::migrate(options_for(db)));
            FAIL("expected a failure");
        } catch (const libqueue::failure& what) {
            CHECK(std::string{what.what()}.find("migration 0003_") != std::string::npos);
        }
        CHECK(db.query("SELECT max(number) FROM queue.migration") == "2");
        CHECK(db.query("SELECT to_regclass('queue.jobs') IS NULL") == "t");
    }

    TEST_CASE("migrate: several schemas live side by side") {
        const test::test_database db;

        const auto other = libqueue::migrate(options_for(db, "jobs"));

        REQUIRE(other.has_value());
        CHECK(other->size() == libqueue::sql::migrations.size());
        CHECK(db.query("SELECT jobs.enqueue('a.b', '{}')") == "1");
        CHECK(db.query("SELECT count(*) FROM jobs.jobs") == "1");
        CHECK(db.query("SELECT count(*) FROM queue.jobs") == "0");
        // Nothing of one schema may lean on the other.
        db.execute("DROP SCHEMA queue CASCADE");
        CHECK(db.query("SELECT jobs.enqueue('a.b', '{}')") == "2");
        CHECK(db.query("SELECT jobs.cancel(2)") == "t");
        CHECK(libqueue::migrate(options_for(db, "x; DROP")).error().code == errc::invalid_argument);
    }

    TEST_CASE("migration_sql: psql applies it and leaves the migrations recorded") {
        const test::test_database db{empty};
        const test::temp_dir dir;
        const auto script = dir.write("all.sql", libqueue::migration_sql("jobs"));
        const auto apply = [&] {
            return test::run_command(test::process_options{
                "psql", {"-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", db.dsn(), "-f", script}});
        };

        const auto first = apply();
        const auto again = apply();

        CHECK(first.errors.find("ERROR") == std::string::npos);
        CHECK(first.code == 0);
        CHECK(again.code != 0);
        CHECK(libqueue::migrate(options_for(db, "jobs"))->empty());
        CHECK(db.query("SELECT jobs.enqueue('a.b', '{}')") == "1");
    }

    TEST_CASE("migrate: sets come after the queue's own, each in a schema and a table of its own") {
        const test::test_database db{empty};
        libqueue::migration_set set;
        set.schema = "shop";
        set.migrations.emplace_back(1, "create_basket",
                                    "-- breaking: no\nCREATE TABLE shop.basket (id bigint);\n"
                                    "CREATE VIEW shop.waiting AS SELECT id FROM queue.jobs;");
        const std::vector<libqueue::migration_set> sets{set};

        const auto first = libqueue::migrate(options_for(db, "jobs"), sets);
        const auto again = libqueue::migrate(options_for(db, "jobs"), sets);

        REQUIRE(first.has_value());
        CHECK(first->back().name == "shop.create_basket");
        CHECK(again->empty());
        CHECK(db.query("SELECT count(*) FROM shop.basket, shop.waiting") == "0");
        CHECK(db.query("SELECT name FROM shop.migration") == "create_basket");

        std::vector<libqueue::migration_set> edited = sets;
        edited[0].migrations[0].sql += " -- changed";
        CHECK(libqueue::migrate(options_for(db, "jobs"), edited).error().code ==
              errc::schema_mismatch);
    }

    TEST_CASE("migrate: a set that is not well formed is refused and named") {
        const test::test_database db{empty};
        const auto refused = [&](const libqueue::migration_set& set) {
            const auto answer = libqueue::migrate(options_for(db), std::vector{set});
            REQUIRE(answer.has_error());
            CHECK(answer.error().code == errc::invalid_argument);
            return answer.error().message;
        };
        libqueue::migration_set set;
        set.schema = "queue";
        CHECK(refused(set).find("schema of its own") != std::string::npos);
        set.schema = "shop; DROP";
        CHECK(refused(set).find("shop; DROP") != std::string::npos);
        set.schema = "shop";
        set.migrations.emplace_back(2, "b", "-- breaking: no\n");
        CHECK(refused(set).find("expected number 1") != std::string::npos);
        set.migrations[0].number = 1;
        set.migrations[0].sql = "SELECT 1";
        CHECK(refused(set).find("-- breaking: no") != std::string::npos);
    }

    TEST_CASE("schema: sql/schema.sql is what the migrations make") {
        const test::test_database db;

        const std::string now = test::dump_schema(db);
        const std::filesystem::path golden = test::source_dir() / "sql" / "schema.sql";
        if (std::getenv("LIBQUEUE_UPDATE_SCHEMA") != nullptr) {
            test::write_file(golden, now);
        }

        CHECK_MESSAGE(test::read_file(golden) == now,
                      "the migrations changed: run scripts/update-schema");
    }
}

}  // namespace
