#include "faults_fleet.hpp"
#include "faults_producer.hpp"
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
using clock_type = std::chrono::steady_clock;

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
        return test::wait_until([&] {
            return test::query(primary_->dsn(), "SELECT sync_state FROM pg_stat_replication") ==
                   "sync";
        });
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

   private:
    std::unique_ptr<test::pg_cluster> primary_;
    std::unique_ptr<test::pg_cluster> standby_;
    std::string hosts_;
};

}  // namespace

TEST_SUITE("faults: failover") {
    TEST_CASE("faults: a promoted standby has every acknowledged job, and workers follow to it") {
        constexpr int promotions = 2;
        std::mt19937_64 random{faults::seed() + 7};
        MESSAGE("seed " << faults::seed());
        pair_of_servers servers;
        REQUIRE(servers.wait_synchronous());
        const test::test_database db{servers.primary()};
        const std::string dsn = servers.dsn(db.name());
        faults::fleet workers{dsn};
        workers.grow(3);
        REQUIRE(workers.wait_ready());
        faults::producer load{dsn, faults::producer::mode::keyed, random()};

        for (int round = 0; round < promotions; ++round) {
            REQUIRE(load.wait_for_more(150 + random() % 100));
            faults::pass_time(random, 200ms);
            const auto killed_at = clock_type::now();
            using ms = std::chrono::milliseconds;
            servers.fail_over();
            MESSAGE("promoted after "
                    << std::chrono::duration_cast<ms>(clock_type::now() - killed_at).count()
                    << " ms");
            faults::pass_time(random, 300ms);
            servers.repair();
            MESSAGE("a standby again after "
                    << std::chrono::duration_cast<ms>(clock_type::now() - killed_at).count()
                    << " ms");
            CHECK(servers.wait_synchronous());
            const auto whole_at = clock_type::now();
            REQUIRE(load.wait_for_more(1));
            const std::string before = test::query(dsn, "SELECT count(*) FROM queue.attempt");
            CHECK(test::wait_until(
                [&] { return test::query(dsn, "SELECT count(*) FROM queue.attempt") != before; }));
            MESSAGE(
                "down for " << std::chrono::duration_cast<ms>(whole_at - killed_at).count()
                            << " ms; enqueued and finished again after "
                            << std::chrono::duration_cast<ms>(clock_type::now() - whole_at).count()
                            << " ms more");
            // The same processes found their way: 350 is more than was in line.
            REQUIRE(load.wait_for_more(350));
        }
        const auto promised = load.finish();

        faults::audit(dsn, promised);
        CHECK(promised.repeats >= static_cast<std::size_t>(promotions));
        for (std::size_t place = 0; place < workers.size(); ++place) {
            CHECK(workers.at(place).running());
            CHECK(workers.count(place, "database_back") >= 1);
        }
        CHECK(workers.stop());
        MESSAGE(promised.ids.size() << " jobs acknowledged over " << promotions << " promotions, "
                                    << promised.repeats << " enqueues repeated");
    }
}
