// Events by the ten thousand, in batches and single, some of them sent twice, while the two workers
// that count them are killed again and again: each event is counted once, in each bucket.

#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>

using namespace std::chrono_literals;

namespace {

constexpr int kills = 15;

std::uint64_t seed() {
    const char* const set = std::getenv("LIBQUEUE_FAULT_SEED");
    return set == nullptr ? std::random_device{}() : std::strtoull(set, nullptr, 10);
}

/// Two workerds that count, started over when they are killed.
class counters {
   public:
    counters() {
        const auto key = files_.write("key", std::string(40, 'k'));
        std::filesystem::permissions(key, std::filesystem::perms::owner_read);
        config_ = files_
                      .write("w.yaml",
                             "queues: {default: {concurrency: 30}}\n"
                             "http: {enabled: false}\n"
                             "worker: {heartbeat: 200ms, lease: 1s, poll_interval: 500ms}\n"
                             "kinds:\n"
                             "  analytics.batch: {queue: default, crash_budget: 1000, "
                             "concurrency: 30, max_attempts: 1000}\n"
                             "  analytics.event: {queue: default, crash_budget: 1000, "
                             "concurrency: 30, max_attempts: 1000}\n"
                             "processors: {analytics: {customer_key_file: " +
                                 key.string() + "}}\n")
                      .string();
        for (auto& each : workers_) {
            each = launch();
            REQUIRE_MESSAGE(each->wait_for_text("worker_ready", 30s), each->errors());
        }
        db.execute("SELECT queue.pause_schedule(name) FROM queue.schedules");
    }

    /// It dies as it commits what it has counted, or half way, and another takes its place.
    void crash(std::size_t place, int finishes) {
        if (!workers_.at(place)->wait(1s).has_value()) {
            workers_.at(place)->kill();
        }
        workers_.at(place) = launch("finish.before_commit=kill@" + std::to_string(finishes));
    }
    /// From now on nobody dies.
    void calm() {
        for (auto& each : workers_) {
            each->kill();
            each = launch();
        }
    }

    test::test_database db;

   private:
    std::unique_ptr<test::process> launch(const std::string& failpoints = {}) {
        test::process_options options{test::binary("workerd"),
                                      {"--config", config_, "--db", db.dsn()}};
        if (!failpoints.empty()) {
            options.env.emplace_back("LIBQUEUE_FAILPOINTS", failpoints);
        }
        return std::make_unique<test::process>(options);
    }

    test::temp_dir files_;
    std::string config_;
    std::array<std::unique_ptr<test::process>, 2> workers_;
};

/// 60 batches of 200 and 200 single events; every tenth event has the id of one before it. Of
/// three tenants, over two days.
constexpr const char* produce = R"(
    WITH event AS (
        SELECT n, ($1::int * 1000000) + n - (n % 10 = 9)::int AS id,
            jsonb_build_object('type', (ARRAY['page-view', 'cart-update'])[1 + n % 2],
                'id', 'e' || (($1::int * 1000000) + n - (n % 10 = 9)::int),
                'at', (extract(epoch FROM now()) * 1000)::bigint - (n / 10 * 7919 % 172800) * 1000,
                'venue', 'v' || n / 10 % 5, 'customer', 'c' || n % 100, 'channel', 'email') AS body
        FROM generate_series(0, 12199) n
    ), batched AS (
        SELECT queue.enqueue('analytics.batch', jsonb_build_object('events', jsonb_agg(body)),
            tenant_id => ('00000000-0000-0000-0000-00000000000' || n / 200 % 3)::uuid)
        FROM event WHERE n < 12000 GROUP BY n / 200
    ), single AS (
        SELECT queue.enqueue('analytics.event', body,
            tenant_id => '00000000-0000-0000-0000-000000000001') FROM event WHERE n >= 12000
    )
    SELECT (SELECT count(*) FROM batched) + (SELECT count(*) FROM single))";

}  // namespace

TEST_SUITE("analytics under kills") {
    TEST_CASE("every event is counted once, whoever is killed in the middle of a batch") {
        const std::uint64_t chosen = seed();
        MESSAGE("LIBQUEUE_FAULT_SEED=" << chosen);
        std::mt19937_64 random{chosen};
        counters t;
        test::connection on{t.db.dsn()};

        int rounds = 0;
        for (int killed = 0; killed < kills; ++killed) {
            // There is always work, so that batches are cut off.
            if (std::stoi(on.query("SELECT count(*) FROM queue.ready")) < 30) {
                REQUIRE(on.query(produce, {std::to_string(rounds++)}) == "260");
            }
            t.crash(random() % 2, static_cast<int>(1 + random() % 3));
        }
        t.calm();
        REQUIRE(test::wait_until(
            [&] {
                return on.query("SELECT count(*) FROM queue.jobs WHERE state <> 'completed'") ==
                       "0";
            },
            test::scaled(120s)));

        MESSAGE(rounds << " rounds of 12,200 events; "
                       << on.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'lost'")
                       << " runs lost");
        CHECK(std::stoi(on.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'lost'")) > 0);
        // Every event with an id that came before is one less.
        const auto expected = std::to_string(rounds * (12'200 - 1'220));
        for (const char* const minutes : {"1", "5", "60", "1440"}) {
            CHECK(on.query("SELECT sum(events) FROM analytics.bucket WHERE minutes = "
                           "$1::smallint",
                           {minutes}) == expected);
        }
        CHECK(on.query("SELECT count(*) FROM generate_series(current_date - 3, current_date + 1, "
                       "'1 day') d, analytics.check_buckets(d::date)") == "0");
    }
}
