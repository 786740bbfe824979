#include "engine/rig.hpp"
#include "support/fault_proxy.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

using namespace engine_test;
using libqueue::event_type;

TEST_SUITE_BEGIN("connections: half-open");

namespace {

/// A worker with the default times behind a proxy of its own, and one beside it, which looks on
/// over a sound connection and would declare it dead.
class bench {
   public:
    explicit bench(std::string which) : victim{std::move(which)} {
        auto wanted = t.options();
        wanted.heartbeat = 2s;
        wanted.lease = 10s;
        wanted.dsn = proxy.dsn(t.db.name());
        worker = t.start({noop("work")}, wanted);
        auto beside = t.options();
        beside.heartbeat = 2s;
        beside.lease = 10s;
        beside.observer = nullptr;
        onlooker = t.start({noop("other")}, beside);
    }

    [[nodiscard]] bool whole() const {
        return proxy.links(victim) == static_cast<std::size_t>(expected) &&
               proxy.links("libqueue worker") == 4;
    }

    std::string victim;
    int expected{1};
    rig t;
    test::fault_proxy proxy{t.db.cluster().socket_dir()};
    std::unique_ptr<libqueue::worker> worker;
    std::unique_ptr<libqueue::worker> onlooker;
};

}  // namespace

TEST_CASE("a half-open connection of any kind is found and replaced within 15 s") {
    std::vector<std::unique_ptr<bench>> benches;
    for (const char* which : {"turn 0", "turn 1", "presence", "maintenance"}) {
        benches.push_back(std::make_unique<bench>(which));
    }
    for (const auto& each : benches) {
        // Both lanes are there once they have had work.
        each->t.enqueue_many("work", 100);
        REQUIRE(test::wait_until([&] { return each->whole(); }));
    }
    for (const auto& each : benches) {
        REQUIRE(each->proxy.blackhole(each->victim) == 1);
        each->t.enqueue_many("work", 100);
    }
    const auto begun = std::chrono::steady_clock::now();

    for (const auto& each : benches) {
        CAPTURE(each->victim);
        CHECK(test::wait_until([&] { return each->whole(); }, 15s));
        MESSAGE(each->victim << ": whole again after " << since(begun).count() << " ms");
    }

    for (const auto& each : benches) {
        CAPTURE(each->victim);
        // What a claim into the void took comes back after a lease.
        CHECK(each->t.wait_finished(200, 30s));
        CHECK(each->t.db.query("SELECT count(*) FROM queue.attempt") == "200");
        CHECK(each->t.seen.count(event_type::worker_lost) == 0);
    }
}

TEST_CASE("a host that accepts and never answers does not keep a worker from the next host") {
    rig t;
    test::fault_proxy dead{t.db.cluster().socket_dir()};
    test::fault_proxy alive{t.db.cluster().socket_dir()};
    dead.blackhole_new(true);
    auto wanted = t.options();
    wanted.migrate = false;
    wanted.dsn =
        "host=127.0.0.1,127.0.0.1 port=" + std::to_string(dead.port()) + "," +
        std::to_string(alive.port()) +
        " sslmode=disable gssencmode=disable connect_timeout=2 user=postgres dbname=" + t.db.name();
    const auto id = t.enqueue("work");

    const auto worker = t.start({noop("work")}, wanted);

    CHECK(t.wait_state(id, "completed", 15s));
    worker->stop();
}

TEST_SUITE_END();
