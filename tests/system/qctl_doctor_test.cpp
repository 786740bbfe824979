#include "qctl_bench.hpp"
#include "support/pg_cluster.hpp"

#include <libqueue/migrate.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <memory>

// What qctl doctor finds, each thing brought about for real; and that it finds nothing else.

using namespace std::chrono_literals;

namespace {

using words = test::qctl_bench::words;

class doctor_bench : public test::qctl_bench {
   public:
    explicit doctor_bench() = default;

    [[nodiscard]] test::command_result examine(words more = {}, const std::string& dsn = {}) const {
        more.insert(more.begin(), {"doctor", "-q", "-o", "json"});
        if (!dsn.empty()) {
            more.insert(more.end(), {"--db", dsn});
        }
        return run(std::move(more));
    }

    /// The one finding of a check; fails when there is none, or another check found something.
    [[nodiscard]] boost::json::object only(const std::string& check, words more = {},
                                           const std::string& dsn = {}) const {
        const auto done = examine(std::move(more), dsn);
        CAPTURE(done.output);
        const auto all = boost::json::parse(done.output).as_array();
        REQUIRE(all.size() == 1);
        CHECK(all[0].at("check").as_string() == check);
        CHECK(done.code == (all[0].at("severity").as_string() == "note" ? 0 : 6));
        return all[0].as_object();
    }
};

/// A pooler in transaction mode, where no session hears what it listens for.
class transaction_pooler {
   public:
    explicit transaction_pooler(const test::pg_cluster& cluster) {
        const auto folder = files_.path().string();
        const auto config = files_.write(
            "pgbouncer.ini", "[databases]\n* = host=" + cluster.socket_dir() +
                                 " user=postgres\n[pgbouncer]\npool_mode = transaction\n"
                                 "auth_type = any\nlisten_port = 6432\nunix_socket_dir = " +
                                 folder + "\n");
        test::process_options options{"/usr/sbin/pgbouncer", words{config.string()}};
        if (::geteuid() == 0) {
            options.run_as = "postgres";
            REQUIRE(::chmod(folder.c_str(), 0777) == 0);
            REQUIRE(::chmod(config.c_str(), 0644) == 0);
        }
        program_ = std::make_unique<test::process>(options);
        REQUIRE_MESSAGE(program_->wait_for_text("process up"), program_->errors());
    }
    [[nodiscard]] std::string dsn(const test::test_database& db) const {
        return "host=" + files_.path().string() + " port=6432 user=postgres dbname=" + db.name();
    }

   private:
    test::temp_dir files_;
    std::unique_ptr<test::process> program_;
};

std::string text(const boost::json::object& of, const char* name) {
    return std::string{of.at(name).as_string()};
}

}  // namespace

TEST_SUITE("qctl doctor") {
    TEST_CASE("doctor: finds nothing where all is well, and says so") {
        test::pg_cluster_options options;
        options.fsync = true;
        test::pg_cluster cluster{options};
        const test::test_database db{cluster};
        const doctor_bench bench;

        const auto done = bench.run({"doctor", "--db", db.dsn()});

        CHECK_MESSAGE(done.code == 0, done.output, done.errors);
        CHECK(done.output == "nothing found\n");
        CHECK(bench.examine({}, db.dsn()).output == "[]\n");
    }

    TEST_CASE("doctor: a throw-away server is a note, another that loses jobs is an error") {
        const doctor_bench bench;
        const auto allowed = bench.examine();
        CHECK(allowed.code == 0);
        CHECK(test::contains(allowed.output, "\"severity\":\"note\""));

        test::pg_cluster_options options;
        options.settings = {"libqueue.allow_unsafe_durability=off", "full_page_writes=on",
                            "synchronous_commit=off"};
        test::pg_cluster cluster{options};
        const test::test_database db{cluster};
        const auto refused = bench.examine({}, db.dsn());
        CHECK(refused.code == 6);
        CHECK(test::contains(refused.output, "fsync = off: a crash"));
        CHECK(test::contains(refused.output, "ALTER SYSTEM SET fsync = on"));
        CHECK(test::contains(refused.output, "synchronous_commit = off: a crash"));
        CHECK_FALSE(test::contains(refused.output, "full_page_writes"));
    }

    TEST_CASE("doctor: for people each finding is followed by its cure, worst first") {
        const doctor_bench bench;
        bench.database.execute("SELECT queue.create_queue('mail'); SELECT queue.pause('mail')");
        bench.database.execute("DROP INDEX queue.lease_worker_idx");

        const auto done = bench.run({"doctor"});

        CHECK(done.code == 6);
        const auto error = done.output.find("error: schema: index lease_worker_idx is missing\n");
        const auto warning = done.output.find("warning: queues: queue mail has been paused");
        CHECK(error < warning);
        CHECK(warning != std::string::npos);
        CHECK(test::contains(done.output, "    cure: qctl queues resume mail\n"));
        CHECK(test::contains(done.errors, "2 findings"));
    }

    TEST_CASE("doctor: tells a database without a queue from one that is behind or altered") {
        const doctor_bench bench;
        const test::test_database empty{test::test_database::content::empty};
        const auto none = bench.only("schema", {}, empty.dsn());
        CHECK(test::contains(text(none, "found"), "there is no queue"));
        CHECK(text(none, "severity") == "error");
        CHECK(text(none, "cure") == "qctl migrate up");

        bench.database.execute("UPDATE queue.migration SET checksum = 'x' WHERE number = 1");
        const auto altered = bench.examine();
        CHECK(altered.code == 6);
        CHECK(test::contains(altered.output, "migration 1 create_engine was altered"));
    }

    TEST_CASE("doctor: sees what was dropped or changed in the schema, in any schema") {
        const doctor_bench bench;
        const test::test_database own{test::test_database::content::empty};
        libqueue::migrate_options options;
        options.dsn = own.dsn();
        options.schema = "jobs";
        REQUIRE(libqueue::migrate(options).has_value());
        const auto examine = [&] {
            return bench.examine({"--schema", "jobs"}, own.dsn()).output;
        };
        CHECK_FALSE(test::contains(examine(), "\"check\":\"schema\""));

        own.execute(
            "ALTER TABLE jobs.attempt DROP COLUMN output CASCADE;"
            "ALTER TABLE jobs.job DROP CONSTRAINT job_pkey;"
            "DROP VIEW jobs.queue_stats;"
            "DROP FUNCTION jobs.discard;"
            "CREATE OR REPLACE FUNCTION jobs.too_large(payload jsonb, most integer) RETURNS void "
            "LANGUAGE plpgsql AS 'BEGIN END'");
        const auto found = examine();

        for (const auto* const what :
             {"column attempt.output is missing", "constraint job_pkey is missing",
              "view queue_stats is missing", "function discard is missing",
              "function too_large differs from this build's"}) {
            CHECK_MESSAGE(test::contains(found, what), what);
        }
    }

    TEST_CASE("doctor: a copy is found until it is adopted") {
        const doctor_bench bench;
        bench.database.execute("UPDATE queue.installation SET database_oid = 1");

        CHECK(test::contains(bench.examine().output, "this is a copy of another database"));
        CHECK(bench.code({"migrate", "adopt"}) == 2);
        CHECK(bench.code({"migrate", "adopt", "-n"}) == 0);
        CHECK(bench.examine().code == 6);
        CHECK(bench.code({"migrate", "adopt", "--yes", "--name", "here"}) == 0);
        CHECK(bench.examine().code == 0);
        CHECK(bench.database.query("SELECT name FROM queue.installation") == "here");
    }

    TEST_CASE("doctor: rights a worker would lack, with the grant that gives them") {
        const doctor_bench bench;
        const auto role = bench.database.name() + "_role";
        bench.database.execute("CREATE ROLE " + role + " LOGIN");
        bench.database.execute("GRANT USAGE ON SCHEMA queue TO " + role);
        bench.database.execute("GRANT SELECT ON ALL TABLES IN SCHEMA queue TO " + role);
        const auto dsn = "host=" + bench.database.cluster().socket_dir() + " user=" + role +
                         " dbname=" + bench.database.name();

        const auto lacking = bench.examine({}, dsn);
        CHECK(lacking.code == 6);
        CHECK(test::contains(lacking.output, "may not SELECT, INSERT, UPDATE, DELETE"));
        CHECK(test::contains(lacking.output, "row-level security shows it no job"));
        CHECK(test::contains(lacking.output, "GRANT queue_engine TO " + role));
        CHECK(test::contains(lacking.output, "cannot see other sessions"));

        bench.database.execute("GRANT queue_engine TO " + role);
        bench.database.execute("GRANT pg_read_all_stats TO " + role);
        CHECK(bench.examine({}, dsn).code == 0);
        bench.database.execute("DROP OWNED BY " + role);
        bench.database.execute("DROP ROLE " + role);
    }

    TEST_CASE("doctor: old transactions, prepared ones and slots nobody reads") {
        test::pg_cluster_options options;
        options.settings = {"wal_level=logical"};
        test::pg_cluster cluster{options};
        const test::test_database db{cluster};
        const doctor_bench bench;
        test::connection open{db.dsn() + " application_name=forgotten"};
        open.execute("BEGIN");
        open.execute("SELECT 1");
        test::connection prepared{db.dsn()};
        prepared.execute("BEGIN; SELECT txid_current(); PREPARE TRANSACTION 'two''phase'");
        db.execute("SELECT pg_create_physical_replication_slot('unread', true)");

        const auto soon = bench.examine({"--older-than", "1h"}, db.dsn()).output;
        CHECK_FALSE(test::contains(soon, "\"check\":\"transactions\""));
        const auto found = bench.examine({"--older-than", "1ms"}, db.dsn());

        CHECK(found.code == 6);
        CHECK(test::contains(found.output, "forgotten, idle in transaction"));
        CHECK(test::contains(
            found.output, "pg_terminate_backend(" + open.query("SELECT pg_backend_pid()") + ")"));
        CHECK(test::contains(found.output, "prepared transaction two'phase of postgres"));
        CHECK(test::contains(found.output, "ROLLBACK PREPARED 'two''phase'"));
        CHECK(test::contains(found.output, "replication slot unread is not in use"));
        prepared.execute("ROLLBACK PREPARED 'two''phase'");
        db.execute("SELECT pg_drop_replication_slot('unread')");
    }

    TEST_CASE("doctor: notifications that do not arrive behind a transaction pooler") {
        test::pg_cluster_options options;
        options.fsync = true;
        test::pg_cluster cluster{options};
        const test::test_database db{cluster};
        const doctor_bench bench;
        const transaction_pooler pooler{cluster};

        const auto found = bench.only("doorbell", {}, pooler.dsn(db));

        CHECK(test::contains(text(found, "found"), "notifications do not arrive"));
        CHECK(test::contains(text(found, "cure"), "database.listen_dsn"));
    }

    TEST_CASE("doctor: a clock that differs from the server's") {
        const doctor_bench bench;
        auto options = bench.command(
            {"-f", "+1h", test::binary("qctl").string(), "doctor", "-q", "-o", "json"});
        options.program = "faketime";

        const auto done = test::run_command(options);

        CHECK(done.code == 6);
        CHECK(test::contains(done.output, "the server's clock is 3600."));
        CHECK(test::contains(done.output, "s behind this machine's"));
    }

    TEST_CASE("doctor: silent workers, jobs without a worker or a handler, dying jobs") {
        const doctor_bench bench;
        bench.database.execute("DELETE FROM queue.worker");
        static_cast<void>(bench.enqueue());
        const auto alone = bench.examine();
        CHECK(alone.code == 6);
        CHECK(test::contains(alone.output, "jobs are due and no worker is live"));
        CHECK(test::contains(alone.output, "1 jobs of kind a.b wait in queue default"));

        doctor_bench other;
        static_cast<void>(other.bury("boom"));
        other.database.execute(
            "INSERT INTO queue.worker (beat_at, started_at, heartbeat_ms, lease_ms, pid, name, "
            "host, version, queues, kinds) VALUES (now() - interval '1 minute', now(), 2000, "
            "10000, 1, 'w', 'h', 'v', '{default}', '{a.b}')");
        const auto found = other.examine().output;
        CHECK(test::contains(found, "(w, process 1 on h) has been silent since"));
        CHECK(test::contains(found, "1 jobs of kind a.b died within the last hour, 0 in the 24"));
        CHECK(test::contains(found, "qctl dlq groups --kind a.b --since 1h"));
    }

    TEST_CASE("doctor: the budget of connections") {
        test::pg_cluster_options options;
        options.settings = {"max_connections=20"};
        test::pg_cluster cluster{options};
        const test::test_database db{cluster};
        const doctor_bench bench;
        CHECK(bench.examine({}, db.dsn()).code == 0);
        std::vector<std::unique_ptr<test::connection>> held;
        for (int i = 0; i < 14; ++i) {
            held.push_back(std::make_unique<test::connection>(db.dsn()));
        }

        const auto found = bench.examine({}, db.dsn());

        CHECK(found.code == 6);
        CHECK(test::contains(found.output, "of the 17 connections of the server are in use"));
    }

    TEST_CASE("doctor: a standby cannot be written to, and is told from a server that is away") {
        const doctor_bench bench;
        test::pg_cluster cluster;
        const auto dsn = cluster.dsn();
        test::execute(dsn, "ALTER SYSTEM SET default_transaction_read_only = on");
        test::execute(dsn, "SELECT pg_reload_conf()");
        REQUIRE(test::wait_until(
            [&] { return test::query(dsn, "SHOW default_transaction_read_only") == "on"; }));

        CHECK(test::contains(bench.examine({}, dsn).output, "default_transaction_read_only is on"));
        cluster.stop();
        const auto away = bench.run({"doctor", "--db", dsn});
        CHECK(away.code == 9);
        CHECK(test::contains(away.errors, "check --db"));
    }
}
