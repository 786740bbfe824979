#include "campaign.hpp"
#include "support/query.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <libqueue/failpoints.hpp>

#include <doctest/doctest.h>

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <string>

namespace {

using namespace std::chrono_literals;

constexpr int failpoint_exit = 86;

bool is_of(std::string_view name, std::string_view group) {
    return name.starts_with(group);
}

/// True when the process ends at the failpoint.
bool ends_there(test::process& program, std::chrono::milliseconds deadline = 30s) {
    const auto ended = program.wait(deadline);
    return ended && ended->code == failpoint_exit;
}

/// A worker that finds another one's jobs to rescue.
bool reached_by_rescue(faults::trial& t, const std::string& rule) {
    if (!t.workers.at(0).running()) {
        t.workers.restart(0);
    }
    // Killed at work, and the only one left finds what it held.
    if (!t.workers.wait_ready() || !t.wait_for_more(100) || !t.workers.kill(0)) {
        return false;
    }
    t.workers.restart(0, rule);
    return ends_there(t.workers.at(0));
}

/// A worker that leaves with claimed jobs it has not started. It has such jobs most of the time.
bool reached_by_leaving(faults::trial& t, const std::string& rule) {
    for (int tries = 0; tries < 20; ++tries) {
        if (t.workers.at(0).running()) {
            static_cast<void>(t.workers.kill(0));
        }
        t.workers.restart(0, rule);
        if (!t.workers.at(0).wait_for_text("worker_ready") || !t.wait_for_more(300)) {
            return false;
        }
        t.workers.at(0).signal(SIGTERM);
        if (ends_there(t.workers.at(0))) {
            return true;
        }
    }
    return false;
}

bool reached_by_working(faults::trial& t, const std::string& rule) {
    if (t.workers.at(0).running()) {
        static_cast<void>(t.workers.kill(0));
    }
    t.workers.restart(0, rule);
    return ends_there(t.workers.at(0));
}

bool reached_by_producing(faults::trial& t, const std::string& rule) {
    t.produce(5, 1000, rule);
    const bool reached = ends_there(t.producer(t.producers() - 1));
    return t.revive_producers() == 1 && reached;
}

bool reached(faults::trial& t, std::string_view name) {
    const std::string rule = std::string{name} + "=exit";
    if (is_of(name, "enqueue.")) {
        return reached_by_producing(t, rule);
    }
    if (is_of(name, "rescue.")) {
        return reached_by_rescue(t, rule);
    }
    if (is_of(name, "return.") || is_of(name, "leave.")) {
        return reached_by_leaving(t, rule);
    }
    return reached_by_working(t, rule);
}

}  // namespace

TEST_SUITE("faults: failpoints") {
    TEST_CASE("faults: every failpoint there is is reached, and dying there breaks no promise") {
        const test::test_database db;
        faults::trial t{db.dsn()};
        t.workers.grow(1);
        REQUIRE(t.workers.wait_ready());
        t.produce(5, 1000);
        REQUIRE(t.wait_for_more(100));

        std::size_t ends = 0;
        const auto names = libqueue::failpoint_names();
        for (const std::string_view name : names) {
            const bool is_reached = reached(t, name);
            CHECK_MESSAGE(is_reached, "nobody came by " << name);
            ends += is_reached ? 1 : 0;
        }
        for (std::size_t place = 0; place < t.workers.size(); ++place) {
            if (!t.workers.at(place).running()) {
                t.workers.restart(place);
            }
        }
        REQUIRE(t.workers.wait_ready());
        faults::report("ends at a failpoint", ends, names.size(), t.finish());
    }

    TEST_CASE("faults: transactions that fail and connections that break anywhere cost nothing") {
        const test::test_database db;
        faults::trial t{db.dsn()};
        std::string rules;
        for (const std::string_view name : libqueue::failpoint_names()) {
            if (is_of(name, "run.") || is_of(name, "enqueue.")) {
                continue;
            }
            const bool before = name.ends_with("before_commit") || name == "rescue.locked";
            // Heartbeats are few; the others pass at every turn.
            const std::string nth = is_of(name, "heartbeat.") ? "%7" : "%40";
            rules += std::string{name} + (before ? "=error" : "=cut") + nth + ";";
        }
        t.workers.grow(3, rules);
        REQUIRE(t.workers.wait_ready());
        t.produce(5, 1000, "enqueue.before_commit=error%9;enqueue.after_commit=cut%7");
        const std::size_t wanted = faults::times(3000, 60'000);
        REQUIRE(t.wait_for(wanted));

        const std::size_t faulted = t.workers.count_all("failpoint");
        faults::report("injected errors and cuts", faulted, wanted / 100, t.finish());
    }

    TEST_CASE("faults: a failpoint nobody knows is refused, with the names of all there are") {
        test::process_options how{test::binary("workerd"), {"--check-config", "--dev"}};
        how.env = {{"LIBQUEUE_FAILPOINTS", "claim.after_lunch=kill"}};
        const auto told = test::run_command(how);
        CHECK(told.code == 2);
        for (const std::string_view name : libqueue::failpoint_names()) {
            CHECK_MESSAGE(told.errors.find(name) != std::string::npos, told.errors);
        }
    }

    TEST_CASE("faults: rules that cannot be kept are refused") {
        for (const char* text :
             {"claim.before_commit", "claim.before_commit=", "claim.before_commit=explode",
              "claim.before_commit=kill@0", "claim.before_commit=kill@x", "run.before=cut",
              "run.after=error", "claim.after_commit=error", "run.before=delay",
              "run.before=delay:0", "run.before=kill:5", "=kill"}) {
            CAPTURE(text);
            CHECK(libqueue::arm_failpoints(text).has_error());
        }
    }

    TEST_CASE("faults: armed failpoints are said in the log") {
        const test::test_database db;
        faults::trial t{db.dsn()};
        t.workers.grow(1, "run.before=kill@1000000");
        REQUIRE(t.workers.wait_ready());
        CHECK(t.workers.lines_of("config_fault").find("run.before=kill") != std::string::npos);
        CHECK(t.workers.stop());
    }
}
