#include "engine/rig.hpp"
#include "support/fault_proxy.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>

using namespace engine_test;
using libqueue::event_type;

TEST_SUITE_BEGIN("connections: answers of a turn");

namespace {

/// A statement by its name in the Bind message, so that its mere text does not count.
std::string bound(const std::string& name) {
    return std::string(1, '\0') + name + std::string(1, '\0');
}

class bench {
   public:
    [[nodiscard]] libqueue::worker_options options() {
        auto wanted = t.options();
        wanted.dsn = proxy.dsn(t.db.name());
        return wanted;
    }
    /// Counts its runs.
    [[nodiscard]] libqueue::registration counted() {
        return blocking("work", [this](libqueue::job_context&) {
            ++runs;
            return libqueue::completed();
        });
    }

    rig t;
    test::fault_proxy proxy{t.db.cluster().socket_dir()};
    std::atomic<int> runs{0};
};

}  // namespace

TEST_CASE("the answer to a claim is lost: its jobs come back and run once, no attempt used") {
    bench b;
    const auto worker = b.t.start({b.counted()}, b.options());
    REQUIRE(b.t.seen.wait_for(event_type::worker_ready));
    b.proxy.lose_answer(bound("claim"), 2);

    const auto ids = b.t.enqueue_many("work", 40);

    REQUIRE(b.t.wait_finished(40, 30s));
    CHECK(b.proxy.answers_lost() == 2);
    CHECK(b.runs == 40);
    for (const auto id : ids) {
        CHECK(b.t.outcomes(id) == "completed");
    }
    CHECK(b.t.seen.count(event_type::worker_lost) == 0);
}

TEST_CASE("the answer to a finish is lost: the job is not run again and finished once") {
    bench b;
    const auto worker = b.t.start({b.counted()}, b.options());
    REQUIRE(b.t.seen.wait_for(event_type::worker_ready));
    b.proxy.lose_answer(bound("finish_completed"), 5);

    b.t.enqueue_many("work", 200);

    REQUIRE(b.t.wait_finished(200, 30s));
    // A turn that finishes also claims: what it claimed comes back after a lease.
    REQUIRE(test::wait_until([&] { return b.t.faults().empty(); }));
    CHECK(b.proxy.answers_lost() == 5);
    CHECK(b.runs == 200);
    CHECK(b.t.db.query("SELECT count(*) FROM queue.attempt") == "200");
}

TEST_CASE("a network that delays everything slows the work and loses nothing") {
    bench b;
    b.proxy.delay(50ms);
    const auto worker = b.t.start({b.counted()}, b.options());
    b.t.enqueue_many("work", 100);

    REQUIRE(b.t.wait_finished(100, 30s));

    CHECK(b.runs == 100);
    CHECK(b.t.seen.count(event_type::database_lost) == 0);
    worker->stop();
    CHECK(b.t.faults() == "");
}

TEST_SUITE_END();
