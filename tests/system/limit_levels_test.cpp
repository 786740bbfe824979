#include "support/claim_times.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

// Limits above limits and circuit breakers over real processes. LIBQUEUE_LIMIT_SECONDS makes the
// measured stretch longer.

using std::chrono_literals::operator""s;

namespace {

int seconds_wanted() {
    const char* const given = std::getenv("LIBQUEUE_LIMIT_SECONDS");
    return given != nullptr ? std::stoi(given) : 4;
}

/// Four workers whose jobs are under the limit `endpoint`.
class fleet {
   public:
    fleet(const test::test_database& db, const std::string& limits) {
        for (int n = 0; n < 4; ++n) {
            const std::string name = "w" + std::to_string(n);
            const auto config = folder_.write(
                name + ".yaml",
                "database: {dsn: \"" + db.dsn() +
                    "\"}\n"
                    "queues: {default: {concurrency: 50}}\n"
                    "processors: {debug: true}\n"
                    "http: {enabled: false}\n"
                    "limits: {" +
                    limits +
                    "}\n"
                    "kinds: {debug.noop: {limit: endpoint}, debug.sleep: {limit: endpoint}}\n"
                    "worker: {name: " +
                    name + ", heartbeat: 200ms, lease: 1s, poll_interval: 500ms}\n");
            members_.push_back(std::make_unique<test::process>(
                test::process_options{test::binary("workerd"), {"--config", config.string()}}));
        }
    }
    [[nodiscard]] bool ready() {
        return std::ranges::all_of(
            members_, [](auto& one) { return one->wait_for_text("worker_ready", 20s); });
    }
    void kill(const std::string& name) {
        members_.at(static_cast<std::size_t>(name.at(1) - '0'))->kill();
    }
    void kill_all() {
        for (auto& one : members_) {
            one->kill();
        }
    }

   private:
    test::temp_dir folder_;
    std::vector<std::unique_ptr<test::process>> members_;
};

}  // namespace

TEST_SUITE("limit levels over processes") {
    TEST_CASE("four processes go over neither the endpoints' limit nor the provider's above") {
        const test::test_database db;
        const test::claim_times claims{db};
        const int wanted = 20 + 100 * seconds_wanted();
        const std::vector<std::string> keys{"a", "b", "c", "d", "e"};
        fleet four{db,
                   "provider: {burst: 20, rate: 100/s}, "
                   "endpoint: {burst: 10, rate: 30/s, key: limit_key, parent: provider}"};
        REQUIRE(four.ready());
        for (const auto& key : keys) {
            db.execute(
                "SELECT count(*) FROM queue.enqueue_many('debug.noop', ARRAY(SELECT "
                "'{}'::jsonb FROM generate_series(1, $1::int)), limit_key => $2)",
                {std::to_string(wanted), key});
        }

        REQUIRE(test::wait_until([&] { return claims.jobs() >= wanted; },
                                 std::chrono::seconds{3 * seconds_wanted() + 10}));
        const double took = claims.seconds_to(wanted);
        four.kill_all();

        MESSAGE(wanted << " jobs in " << took << " s; the provider at worst over by "
                       << claims.overshoot(20, 100) << " jobs");
        CHECK(claims.overshoot(20, 100) <= 0.01);
        for (const auto& key : keys) {
            CAPTURE(key);
            CHECK(claims.overshoot(10, 30, key) <= 0.01);
        }
        CHECK(wanted >= 0.9 * (20 + 100 * took));
        CHECK(db.query("SELECT count(DISTINCT worker_id) FROM queue.attempt "
                       "WHERE outcome = 'completed'") == "4");
    }

    TEST_CASE("one probe at a time over all processes, and a killed one gives way to the next") {
        const test::test_database db;
        // What each claim took, and the state of the circuit it met.
        db.execute(
            "CREATE TABLE public.starts (at timestamptz, jobs integer, state text);"
            "CREATE FUNCTION public.keep_start() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "INSERT INTO public.starts SELECT clock_timestamp(), cardinality(NEW.job_ids), "
            "coalesce((SELECT state::text FROM queue.limit_breaker), 'closed'); "
            "RETURN NULL; END $$;"
            "CREATE TRIGGER keep_start AFTER INSERT ON queue.lease "
            "FOR EACH ROW EXECUTE FUNCTION public.keep_start()");
        fleet four{db,
                   "endpoint: {concurrency: 1000, breaker: {percent: 50, min_requests: 5, "
                   "window: 1h, cooldown: 1s}}"};
        REQUIRE(four.ready());
        db.execute("SELECT queue.limit_report('endpoint', '', 5, 5)");
        // The first to start: long enough to be caught at it.
        db.execute("SELECT queue.enqueue('debug.sleep', '{\"ms\": 1500}', priority => 1)");
        db.execute(
            "SELECT count(*) FROM queue.enqueue_many('debug.sleep', ARRAY(SELECT "
            "'{\"ms\": 100}'::jsonb FROM generate_series(1, 200)))");

        std::string holder;
        REQUIRE(test::wait_until([&] {
            holder = db.query(
                "SELECT coalesce((SELECT w.name FROM queue.limit_breaker b JOIN queue.lease s ON "
                "s.id = b.probe_lease JOIN queue.worker w ON w.id = s.worker_id "
                "WHERE b.state = 'half_open'), '')");
            return !holder.empty();
        }));
        four.kill(holder);
        CHECK(db.query("SELECT count(*) FROM queue.jobs WHERE state = 'ready'") == "200");
        REQUIRE(test::wait_until(
            [&] {
                // The killed one too, which is a suspect and runs in a process of its own.
                return db.query("SELECT count(*) FROM queue.jobs WHERE state = 'completed'") ==
                       "201";
            },
            test::scaled(60s)));
        four.kill_all();

        CHECK(db.query("SELECT state FROM queue.limit_breaker") == "closed");
        // The one that was killed, and the one that closed the circuit.
        CHECK(db.query("SELECT string_agg(jobs::text, ' ') FROM public.starts "
                       "WHERE state <> 'closed'") == "1 1");
        CHECK(db.query("SELECT max(attempt) FROM queue.attempt") == "1");
    }
}
