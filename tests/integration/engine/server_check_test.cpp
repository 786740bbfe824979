#include "rig.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <libqueue/migrate.hpp>

#include <doctest/doctest.h>

#include <string>

// On which servers a worker runs jobs and on which it must not.

using namespace engine_test;
using libqueue::errc;
using libqueue::event_type;

TEST_SUITE_BEGIN("server check");

namespace {

class other_settings {
   public:
    explicit other_settings(bool fsync, std::vector<std::string> settings) {
        options.fsync = fsync;
        options.settings = std::move(settings);
        options.settings.emplace_back("libqueue.allow_unsafe_durability=off");
    }
    test::pg_cluster_options options;
};

/// What start() refuses with; an empty message when it does not.
libqueue::error refusal(rig& t, const libqueue::worker_options& wanted) {
    try {
        const auto worker = t.start({noop()}, wanted);
        return {};
    } catch (const libqueue::domain_failure& refused) {
        return refused.why();
    }
}

bool runs_a_job(rig& t, const libqueue::worker_options& wanted) {
    const auto worker = t.start({noop()}, wanted);
    return t.wait_state(t.enqueue("noop"), "completed");
}

bool says(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a server that loses acknowledged jobs is warned of, or refused when asked to") {
    for (const std::string setting : {"fsync", "full_page_writes"}) {
        CAPTURE(setting);
        test::pg_cluster cluster{other_settings{true, {setting + "=off"}}.options};
        rig t{cluster};
        auto wanted = t.options();
        wanted.require_durability = true;

        const auto refused = refusal(t, wanted);

        CHECK(refused.code == errc::unfit_server);
        CHECK(says(refused.message, "got " + setting + " = off"));
        CHECK(says(refused.hint, "database.require_durability: false"));
        wanted.require_durability = false;
        CHECK(runs_a_job(t, wanted));
        CHECK(t.seen.count(event_type::server_unsafe) == 1);
    }
}

TEST_CASE("a server may say of itself that it is a throw-away one") {
    test::pg_cluster_options options;
    options.settings = {"fsync=off", "libqueue.allow_unsafe_durability=true"};
    test::pg_cluster cluster{options};
    rig t{cluster};

    auto wanted = t.options();
    wanted.require_durability = true;
    CHECK(runs_a_job(t, wanted));
    CHECK(t.seen.count(event_type::server_unsafe) == 1);
}

TEST_CASE("a durable server gives no reason to warn") {
    test::pg_cluster cluster{other_settings{true, {}}.options};
    rig t{cluster};

    CHECK(runs_a_job(t, t.options()));
    CHECK(t.seen.count(event_type::server_unsafe) == 0);
}

TEST_CASE("synchronous_commit=off is warned of, and the worker's own commits wait all the same") {
    test::pg_cluster cluster{other_settings{true, {"synchronous_commit=off"}}.options};
    rig t{cluster};
    t.db.execute(
        "CREATE TABLE seen (setting text);"
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO public.seen VALUES (current_setting('synchronous_commit')); RETURN NULL; "
        "END $$;"
        "CREATE TRIGGER note AFTER INSERT ON queue.attempt EXECUTE FUNCTION note();"
        "CREATE TRIGGER note AFTER INSERT ON queue.lease EXECUTE FUNCTION note();");

    CHECK(runs_a_job(t, t.options()));

    CHECK(t.seen.wait_for(event_type::server_unsafe, [](const test::recorded_event& e) {
        return says(e.message, "synchronous_commit = off");
    }));
    CHECK(t.db.query("SELECT string_agg(DISTINCT setting, ' ') FROM seen") == "on");
    CHECK(t.db.query("SHOW synchronous_commit") == "off");
}

TEST_CASE("a copy within one server is warned of until it is adopted") {
    rig t;
    const std::string copy = t.db.name() + "_copy";
    test::execute(t.db.cluster().dsn(), "CREATE DATABASE " + copy + " TEMPLATE " + t.db.name());
    auto wanted = t.options();
    wanted.dsn = t.db.cluster().dsn(copy);

    const auto is_copy = [](const test::recorded_event& e) {
        return says(e.message, "a copy does its jobs a second time");
    };
    t.seen.clear();
    {
        const auto worker = t.start({noop()}, wanted);
        REQUIRE(t.seen.wait_for(event_type::server_unsafe, is_copy));
    }

    libqueue::migrate_options options;
    options.dsn = wanted.dsn;
    REQUIRE(libqueue::adopt(options, {}).has_value());
    CHECK(refusal(t, wanted).message.empty());
    test::execute(t.db.cluster().dsn(), "DROP DATABASE " + copy + " WITH (FORCE)");
}

TEST_CASE("a dump restored into another server is refused until it is adopted") {
    rig t;
    const test::temp_dir files;
    const auto dump = (files.path() / "dump.sql").string();
    const auto tool = [](const char* name, std::vector<std::string> args) {
        const auto done =
            test::run_command(test::process_options{test::pg_bin_dir() / name, std::move(args)});
        REQUIRE_MESSAGE(done.code == 0, done.errors);
    };
    test::pg_cluster elsewhere;
    tool("pg_dump", {"-d", t.db.dsn(), "-f", dump});
    // Roles are the server's: no dump of a database has them, and policies name them.
    test::execute(elsewhere.dsn(),
                  "CREATE ROLE queue_engine; CREATE ROLE queue_producer;"
                  "CREATE ROLE queue_operator; CREATE ROLE queue_auditor");
    tool("psql", {"-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", elsewhere.dsn(), "-f", dump});
    auto wanted = t.options();
    wanted.dsn = elsewhere.dsn();

    CHECK(refusal(t, wanted).code == errc::unfit_server);
    test::execute(elsewhere.dsn(), "SELECT queue.adopt()");
    CHECK(refusal(t, wanted).message.empty());
}

TEST_CASE("a worker that expects a name is refused by a database of another, or of none") {
    rig t;
    auto wanted = t.options();
    wanted.installation = "production";

    CHECK(says(refusal(t, wanted).message, "got one without a name"));
    t.db.execute("SELECT queue.adopt('staging')");
    CHECK(says(refusal(t, wanted).message, "got 'staging'"));
    t.db.execute("SELECT queue.adopt('production')");
    t.db.execute("SELECT queue.adopt()");

    CHECK(refusal(t, wanted).message.empty());
    CHECK_THROWS_WITH_AS(t.db.execute("SELECT queue.adopt('')"),
                         doctest::Contains("expected 1 to 64 characters, got 0"), test::sql_error);
}

TEST_CASE("a copy that comes up after the worker gets no jobs run, and does once it is adopted") {
    test::pg_cluster cluster;
    rig t{cluster};
    const auto id = t.enqueue("noop");
    t.db.execute("UPDATE queue.installation SET system_identifier = '1'");
    cluster.stop();
    const auto worker = t.start({noop()});
    cluster.start();

    REQUIRE(t.seen.wait_for(event_type::database_lost, [](const test::recorded_event& e) {
        return says(e.message, "refused: database: expected the one the queue was installed in");
    }));
    CHECK(t.db.query("SELECT count(*) FROM queue.worker") == "0");
    CHECK(t.state(id) == "ready");

    t.db.execute("SELECT queue.adopt()");

    CHECK(t.wait_state(id, "completed", 30s));
}

TEST_SUITE_END();
