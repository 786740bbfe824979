#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <signal.h>

#include <string>

using namespace std::chrono_literals;

namespace {

std::string config_text(const test::test_database& db, int concurrency, const std::string& more) {
    return "database: {dsn: \"" + db.dsn() +
           "\"}\nqueues: {default: {concurrency: " + std::to_string(concurrency) +
           "}}\nprocessors: {debug: true}\nhttp: {enabled: false}\n" + more;
}

test::process_options command(const std::filesystem::path& config) {
    return test::process_options{test::binary("workerd"), {"--config", config.string()}};
}

std::size_t count(const test::process& workerd, const std::string& event) {
    const auto text = workerd.errors();
    const auto wanted = "\"event\":\"" + event + "\"";
    std::size_t found = 0;
    for (auto at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1))
        ++found;
    return found;
}

int running(const test::test_database& db) {
    return std::stoi(db.query("SELECT count(*) FROM queue.jobs WHERE state = 'running'"));
}

}  // namespace

TEST_SUITE("reload") {
    TEST_CASE("reload: concurrency takes effect at once, what needs a restart is listed") {
        const test::test_database db;
        const test::temp_dir folder;
        const auto config = folder.write("w.yaml", config_text(db, 1, ""));
        test::process workerd{command(config)};
        REQUIRE(workerd.wait_for_text("worker_ready"));
        db.execute(
            "SELECT queue.enqueue('debug.sleep', '{\"ms\":60000}') FROM generate_series(1, 5)");
        REQUIRE(test::wait_until([&] { return running(db) >= 1; }));

        static_cast<void>(folder.write("w.yaml", config_text(db, 4, "worker: {lease: 20s}\n")));
        workerd.signal(SIGHUP);

        REQUIRE(workerd.wait_for_text("config_reloaded"));
        CHECK(count(workerd, "config_changed") == 1);
        CHECK(count(workerd, "config_needs_restart") == 1);
        CHECK(workerd.errors().find("\"setting\":\"worker.lease\",\"before\":\"10s\"") !=
              std::string::npos);
        CHECK(test::wait_until([&] { return running(db) >= 4; }));

        workerd.signal(SIGTERM);
        REQUIRE(workerd.wait_for_text("drain_started"));
        workerd.signal(SIGTERM);
        CHECK(workerd.wait(10s).has_value());
    }

    TEST_CASE("reload: good and bad files under load lose no job, and a bad one changes nothing") {
        constexpr int rounds = 10;
        constexpr int jobs = 3'000;
        const test::test_database db;
        const test::temp_dir folder;
        const auto config = folder.write("w.yaml", config_text(db, 20, ""));
        test::process workerd{command(config)};
        REQUIRE(workerd.wait_for_text("worker_ready"));
        db.execute("SELECT queue.enqueue('debug.sleep', '{\"ms\":2}') FROM generate_series(1, $1)",
                   {std::to_string(jobs)});

        std::size_t refused = 0;
        std::size_t reloaded = 0;
        for (int round = 0; round < rounds; ++round) {
            const bool is_good = round % 2 == 0;
            const auto text = is_good ? config_text(db, 10 + round, "log: {level: debug}\n")
                                      : config_text(db, 1, "worker: {lease: 4s}\nlgo: {}\n");
            static_cast<void>(folder.write("w.yaml", text));
            workerd.signal(SIGHUP);
            ++(is_good ? reloaded : refused);
            CHECK(test::wait_until([&] {
                return count(workerd, "config_reloaded") == reloaded &&
                       count(workerd, "config_refused") == refused;
            }));
        }

        CHECK(test::wait_until(
            [&] {
                return db.query("SELECT count(*) FROM queue.jobs WHERE state = 'completed'") ==
                       std::to_string(jobs);
            },
            60s));
        // Both faults of the bad file are told each time.
        CHECK(count(workerd, "config_fault") == 2 * refused);
        CHECK(workerd.errors().find("did you mean log?") != std::string::npos);
        workerd.signal(SIGTERM);
        CHECK(workerd.wait(30s)->code == 0);
    }
}
