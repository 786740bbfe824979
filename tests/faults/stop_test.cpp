#include "campaign.hpp"
#include "support/query.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <signal.h>

#include <array>
#include <chrono>
#include <random>
#include <string>

namespace {

using namespace std::chrono_literals;

std::string worker_id(test::connection& db, const std::string& name) {
    return db.query("SELECT max(id) FROM queue.worker WHERE name = $1", {name});
}

/// A process that may be standing still.
class patient {
   public:
    bool stopped{false};
    std::string id;  ///< who it was
};

/// Stops workers or waits for them to stop themselves; lets each go on once the others have
/// declared it dead. Counts those.
class stopper {
   public:
    stopper(const std::string& dsn, faults::trial& t) : db_{dsn}, t_{t} {}

    void look(std::mt19937_64& random) {
        // The last one stands by: somebody must declare the others dead.
        for (std::size_t place = 0; place < patients_.size(); ++place) {
            patient& each = patients_.at(place);
            if (!each.stopped) {
                // Two places stop themselves, at boundaries.
                if (place < 2 && random() % 20 == 0) {
                    t_.workers.at(place).signal(SIGSTOP);
                }
                each.stopped = t_.workers.stopped(place);
                each.id = each.stopped ? worker_id(db_, t_.workers.name(place)) : "";
            } else if (each.id.empty() || gone(each.id)) {
                // Stopped before it had an identity: no lease to outlive.
                past_lease_ += each.id.empty() ? 0 : 1;
                t_.workers.at(place).signal(SIGCONT);
                each.stopped = false;
            }
        }
    }
    [[nodiscard]] std::size_t past_lease() const { return past_lease_; }

   private:
    [[nodiscard]] bool gone(const std::string& id) {
        return db_.query("SELECT count(*) FROM queue.worker WHERE id = $1::bigint", {id}) == "0";
    }

    test::connection db_;
    faults::trial& t_;
    std::array<patient, 4> patients_;
    std::size_t past_lease_{0};
};

}  // namespace

TEST_SUITE("faults: SIGSTOP") {
    TEST_CASE("faults: workers stopped past their lease are refused when they go on") {
        const std::size_t stops = faults::times(40, 500);
        const std::size_t jobs = faults::times(8'000, 150'000);
        std::mt19937_64 random{faults::seed() + 1};
        const test::test_database db;
        faults::trial t{db.dsn()};
        t.workers.grow(2);
        t.workers.grow(3, "finish.before_commit=stop%60;claim.after_commit=stop%90");
        t.workers.grow(4,
                       "answer.awaited=stop%100;heartbeat.before_commit=stop%10;"
                       "run.after=stop%1000");
        t.workers.grow(5);
        t.produce(120, 800);
        REQUIRE(t.wait_for_more(200));

        stopper stand{db.dsn(), t};
        const bool happened = test::wait_until(
            [&] {
                stand.look(random);
                return stand.past_lease() >= stops;
            },
            std::chrono::seconds{10 * stops});
        CHECK(happened);
        const std::size_t refused =
            t.workers.count_all("lease_lost") + t.workers.count_all("worker_lost");
        CHECK(refused >= stops / 2);
        const std::size_t by_themselves = t.workers.count_all("failpoint");
        CHECK(by_themselves >= stops / 10);
        // Nobody is left who stops by himself.
        for (std::size_t place = 0; place < t.workers.size(); ++place) {
            static_cast<void>(t.workers.kill(place));
            t.workers.restart(place);
        }
        REQUIRE(t.wait_for(jobs));
        const auto found = t.finish();
        CHECK(found.losses > 0);
        MESSAGE(by_themselves << " stopped themselves at a failpoint; " << refused
                              << " times a worker was told it had been declared dead");
        faults::report("SIGSTOP past the lease", stand.past_lease(), stops, found);
    }
}
