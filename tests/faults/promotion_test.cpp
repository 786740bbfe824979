#include "campaign.hpp"
#include "support/pg_cluster.hpp"
#include "support/query.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <utility>

namespace {

using namespace std::chrono_literals;

test::pg_cluster_options replicated() {
    test::pg_cluster_options options;
    // By its own name: pg_basebackup streams, too, and confirms nothing. With no standby there,
    // commits wait.
    options.settings = {"synchronous_standby_names=walreceiver", "synchronous_commit=on",
                        "wal_retrieve_retry_interval=100ms"};
    return options;
}

/// A primary and its synchronous standby, which change places.
class pair_of_servers {
   public:
    pair_of_servers() {
        primary_ = std::make_unique<test::pg_cluster>(replicated());
        standby_ = std::make_unique<test::pg_cluster>(*primary_, replicated());
        hosts_ = primary_->socket_dir() + "," + standby_->socket_dir();
    }

    [[nodiscard]] bool wait_synchronous() const {
        return test::wait_until(
            [&] {
                return test::query(primary_->dsn(), "SELECT sync_state FROM pg_stat_replication") ==
                       "sync";
            },
            60s);
    }
    /// Both hosts, the writable one of them.
    [[nodiscard]] std::string dsn(const std::string& database) const {
        return "host=" + hosts_ + " user=postgres dbname=" + database +
               " target_session_attrs=read-write";
    }
    /// The primary dies and the standby takes its place; nothing is acknowledged until the old one
    /// is back as the new one's standby.
    void fail_over() {
        primary_->kill();
        standby_->promote();
        std::swap(primary_, standby_);
    }
    void repair() { standby_->follow(*primary_); }
    [[nodiscard]] test::pg_cluster& primary() { return *primary_; }
    [[nodiscard]] int timeline() {
        return std::stoi(
            test::query(primary_->dsn(), "SELECT timeline_id FROM pg_control_checkpoint()"));
    }

   private:
    std::unique_ptr<test::pg_cluster> primary_;
    std::unique_ptr<test::pg_cluster> standby_;
    std::string hosts_;
};

}  // namespace

TEST_SUITE("faults: promotion") {
    TEST_CASE("faults: a promoted standby has every acknowledged job, and workers follow to it") {
        const std::size_t promotions = faults::times(5, 50);
        const std::size_t jobs = faults::times(5'000, 60'000);
        std::mt19937_64 random{faults::seed() + 5};
        pair_of_servers servers;
        REQUIRE(servers.wait_synchronous());
        const test::test_database db{servers.primary()};
        const std::string dsn = servers.dsn(db.name());
        faults::trial t{dsn};
        t.workers.grow(3);
        REQUIRE(t.workers.wait_ready());
        t.produce(20, 500);

        std::size_t promoted = 0;
        while (promoted < promotions) {
            REQUIRE(t.wait_for_more(150 + random() % 100));
            faults::pass_time(random, 200ms);
            const auto killed_at = std::chrono::steady_clock::now();
            servers.fail_over();
            faults::pass_time(random, 300ms);
            servers.repair();
            REQUIRE(servers.wait_synchronous());
            REQUIRE(t.wait_for_more(1));
            const auto down = std::chrono::steady_clock::now() - killed_at;
            ++promoted;
            MESSAGE("promoted, and acknowledging again after "
                    << std::chrono::duration_cast<std::chrono::milliseconds>(down).count()
                    << " ms");
            t.revive_producers();
        }
        REQUIRE(t.wait_for(jobs));
        // Each promotion begins a timeline of its own.
        CHECK(test::wait_until(
            [&] { return servers.timeline() == static_cast<int>(promotions) + 1; }, 60s));
        for (std::size_t place = 0; place < t.workers.size(); ++place) {
            // The same processes found their way.
            CHECK(t.workers.at(place).running());
            CHECK(t.workers.count(place, "database_back") >= 1);
        }
        faults::report("promotion of a synchronous standby", promoted, promotions, t.finish());
    }
}
