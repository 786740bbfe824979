#include "engine/rig.hpp"
#include "support/fault_proxy.hpp"
#include "support/pgbouncer.hpp"

#include <libqueue/client.hpp>
#include <libqueue/migrate.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <vector>

using namespace engine_test;
using libqueue::event_type;
using libqueue::pooling;

TEST_SUITE_BEGIN("connections: pooler");

namespace {

/// A PgBouncer with fewer sessions than a worker has connections, so that each of them meets
/// sessions the others have used.
class bench {
   public:
    explicit bench(const std::string& mode = "transaction")
        : pooler{t.db.cluster().socket_dir(), mode, {"default_pool_size = 3"}} {}

    [[nodiscard]] std::string dsn() const { return pooler.dsn(t.db.name()); }
    [[nodiscard]] libqueue::worker_options poll_only() {
        auto wanted = t.options();
        wanted.dsn = dsn();
        wanted.listen = false;
        wanted.poll_interval = 100ms;
        return wanted;
    }
    [[nodiscard]] libqueue::worker_options listening_apart() {
        auto wanted = t.options();
        wanted.dsn = dsn();
        wanted.listen_dsn = t.db.dsn();
        return wanted;
    }
    /// Counts its runs.
    [[nodiscard]] libqueue::registration counted() {
        return blocking("work", [this](libqueue::job_context&) {
            ++runs;
            return libqueue::completed();
        });
    }

    /// What was left behind in the sessions of the pooler that are open now; they are looked at
    /// all at once, so none of them twice.
    [[nodiscard]] std::string left_behind() const {
        std::string found;
        std::vector<test::connection> each;
        for (int session = 0; session < 3; ++session) {
            auto& on = each.emplace_back(dsn());
            on.execute("BEGIN");
            found += on.query(
                "SELECT coalesce(string_agg(name, ' '), '') FROM pg_settings WHERE name IN "
                "('plan_cache_mode', 'enable_seqscan', 'enable_bitmapscan', 'statement_timeout') "
                "AND setting <> boot_val");
            found += on.query(
                "SELECT coalesce(string_agg(name, ' '), '') "
                "FROM pg_prepared_statements");
            found += on.query(
                "SELECT coalesce(string_agg(c, ' '), '') "
                "FROM pg_listening_channels() c");
            found += on.query(
                "SELECT coalesce(string_agg('lock ' || objid, ' '), '') FROM pg_locks "
                "WHERE locktype = 'advisory' AND pid = pg_backend_pid()");
        }
        return found;
    }

    rig t;
    test::pgbouncer pooler;
    std::atomic<int> runs{0};
};

/// Loads of jobs while `fault` happens between them; each must run once and finish once.
template <typename Fault>
void work_through(bench& b, const libqueue::worker_options& wanted, Fault fault) {
    const auto worker = b.t.start({b.counted(), saying("fails", libqueue::discard("no"))}, wanted);
    REQUIRE(b.t.seen.wait_for(event_type::worker_ready));
    int jobs = 0;
    for (int round = 0; round < 5; ++round) {
        b.t.enqueue_many("work", 300);
        b.t.enqueue_many("fails", 20);
        jobs += 320;
        REQUIRE(b.t.wait_finished(jobs - 200, 30s));
        fault();
    }
    REQUIRE(b.t.wait_finished(jobs, 30s));
    CHECK(b.t.db.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'completed'") == "1500");
    CHECK(b.runs == 1500);
    worker->stop();
    CHECK(b.t.faults() == "");
    CHECK(b.t.seen.count(event_type::worker_lost) == 0);
    CHECK(b.t.seen.count(event_type::internal_error) == 0);
}

}  // namespace

TEST_CASE("transaction mode, polling: every job runs once and no session is left changed") {
    bench b;
    work_through(b, b.poll_only(), [] {});

    CHECK(b.left_behind() == "");
    CHECK(b.t.db.query("SELECT count(*) FROM queue.worker") == "0");
}

TEST_CASE("transaction mode, LISTEN over a second DSN: a wake-up arrives long before the poll") {
    bench b;
    auto wanted = b.listening_apart();
    wanted.poll_interval = 30s;
    const auto worker = b.t.start({noop("work")}, wanted);
    REQUIRE(b.t.seen.wait_for(event_type::worker_ready));
    // Asleep beside its doorbell.
    const auto first = b.t.enqueue("work");
    REQUIRE(b.t.wait_state(first, "completed"));
    REQUIRE(test::wait_until(
        [&] { return b.t.db.query("SELECT session_lock FROM queue.worker") == "t"; }));

    libqueue::client producer{libqueue::client_options{b.dsn()}};
    const auto job = producer.enqueue(libqueue::new_job{"work", "{}"});
    const auto begun = std::chrono::steady_clock::now();

    REQUIRE(job.has_value());
    REQUIRE(b.t.wait_state(job->id, "completed"));
    CHECK(since(begun) < test::scaled(5s));
    worker->stop();
    CHECK(b.left_behind() == "");
}

TEST_CASE("transaction mode, LISTEN over a second DSN: every job runs once") {
    bench b;
    work_through(b, b.listening_apart(), [] {});

    CHECK(b.left_behind() == "");
}

TEST_CASE("the pooler's sessions are cut under load: nothing is lost, nothing runs twice") {
    bench b;
    work_through(b, b.poll_only(), [&] {
        b.t.db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()");
    });
}

TEST_CASE("the pooler is killed and started again under load: the same") {
    bench b;
    work_through(b, b.poll_only(), [&] {
        b.pooler.kill();
        b.pooler.start();
    });
}

TEST_CASE("LISTEN through a pooler is refused, with what to do about it, and nothing is begun") {
    bench b;
    auto wanted = b.poll_only();
    wanted.listen = true;
    libqueue::worker refused{wanted, {noop("work")}};

    std::string said;
    try {
        refused.start();
    } catch (const libqueue::domain_failure& what) {
        CHECK(what.why().code == libqueue::errc::invalid_argument);
        said = what.why().message + " " + what.why().hint;
    }

    CAPTURE(said);
    CHECK(said.find("dsn: expected a direct connection for LISTEN, got a pooler") == 0);
    CHECK(said.find("listen_dsn") != std::string::npos);
    CHECK_FALSE(refused.running());
    CHECK(b.t.db.query("SELECT count(*) FROM queue.worker") == "0");

    wanted.pooler = pooling::transaction;
    CHECK_THROWS_WITH_AS(libqueue::worker(wanted, {noop("work")}),
                         doctest::Contains("expected listen_dsn"), std::invalid_argument);
}

TEST_CASE("a pooler that was not there at the start is refused when it is met") {
    test::pg_cluster own;
    rig t{own};
    test::pgbouncer pooler{own.socket_dir()};
    auto wanted = t.options();
    wanted.dsn = pooler.dsn(t.db.name()) + " connect_timeout=2";
    pooler.kill();
    const auto worker = t.start({noop("work")}, wanted);
    REQUIRE(t.seen.wait_for(event_type::database_lost));
    const auto id = t.enqueue("work");

    t.seen.clear();
    pooler.start();

    CHECK_FALSE(t.wait_state(id, "completed", 1s));
    CHECK(worker->id() == 0);
    worker->stop();
}

TEST_CASE("session mode, named as such: LISTEN and session locks work") {
    bench b{"session"};
    auto wanted = b.t.options();
    wanted.dsn = b.dsn();
    wanted.pooler = pooling::session;
    wanted.turn_connections = 1;  // three sessions there are
    wanted.poll_interval = 30s;
    const auto worker = b.t.start({noop("work")}, wanted);
    REQUIRE(b.t.seen.wait_for(event_type::worker_ready));
    CHECK(b.t.db.query("SELECT session_lock FROM queue.worker") == "t");

    const auto begun = std::chrono::steady_clock::now();
    CHECK(b.t.wait_state(b.t.enqueue("work"), "completed"));
    CHECK(since(begun) < test::scaled(5s));
}

TEST_CASE("a worker that falls silent is rescued by one behind the pooler") {
    bench b;
    test::fault_proxy proxy{b.t.db.cluster().socket_dir()};
    auto doomed = b.t.options();
    doomed.dsn = proxy.dsn(b.t.db.name());
    const auto first = b.t.start({sleeper("long", 60s)}, doomed);
    const auto id = b.t.enqueue("long");
    REQUIRE(b.t.wait_state(id, "running"));
    proxy.blackhole_new(true);
    REQUIRE(proxy.blackhole() > 0);

    const auto second = b.t.start({noop("long")}, b.poll_only());

    CHECK(b.t.wait_state(id, "completed", 20s));
    CHECK(b.t.outcomes(id) == "lost completed");
    second->stop();
    CHECK(b.left_behind() == "");
    first->stop(0ms);
}

TEST_CASE("producers work through the pooler, but for a timeout that would stay in its session") {
    bench b;
    libqueue::client producer{libqueue::client_options{b.dsn()}};
    const auto job = libqueue::new_job{"work", "{}"}.unique_key("a");
    const auto first = producer.enqueue(job);
    const auto again = producer.enqueue(job);
    REQUIRE(first.has_value());
    REQUIRE(again.has_value());
    CHECK(first->id == again->id);
    const std::vector<libqueue::new_job> batch{libqueue::new_job{"work", "{}"},
                                               libqueue::new_job{"other", "{}"}};
    CHECK(producer.enqueue_many(batch).has_value());

    libqueue::client_options timed{b.dsn()};
    timed.statement_timeout = 5s;
    const auto refused = libqueue::client{timed}.enqueue(job);

    REQUIRE(refused.has_error());
    CHECK(refused.error().message ==
          "statement_timeout: expected a direct connection, got a pooler");
    CHECK(b.left_behind() == "");
}

TEST_CASE("a database is migrated through the pooler") {
    test::test_database empty{test::test_database::content::empty};
    test::pgbouncer pooler{empty.cluster().socket_dir()};
    libqueue::migrate_options options;
    options.dsn = pooler.dsn(empty.name());

    CHECK_FALSE(libqueue::migrate(options).value().empty());
    CHECK(libqueue::migrate(options).value().empty());
    CHECK(empty.query("SELECT count(*) FROM queue.job") == "0");
}

TEST_SUITE_END();
