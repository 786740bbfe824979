#include "support/fault_proxy.hpp"
#include "support/test_database.hpp"

#include <libqueue/client.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

using libqueue::client;
using libqueue::client_options;
using libqueue::new_job;
using test::fault_proxy;

TEST_SUITE_BEGIN("connections: enqueue");

namespace {

class bench {
   public:
    [[nodiscard]] std::string jobs() const { return db.query("SELECT count(*) FROM queue.job"); }

    test::test_database db;
    fault_proxy proxy{db.cluster().socket_dir()};
    client producer{client_options{proxy.dsn(db.name())}};
};

/// Whether the enqueue ended with an outcome nobody knows.
template <typename Enqueue>
bool left_open(Enqueue enqueue) {
    try {
        static_cast<void>(enqueue());
    } catch (const libqueue::failure& what) {
        CAPTURE(std::string{what.what()});
        CHECK(what.poisons_connection());
        return what.outcome_unknown();
    }
    return false;
}

}  // namespace

TEST_CASE("with a key, a commit whose answer is lost is one job, and a retry gets its id") {
    constexpr int rounds = 50;
    bench t;
    for (int round = 0; round < rounds; ++round) {
        CAPTURE(round);
        const std::string key = "order-" + std::to_string(round);
        const new_job job = new_job{"mail", "{}"}.unique_key(key);
        t.proxy.lose_answer("queue.enqueue");
        REQUIRE(left_open([&] { return t.producer.enqueue(job); }));

        const auto again = t.producer.enqueue(job);

        REQUIRE(again.has_value());
        CHECK(again->duplicate);
        CHECK(t.db.query("SELECT job_id FROM queue.idempotency WHERE key = $1", {key}) ==
              std::to_string(again->id));
    }
    CHECK(t.proxy.answers_lost() == rounds);
    CHECK(t.jobs() == std::to_string(rounds));
}

TEST_CASE("without a key, the caller is told that nobody knows, and nothing is said twice") {
    bench t;
    const new_job job{"mail", "{}"};
    t.proxy.lose_answer("queue.enqueue");

    CHECK(left_open([&] { return t.producer.enqueue(job); }));

    CHECK(t.proxy.answers_lost() == 1);
    CHECK(t.jobs() == "1");
    CHECK(t.producer.enqueue(job).has_value());
}

TEST_CASE("a batch over several statements: the lost answer is the one to COMMIT") {
    bench t;
    const std::vector<new_job> jobs{new_job{"mail", "{}"}, new_job{"sms", "{}"}};
    t.proxy.lose_answer("COMMIT");

    CHECK(left_open([&] { return t.producer.enqueue_many(jobs); }));

    CHECK(t.proxy.answers_lost() == 1);
    CHECK(t.jobs() == "2");
}

TEST_CASE("a batch that is cut before its COMMIT is said again, once") {
    bench t;
    const std::vector<new_job> jobs{new_job{"mail", "{}"}, new_job{"sms", "{}"}};
    REQUIRE(t.producer.enqueue(jobs.front()).has_value());
    t.proxy.lose_answer("BEGIN");

    const auto ids = t.producer.enqueue_many(jobs);

    CHECK(t.proxy.answers_lost() == 1);
    CHECK(ids.has_value());
    CHECK(t.jobs() == "3");
}

TEST_CASE("cut in the middle of a request or of an answer: with the key there is one job") {
    for (const auto way : {fault_proxy::direction::to_server, fault_proxy::direction::to_client}) {
        for (const std::size_t bytes : {1U, 5U, 40U, 150U}) {
            CAPTURE(bytes);
            bench t;
            static_cast<void>(t.producer.get(1));  // connects
            const new_job job = new_job{"mail", "{}"}.unique_key("order");
            REQUIRE(t.proxy.cut_after(way, bytes) == 1);
            std::optional<libqueue::job_id> first;
            try {
                first = t.producer.enqueue(job)->id;
            } catch (const libqueue::failure& what) {
                CHECK(what.outcome_unknown());
            }
            // An answer shorter than the limit leaves some of it for the next one.
            t.proxy.cut();

            const auto again = t.producer.enqueue(job);

            REQUIRE(again.has_value());
            CHECK(first.value_or(again->id) == again->id);
            CHECK(t.jobs() == "1");
        }
    }
}

TEST_SUITE_END();
