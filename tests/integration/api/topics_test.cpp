#include "support/test_database.hpp"

#include <libqueue/client.hpp>
#include <libqueue/topics.hpp>

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

using libqueue::client;
using libqueue::client_options;
using libqueue::errc;
using libqueue::new_event;
using libqueue::new_subscription;
using libqueue::topics;

namespace {

class bench {
   public:
    test::test_database db;
    client on{client_options{db.dsn()}};
    topics all{on};

    void subscribe(const std::string& pattern, const std::string& kind) {
        REQUIRE(all.subscribe(new_subscription{pattern, kind}).has_value());
    }
    [[nodiscard]] std::string heard(const std::string& topic) const {
        return db.query("SELECT string_agg(pattern, ' ' ORDER BY id) FROM queue.subscribers($1)",
                        {topic});
    }
    [[nodiscard]] std::string count(const std::string& from) const {
        return db.query("SELECT count(*) FROM " + from);
    }
};

/// What * and # mean, said otherwise: the oracle.
bool matches(const std::vector<std::string>& pattern, std::size_t p,
             const std::vector<std::string>& topic, std::size_t t) {
    if (p == pattern.size()) {
        return t == topic.size();
    }
    if (pattern[p] == "#") {
        return matches(pattern, p + 1, topic, t) ||
               (t < topic.size() && matches(pattern, p, topic, t + 1));
    }
    return t < topic.size() && (pattern[p] == "*" || pattern[p] == topic[t]) &&
           matches(pattern, p + 1, topic, t + 1);
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) {
        text += (text.empty() ? "" : ".") + word;
    }
    return text;
}

const std::string tenant{"6f0b3a52-8d1f-4a57-9c4e-3f1f0d7a9b11"};
const std::string other_tenant{"00000000-8d1f-4a57-9c4e-3f1f0d7a9b11"};

TEST_SUITE("topics") {
    TEST_CASE("patterns: a word is itself, * is one word, # is any number of them") {
        bench t;
        for (const std::string pattern :
             {"orders.created", "orders.*", "orders.#", "#", "*.created", "#.eu", "a.#.b.#"}) {
            t.subscribe(pattern, "k");
        }
        CHECK(t.heard("orders.created") == "orders.created orders.* orders.# # *.created");
        CHECK(t.heard("orders") == "orders.# #");
        CHECK(t.heard("orders.created.eu") == "orders.# # #.eu");
        CHECK(t.heard("eu") == "# #.eu");
        CHECK(t.heard("a.b") == "# a.#.b.#");
        CHECK(t.heard("a.x.y.b.z") == "# a.#.b.#");
        CHECK(t.heard("Orders.created") == "# *.created");
    }

    TEST_CASE("patterns: what the tree finds is what an oracle finds") {
        bench t;
        const std::uint32_t seed = std::random_device{}();
        MESSAGE("seed " << seed);
        std::minstd_rand random{seed};
        const auto draw = [&](const std::vector<std::string>& from, int most) {
            std::vector<std::string> words(1 + random() % static_cast<unsigned>(most));
            for (auto& word : words) {
                word = from[random() % from.size()];
            }
            return words;
        };
        std::vector<std::vector<std::string>> patterns;
        test::connection on{t.db.dsn()};
        for (int i = 0; i < 300; ++i) {
            patterns.push_back(draw({"a", "b", "c", "*", "#"}, 5));
            on.execute("SELECT queue.subscribe($1, $2)",
                       {joined(patterns.back()), "k" + std::to_string(i)});
        }
        for (int i = 0; i < 200; ++i) {
            const auto topic = draw({"a", "b", "c", "d"}, 6);
            std::string expected;
            for (std::size_t at = 0; at < patterns.size(); ++at) {
                if (matches(patterns[at], 0, topic, 0)) {
                    expected += (expected.empty() ? "k" : " k") + std::to_string(at);
                }
            }
            CAPTURE(joined(topic));
            CHECK(on.query("SELECT string_agg(kind, ' ' ORDER BY id) FROM queue.subscribers($1)",
                           {joined(topic)}) == expected);
        }
        on.execute("SELECT queue.unsubscribe(id) FROM queue.subscriptions");
        CHECK(t.count("queue.topic_node") == "0");
    }

    TEST_CASE("publish: one job per subscription, in the publisher's transaction") {
        bench t;
        new_subscription wanted{"orders.*", "mail"};
        wanted.priority = 2;
        wanted.max_attempts = 7;
        wanted.delay = std::chrono::minutes{5};
        REQUIRE(t.all.subscribe(wanted).has_value());
        t.subscribe("orders.created", "count");
        t.subscribe("other", "count");

        new_event event{"orders.created", R"({"total": 5})"};
        event.tenant_id = tenant;
        event.meta = R"({"m": 1})";
        CHECK(t.all.publish(event).value() == 2);
        CHECK(t.db.rows("SELECT kind, payload, tenant_id, priority, max_attempts, "
                        "run_at - created_at BETWEEN '00:04:59' AND '00:05:01', meta - 'event_id' "
                        "FROM queue.jobs "
                        "WHERE kind = 'mail'")
                  .at(0) == test::row{"mail", R"({"total": 5})", tenant, "2", "7", "t",
                                      R"({"m": 1, "topic": "orders.created"})"});
        CHECK(t.count("(SELECT DISTINCT meta->>'event_id' FROM queue.jobs) x") == "1");

        test::connection on{t.db.dsn()};
        on.execute("BEGIN");
        CHECK(on.query("SELECT queue.publish('orders.created', '{}')") == "2");
        on.execute("ROLLBACK");
        CHECK(t.count("queue.jobs") == "2");
    }

    TEST_CASE("filters: only what is true matches") {
        bench t;
        new_subscription wanted{"#", "large"};
        wanted.filter = "$.total > 100";
        REQUIRE(t.all.subscribe(wanted).has_value());
        const auto jobs = [&](const std::string& payload) {
            return t.all.publish(new_event{"orders", payload}).value();
        };
        CHECK(jobs(R"({"total": 101})") == 1);
        CHECK(jobs(R"({"total": 100})") == 0);
        CHECK(jobs(R"({"total": "many"})") == 0);
        CHECK(jobs("[]") == 0);
        CHECK(jobs("null") == 0);
        CHECK(t.all.subscribers(new_event{"orders", R"({"total": 200})"})->rows.size() == 1);
        CHECK(t.all.subscribers(new_event{"orders", "{}"})->rows.empty());
    }

    TEST_CASE("tenants: a subscription of one hears its events only, one of none hears all") {
        bench t;
        t.subscribe("a", "everyone");
        new_subscription own{"a", "own"};
        own.tenant_id = tenant;
        REQUIRE(t.all.subscribe(own).has_value());
        new_event event{"a"};
        CHECK(t.all.publish(event).value() == 1);
        event.tenant_id = other_tenant;
        CHECK(t.all.publish(event).value() == 1);
        event.tenant_id = tenant;
        CHECK(t.all.publish(event).value() == 2);
        CHECK(t.count("queue.jobs WHERE kind = 'own'") == "1");
    }

    TEST_CASE("with an idempotency key each subscription gets one job, a later one its own") {
        bench t;
        t.subscribe("a", "first");
        new_event event{"a", R"({"n": 1})"};
        event.idempotency_key = "order-1";
        CHECK(t.all.publish(event).value() == 1);
        CHECK(t.all.publish(event).value() == 0);
        t.subscribe("#", "second");
        CHECK(t.all.publish(event).value() == 1);
        CHECK(t.count("queue.unrouted_topics") == "0");
        event.payload = "{}";
        CHECK(t.all.publish(event).error().code == errc::idempotency_conflict);
    }

    TEST_CASE("an ordering key is read from the payload") {
        bench t;
        new_subscription wanted{"a", "k"};
        wanted.ordering_key_path = "$.order_id";
        REQUIRE(t.all.subscribe(wanted).has_value());
        CHECK(t.all.publish(new_event{"a", R"({"order_id": 7})"}).value() == 1);
        CHECK(t.all.publish(new_event{"a", R"({"order_id": "x"})"}).value() == 1);
        CHECK(t.all.publish(new_event{"a", "{}"}).value() == 1);
        CHECK(t.db.query("SELECT string_agg(coalesce(meta->>'ordering_key', '-'), ' ' ORDER BY id) "
                         "FROM queue.job") == "7 x -");
    }

    TEST_CASE("subscribe: set anew it changes, and is still one; unsubscribe leaves its jobs") {
        bench t;
        const auto id = t.all.subscribe(new_subscription{"a.b", "k"}).value();
        new_subscription changed{"a.b", "k"};
        changed.filter = "$.x == 1";
        CHECK(t.all.subscribe(changed).value() == id);
        CHECK(t.db.query("SELECT filter FROM queue.subscriptions") == "($.\"x\" == 1)");
        CHECK(t.all.publish(new_event{"a.b", R"({"x": 1})"}).value() == 1);
        t.subscribe("a.*", "k");
        libqueue::subscription_filter filter;
        filter.limit = 1;
        const auto page = t.all.list(filter);
        REQUIRE(page.next.has_value());
        filter.after = page.next;
        CHECK(t.all.list(filter).rows.size() == 1);

        CHECK(t.all.unsubscribe("a.b", "k").value());
        CHECK_FALSE(t.all.unsubscribe("a.b", "k").value());
        CHECK_FALSE(t.all.unsubscribe(id).value());
        CHECK(t.heard("a.b") == "a.*");
        CHECK(t.count("queue.jobs") == "1");
    }

    TEST_CASE("unrouted topics are counted and listed, folded or not") {
        bench t;
        test::connection on{t.db.dsn()};
        on.execute("SELECT queue.publish('a.b', '{\"n\": 1}') FROM generate_series(1, 700)");
        on.execute("SELECT queue.publish('rare', to_jsonb(repeat('x', 2000)))");
        CHECK(std::stoi(t.count("queue.unrouted_event")) < 256);
        const auto rows = t.all.unrouted().rows;
        REQUIRE(rows.size() == 2);
        CHECK(rows[0][0] == "a.b");
        CHECK(rows[0][1] == "700");
        CHECK(rows[0][4] == R"({"n": 1})");
        CHECK_FALSE(rows[1][4].has_value());

        // Publishers do not wait for each other, not even for one that folds.
        on.execute("BEGIN; SELECT queue.fold_unrouted()");
        test::connection other{t.db.dsn()};
        other.execute(
            "SET lock_timeout = '5s'; "
            "SELECT queue.publish('a.b', '{}') FROM generate_series(1, 600)");
        on.execute("COMMIT");
        CHECK(t.all.unrouted().rows.at(0).at(1) == "1300");
        CHECK(t.all.forget_unrouted("rare").value() == 1);
        CHECK(t.all.forget_unrouted().value() > 0);
        CHECK(t.all.unrouted().rows.empty());
    }

    TEST_CASE("many topics nobody hears take a bounded number of rows") {
        bench t;
        test::connection on{t.db.dsn()};
        on.execute(
            "INSERT INTO queue.unrouted_topic (topic, count, first_at, last_at) "
            "SELECT 't' || n, 1, now(), now() FROM generate_series(1, 9990) n");
        on.execute("SELECT queue.publish('u' || n, '{}') FROM generate_series(1, 512) n");
        on.execute("SELECT queue.publish('t1', '{}')");
        on.execute("SELECT queue.fold_unrouted()");
        CHECK(std::stoi(t.count("queue.unrouted_topic")) <= 10'001);
        CHECK(on.query("SELECT sum(count) FROM queue.unrouted_topics") == "10503");
        CHECK(on.query("SELECT count FROM queue.unrouted_topics WHERE topic = 't1'") == "2");
    }

    TEST_CASE("bad input is a result that names the argument; nothing is made") {
        bench t;
        const auto published = [&](const char* start, const std::string& topic,
                                   const std::string& payload = "{}") {
            const auto said = t.all.publish(new_event{topic, payload});
            const std::string message = said.has_error() ? said.error().message : "accepted";
            CHECK_MESSAGE(message.find(start) == 0, message);
        };
        published("topic: expected 1 to 255 bytes, got 65536", std::string(65'536, 'a'));
        published("topic: expected 1 to 255 bytes, got 0", "");
        published("topic: expected words of", "a..b");
        published("topic: expected words of", ".a");
        published("topic: expected words of", "a.*");
        published("topic: expected words of", "a b");
        published("topic: expected at most 16 words, got 17", "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a");
        published("topic: expected UTF-8", std::string("a\0b", 3));
        published("payload: ", "a", "{");

        const auto subscribed = [&](const char* start, const auto& change) {
            new_subscription wanted{"a.*", "k"};
            change(wanted);
            const auto said = t.all.subscribe(wanted);
            const std::string message = said.has_error() ? said.error().message : "accepted";
            CHECK_MESSAGE(message.find(start) == 0, message);
        };
        subscribed("pattern: expected words of", [](auto& s) { s.pattern = "a.b*"; });
        subscribed("pattern: expected 1 to 255", [](auto& s) { s.pattern = ""; });
        subscribed("kind: expected", [](auto& s) { s.kind = "No"; });
        subscribed("filter: expected a JSON path, got", [](auto& s) { s.filter = "total > 100"; });
        subscribed("filter: expected a condition", [](auto& s) { s.filter = "$.total"; });
        subscribed("filter: expected a JSON path of", [](auto& s) { s.filter = ""; });
        subscribed("ordering_key_path: expected a JSON path",
                   [](auto& s) { s.ordering_key_path = "]"; });
        subscribed("unknown queue", [](auto& s) { s.queue = "none"; });
        subscribed("priority: expected", [](auto& s) { s.priority = 40'000; });
        subscribed("max_attempts: expected", [](auto& s) { s.max_attempts = 0; });
        subscribed("delay: expected", [](auto& s) { s.delay = std::chrono::milliseconds{-1}; });
        subscribed("tenant_id: expected a UUID", [](auto& s) { s.tenant_id = "x"; });
        CHECK(t.count("queue.subscription") == "0");
        CHECK(t.count("queue.topic_node") == "0");
        CHECK(t.count("queue.unrouted_topics") == "0");
    }
}

}  // namespace
