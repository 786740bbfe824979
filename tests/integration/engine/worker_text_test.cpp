#include "core/limits.hpp"
#include "rig.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <thread>

TEST_SUITE_BEGIN("worker texts");

using namespace engine_test;
using boost::asio::awaitable;
using libqueue::job_context;
using libqueue::outcome;

namespace {

/// Handlers by payload: {"case": name}.
class answers {
   public:
    std::map<std::string, outcome> by_name;
};

std::string nested(std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
}

}  // namespace

TEST_CASE("any output and any error text is stored, whatever bytes it has") {
    using namespace std::string_literals;
    rig t;
    answers known;
    known.by_name.emplace("nul", libqueue::completed("{\"a\": \"x\\u0000y\"}"));
    known.by_name.emplace("raw nul", libqueue::completed("{\"a\": \"x\0y\"}"s));
    known.by_name.emplace("bad utf8", libqueue::completed("{\"a\": \"\xff\xfe\"}"));
    known.by_name.emplace("surrogate", libqueue::completed(R"({"a": "\ud800"})"));
    known.by_name.emplace("not json", libqueue::completed("it went well"));
    known.by_name.emplace("deep", libqueue::completed(nested(20'000)));
    known.by_name.emplace("huge number", libqueue::completed("1e999999999"));
    known.by_name.emplace("long", libqueue::completed("\"" + std::string(2 << 20, 'x') + "\""));
    known.by_name.emplace("error nul", libqueue::discard("x\0y"s));
    known.by_name.emplace("error bad utf8", libqueue::discard("caf\xe9 \xed\xa0\x80"));
    known.by_name.emplace("error long", libqueue::discard(std::string(1 << 20, 'y')));
    known.by_name.emplace("error quote", libqueue::retry(R"('"\{}$1)"));
    std::map<std::string, libqueue::job_id> ids;
    for (const auto& [name, said] : known.by_name) {
        ids[name] = t.enqueue("says", R"({"case": ")" + name + "\"}", "max_attempts => 1");
    }
    // Ordinary ones among them, which must not suffer.
    const auto plain = t.enqueue_many("noop", 200);

    const auto worker = t.start({coroutine("says",
                                           [&](job_context& context) -> awaitable<outcome> {
                                               const std::string& payload = context.payload();
                                               const auto begin = payload.find(": \"") + 3;
                                               co_return known.by_name.at(payload.substr(
                                                   begin, payload.size() - begin - 2));
                                           }),
                                 noop()});

    REQUIRE(t.wait_finished(static_cast<int>(ids.size() + plain.size())));
    for (const auto& [name, id] : ids) {
        CAPTURE(name);
        const bool error = name.starts_with("error");
        CHECK(t.state(id) == (error ? "dead" : "completed"));
        if (!error) {
            CHECK(t.db.query("SELECT output IS NOT NULL FROM queue.jobs WHERE id = $1",
                             {std::to_string(id)}) == "t");
        }
    }
    CHECK(t.db.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'completed'") == "208");
    CHECK(t.db.query("SELECT output FROM queue.jobs WHERE id = $1",
                     {std::to_string(ids["not json"])}) == "\"it went well\"");
    CHECK(std::stoul(t.db.query("SELECT length(output #>> '{}') FROM queue.jobs WHERE id = $1",
                                {std::to_string(ids["long"])})) <= libqueue::limits::output_bytes);
    CHECK(std::stoul(t.db.query("SELECT octet_length(last_error) FROM queue.jobs WHERE id = $1",
                                {std::to_string(ids["error long"])})) <=
          libqueue::limits::error_text_bytes);
    CHECK(t.db.query("SELECT error FROM queue.dead_letters WHERE id = $1",
                     {std::to_string(ids["error quote"])}) == R"('"\{}$1)");
    CHECK(t.seen.count(libqueue::event_type::internal_error) == 0);
    CHECK(t.faults() == "");
}

TEST_CASE("a payload of the full megabyte travels there and its echo back") {
    rig t;
    const std::string text(1'000'000, 'p');
    const auto id = t.enqueue("echo", "{\"text\": \"" + text + "\"}");

    const auto worker = t.start({coroutine("echo", [](job_context& context) -> awaitable<outcome> {
        co_return libqueue::completed(context.payload());
    })});

    REQUIRE(t.wait_state(id, "completed"));
    CHECK(t.db.query("SELECT output = payload FROM queue.jobs WHERE id = $1",
                     {std::to_string(id)}) == "t");
}

TEST_CASE("progress is visible while the job runs, the last report wins, any text is storable") {
    rig t;
    std::atomic<bool> go{false};
    const auto id = t.enqueue("slow");
    const auto worker = t.start({blocking("slow", [&](job_context& context) -> outcome {
        context.progress(0.25, "first");
        context.progress(0.5, "half \xff way");
        while (!go && !context.stop_requested()) {
            std::this_thread::yield();
        }
        context.progress(7, "beyond");
        return libqueue::completed();
    })});

    const auto row = [&] {
        return t.db.rows("SELECT fraction, message FROM queue.progress WHERE job_id = $1",
                         {std::to_string(id)});
    };
    REQUIRE(test::wait_until([&] { return !row().empty(); }));
    CHECK(row()[0].at(0) == "0.5");
    CHECK(row()[0].at(1).value().starts_with("half "));
    go = true;
    REQUIRE(t.wait_state(id, "completed"));
}

TEST_SUITE_END();
