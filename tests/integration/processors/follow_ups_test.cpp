#include "processors/support/follow_ups.hpp"

#include "integration/engine/rig.hpp"
#include "processors/debug/processor.hpp"

#include <doctest/doctest.h>

using namespace engine_test;
using libqueue::processors::with_follow_ups;

namespace {

/// A worker with the debug kinds, which may be followed up.
class chain {
   public:
    chain()
        : worker_{t.start(with_follow_ups(libqueue::processors::debug::make_registrations()))} {}

    [[nodiscard]] std::string error_of(libqueue::job_id id) const {
        return t.db.query("SELECT last_error FROM queue.jobs WHERE id = $1", {std::to_string(id)});
    }

    rig t;

   private:
    std::unique_ptr<libqueue::worker> worker_;
};

}  // namespace

TEST_CASE("then: each step exists when the one before has happened, with its output") {
    const chain c;
    const auto id = c.t.enqueue("debug.echo", R"({"n": 1, "then": [
        {"kind": "debug.echo", "with_output": "before", "priority": 3, "payload":
         {"n": 2, "then": [{"kind": "debug.echo", "payload": {"n": 3}}]}},
        {"kind": "debug.noop", "payload": {}}]})",
                                "tenant_id => '00000000-0000-0000-0000-00000000000a', "
                                "subject => 'person 7', traceparent => 'tp', "
                                "meta => '{\"tracestate\": \"a=1\"}'");

    REQUIRE(c.t.wait_finished(4));
    CHECK(c.t.state(id) == "completed");
    CHECK(c.t.db.query("SELECT string_agg(kind || ' ' || coalesce(payload->>'n', '-'), ', ' "
                       "ORDER BY payload->>'n', kind) FROM queue.jobs WHERE state = 'completed'") ==
          "debug.echo 1, debug.echo 2, debug.echo 3, debug.noop -");
    CHECK(c.t.db.query("SELECT (payload->'before'->>'n') || ' ' || priority FROM queue.jobs "
                       "WHERE payload->>'n' = '2'") == "1 3");
    CHECK(c.t.db.query("SELECT count(*) FROM queue.job WHERE meta->>'traceparent' = 'tp' AND "
                       "meta->>'tracestate' = 'a=1' AND "
                       "tenant_id = '00000000-0000-0000-0000-00000000000a'") == "4");
    CHECK(c.t.db.query("SELECT jobs FROM queue.erase('person 7', "
                       "'00000000-0000-0000-0000-00000000000a')") == "4");
}

TEST_CASE("then: parts of the output go where they are wanted") {
    const chain c;
    const auto id = c.t.enqueue("debug.echo", R"({"a": {"b": 7}, "then": [
        {"kind": "debug.echo", "payload": {"variables": {"kept": true}, "x": 1},
         "with_output": {"variables.seven": "a.b", "x.deep": "a", "none": "a.b.c"}}]})");

    REQUIRE(c.t.wait_finished(2));
    CHECK(c.t.db.query("SELECT payload FROM queue.jobs WHERE id > $1", {std::to_string(id)}) ==
          R"({"x": {"deep": {"b": 7}}, "none": null, "variables": {"kept": true, "seven": 7}})");
}

TEST_CASE("then: nothing follows a job that is not completed") {
    const chain c;
    const auto id = c.t.enqueue(
        "debug.fail", R"({"class": "discard", "then": [{"kind": "debug.noop", "payload": {}}]})");

    REQUIRE(c.t.wait_state(id, "dead"));
    CHECK(c.t.db.query("SELECT count(*) FROM queue.jobs") == "1");
}

TEST_CASE("then: a fault is told with its place before anything is done") {
    const chain c;
    const auto fault_of = [&](const std::string& then) {
        const auto id = c.t.enqueue("debug.echo", R"({"then": )" + then + "}");
        REQUIRE(c.t.wait_state(id, "dead"));
        return c.error_of(id);
    };
    CHECK(fault_of("7").find("payload.then: expected an array of at most 100") !=
          std::string::npos);
    CHECK(fault_of("[1]").find("payload.then[0]: expected an object") != std::string::npos);
    const std::string many =
        fault_of(R"([{"kind": "debug.noop", "payload": {}}, {"priority": "x", "kind": 7}])");
    CHECK(many.find("payload.then[1].kind: expected a string") != std::string::npos);
    CHECK(many.find("payload.then[1].payload: expected an object") != std::string::npos);
    CHECK(many.find("payload.then[1].priority: expected an integer") != std::string::npos);
    CHECK(c.t.db.query("SELECT count(*) FROM queue.jobs WHERE kind = 'debug.noop'") == "0");
}

TEST_CASE("then: a follow-up that the queue refuses undoes the finish and says why") {
    const chain c;
    const auto id = c.t.enqueue("debug.echo",
                                R"({"then": [{"kind": "debug.noop", "payload": {},
                                              "queue": "nowhere"}]})",
                                "max_attempts => 1");

    REQUIRE(c.t.wait_state(id, "dead"));
    CHECK(c.error_of(id).find("nowhere") != std::string::npos);
}

TEST_CASE("then: the word elsewhere in a payload, or a payload that is no object, means nothing") {
    const chain c;
    const auto list = c.t.enqueue("debug.echo", R"(["then"])");
    const auto inner = c.t.enqueue("debug.echo", R"({"a": {"then": 7}})");
    const auto null = c.t.enqueue("debug.echo", R"({"then": null})");

    for (const auto id : {list, inner, null}) {
        CHECK(c.t.wait_state(id, "completed"));
    }
}
