#include "webhook_fleet.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <string>

using namespace std::chrono_literals;

TEST_SUITE("processors: webhook endpoints") {
    TEST_CASE("an event reaches every endpoint that hears it, signed, once per id, or not at all") {
        const test::webhook_fleet fleet;
        const auto exact = fleet.endpoint(", ARRAY['order.paid', 'order.*']", "/exact");
        (void)fleet.endpoint(", ARRAY['order.*']", "/prefix");
        (void)fleet.endpoint("", "/all");
        (void)fleet.endpoint(", ARRAY['order', 'orders.*', 'paid', 'order.paid.eu']", "/none");

        test::connection session{fleet.database.dsn()};
        session.execute("BEGIN");
        const auto in_doubt =
            session.query("SELECT webhooks.publish($1::uuid, 'order.paid', '{\"n\": 2}', 'evt_0')",
                          {fleet.tenant});
        session.execute("ROLLBACK");
        CHECK(in_doubt == "3");
        CHECK(fleet.publish("order.paid", "evt_1") == "3");
        CHECK(fleet.publish("order.paid", "evt_1") == "0");
        REQUIRE(fleet.settles());

        const auto all = fleet.receiver.requests();
        REQUIRE(all.size() == 3);
        std::vector<std::string> targets;
        for (const auto& request : all) {
            targets.push_back(request.target);
            CHECK(request.header("webhook-id") == "evt_1");
            CHECK(request.body.starts_with(R"({"type":"order.paid","timestamp":"20)"));
            CHECK(request.body.ends_with(R"(,"data":{"n": 1.50}})"));
        }
        std::sort(targets.begin(), targets.end());
        CHECK(targets == std::vector<std::string>{"/all", "/exact", "/prefix"});
        for (const auto& request : all) {
            CHECK(test::webhook_fleet::verifies(fleet.keys_of(exact).front(), request) ==
                  (request.target == "/exact"));
        }
        CHECK(fleet.database.query("SELECT string_agg(outcome || ' ' || status || ' ' || attempt, "
                                   "',') FROM webhooks.delivery WHERE endpoint_id = $1::bigint",
                                   {exact}) == "delivered 200 1");
    }

    TEST_CASE("the same event id with other data is refused, and bad arguments say what is wrong") {
        const test::webhook_fleet fleet;
        (void)fleet.endpoint();
        CHECK(fleet.publish("a.b", "evt_1") == "1");
        const auto state_of = [&](const std::string& arguments) -> std::string {
            try {
                fleet.database.execute("SELECT webhooks." + arguments);
            } catch (const test::sql_error& error) {
                return error.sqlstate();
            }
            return "none";
        };
        const auto publish = "publish('" + fleet.tenant + "', ";
        CHECK(state_of(publish + "'a.b', '{\"n\": 2}', 'evt_1')") == "LQ004");
        CHECK(state_of(publish + "'a.c', '{\"n\": 1.50}', 'evt_1')") == "LQ004");
        CHECK(state_of(publish + "'a..b', '{}')") == "LQ001");
        CHECK(state_of(publish + "'a.b', '{}', 'evt.1')") == "LQ001");
        CHECK(state_of(publish + "'a.b', NULL)") == "LQ008");
        CHECK(state_of(publish + "'a.b', to_jsonb(repeat('x', 20000)))") == "LQ003");
        for (const std::string url : {"ftp://a.example/", "https://u:p@a.example/", "https://",
                                      "https://a.example/\n", "a.example"}) {
            CHECK(state_of("endpoint_create(NULL, '" + url + "')") == "LQ001");
        }
        CHECK(state_of("endpoint_create(NULL, 'https://a.example', '{}')") == "LQ001");
        CHECK(state_of("endpoint_create(NULL, 'https://a.example', '{*.a}')") == "LQ001");
        CHECK(state_of("endpoint_create(NULL, 'https://a.example', format => 'xml')") == "LQ001");
        CHECK(state_of("endpoint_create(NULL, 'https://a.example', signature => 'v2')") == "LQ001");
    }

    TEST_CASE("tenants neither hear nor touch what is another's") {
        const test::webhook_fleet fleet;
        const auto mine = fleet.endpoint();
        fleet.database.execute("SELECT webhooks.publish($1::uuid, 'a.b', '{}')",
                               {fleet.other_tenant});
        fleet.database.execute("SELECT webhooks.publish(NULL, 'a.b', '{}')");
        for (const std::string call :
             {"endpoint_update($1::uuid, $2::bigint, url => 'https://b.example')",
              "endpoint_disable($1::uuid, $2::bigint, 'x')",
              "endpoint_enable($1::uuid, $2::bigint)", "endpoint_rotate($1::uuid, $2::bigint)",
              "endpoint_remove($1::uuid, $2::bigint)", "replay($1::uuid, $2::bigint, '-infinity')",
              "resend($1::uuid, $2::bigint, 'evt')"}) {
            CAPTURE(call);
            CHECK_THROWS_AS(
                fleet.database.execute("SELECT webhooks." + call, {fleet.other_tenant, mine}),
                test::sql_error);
        }
        // A job that was not made by publish does not lead there either.
        fleet.database.execute(
            "SELECT queue.enqueue('webhook.event', jsonb_build_object('endpoint', $2::bigint, "
            "'event', 'a.b'), tenant_id => $1::uuid)",
            {fleet.other_tenant, mine});
        REQUIRE(fleet.settles());
        CHECK(fleet.database.query("SELECT last_error FROM queue.jobs") ==
              "no endpoint " + mine + " of this tenant");
        CHECK(fleet.receiver.requests().empty());
    }

    TEST_CASE("after a rotation both secrets sign until the overlap is over") {
        const test::webhook_fleet fleet;
        const auto endpoint = fleet.endpoint(", signature => 'both'");
        const auto before = fleet.keys_of(endpoint);
        REQUIRE(before.size() == 2);
        CHECK(std::count_if(before.begin(), before.end(), [](const auto& key) {
                  return key.receiver_text().starts_with("whpk_");
              }) == 1);
        fleet.database.execute("SELECT webhooks.endpoint_rotate($1::uuid, $2::bigint)",
                               {fleet.tenant, endpoint});
        const auto both = fleet.keys_of(endpoint);
        REQUIRE(both.size() == 4);
        CHECK(fleet.publish("a.b") == "1");
        REQUIRE(fleet.settles());
        const auto during = fleet.receiver.requests().at(0);
        for (const auto& key : both) {
            CHECK(test::webhook_fleet::verifies(key, during));
        }

        fleet.database.execute(
            "UPDATE webhooks.signing_key SET expires_at = now() - interval "
            "'1 s' WHERE expires_at IS NOT NULL");
        CHECK(fleet.publish("a.b") == "1");
        REQUIRE(fleet.settles());
        const auto after = fleet.receiver.requests().at(1);
        CHECK(test::webhook_fleet::verifies(both.at(0), after));
        CHECK(test::webhook_fleet::verifies(both.at(1), after));
        CHECK_FALSE(test::webhook_fleet::verifies(before.at(0), after));
        CHECK_FALSE(test::webhook_fleet::verifies(before.at(1), after));

        fleet.database.execute("SELECT webhooks.endpoint_rotate($1::uuid, $2::bigint, '0')",
                               {fleet.tenant, endpoint});
        CHECK(fleet.publish("a.b") == "1");
        REQUIRE(fleet.settles());
        CHECK_FALSE(test::webhook_fleet::verifies(both.at(0), fleet.receiver.requests().at(2)));
    }

    TEST_CASE("CloudEvents: attributes in the body or in headers, and both are signed") {
        const test::webhook_fleet fleet;
        const auto structured = fleet.endpoint(", format => 'cloudevents-structured'", "/s");
        const auto binary = fleet.endpoint(", format => 'cloudevents-binary'", "/b");
        CHECK(fleet.publish("order.paid", "evt_1") == "2");
        REQUIRE(fleet.settles());
        for (const auto& request : fleet.receiver.requests()) {
            const bool in_body = request.target == "/s";
            CHECK(test::webhook_fleet::verifies(
                fleet.keys_of(in_body ? structured : binary).front(), request));
            if (in_body) {
                CHECK(request.header("content-type") ==
                      "application/cloudevents+json; charset=utf-8");
                CHECK(request.body.starts_with(
                    R"({"specversion":"1.0","id":"evt_1","source":"/libqueue",)"
                    R"("type":"order.paid","time":"20)"));
                CHECK(request.body.ends_with(
                    R"("datacontenttype":"application/json","data":{"n": 1.50}})"));
            } else {
                CHECK(request.header("content-type") == "application/json");
                CHECK(request.header("ce-specversion") == "1.0");
                CHECK(request.header("ce-id") == "evt_1");
                CHECK(request.header("ce-source") == "/libqueue");
                CHECK(request.header("ce-type") == "order.paid");
                CHECK(request.header("ce-time").starts_with("20"));
                CHECK(request.body == R"({"n": 1.50})");
            }
        }
    }

    TEST_CASE("410 disables the endpoint at once and publishes webhook.disabled") {
        test::webhook_fleet fleet;
        const auto endpoint = fleet.endpoint();
        fleet.database.execute("SELECT queue.subscribe('webhook.disabled', 'owner.notify')");
        fleet.receiver.reply_in_turn({test::http_reply{410}});
        CHECK(fleet.publish("a.b") == "1");
        REQUIRE(fleet.reaches("SELECT state FROM webhooks.endpoint", "disabled"));
        CHECK(fleet.publish("a.b") == "0");
        CHECK(
            fleet.database.query("SELECT payload->>'endpoint' || ' ' || (payload->>'reason') FROM "
                                 "queue.jobs WHERE kind = 'owner.notify' AND tenant_id = "
                                 "$1::uuid",
                                 {fleet.tenant}) ==
            endpoint + " the endpoint answered 410: it asks for no more deliveries");
    }

    TEST_CASE("the last attempt disables an endpoint unless something was delivered meanwhile") {
        test::webhook_fleet fleet;
        fleet.receiver.reply_with([](const test::http_request& request) {
            return test::http_reply{
                request.target == "/dead" || request.body.find("bad") != std::string::npos ? 500
                                                                                           : 200};
        });
        const auto dead = fleet.endpoint(", waits => '{10 ms}'", "/dead");
        const auto picky = fleet.endpoint(", waits => '{10 ms, 10 ms}'", "/picky");
        CHECK(fleet.publish("event.bad") == "2");
        CHECK(fleet.publish("event.good") == "2");
        REQUIRE(
            fleet.reaches("SELECT count(*) FROM queue.jobs WHERE finished_at IS NULL AND kind "
                          "= 'webhook.event'",
                          "0"));

        const auto state = [&](const std::string& endpoint) {
            return fleet.database.query("SELECT state FROM webhooks.endpoint WHERE id = $1::bigint",
                                        {endpoint});
        };
        CHECK(state(dead) == "disabled");
        CHECK(state(picky) == "enabled");
        CHECK(fleet.database.query("SELECT string_agg(attempt || ' ' || status || ' ' || (next_at "
                                   "IS NULL), ', ' ORDER BY attempt) FROM webhooks.deliveries "
                                   "WHERE endpoint_id = $1::bigint AND type = 'event.bad'",
                                   {picky}) == "1 500 false, 2 500 false, 3 500 true");
    }

    TEST_CASE("what waits for a disabled endpoint is cancelled, and a replay brings all of it") {
        test::webhook_fleet fleet;
        const auto endpoint = fleet.endpoint(", ARRAY['a.*']");
        CHECK(fleet.publish("a.before", "evt_1") == "1");
        REQUIRE(fleet.settles());
        fleet.database.execute("SELECT queue.limit_stop('webhook_endpoints', 'hold it')");
        CHECK(fleet.publish("a.waiting", "evt_2") == "1");
        fleet.database.execute("SELECT webhooks.endpoint_disable($1::uuid, $2::bigint, 'because')",
                               {fleet.tenant, endpoint});
        CHECK(fleet.publish("a.meanwhile", "evt_3") == "0");
        CHECK(fleet.publish("b.unheard", "evt_4") == "0");
        fleet.database.execute("SELECT queue.limit_resume('webhook_endpoints')");
        REQUIRE(fleet.settles());
        CHECK(fleet.database.query("SELECT count(*) FROM queue.jobs WHERE state = 'cancelled'") ==
              "1");
        CHECK(fleet.receiver.requests().size() == 1);
        const auto replay = [&](const std::string& more) {
            return fleet.database.query(
                "SELECT webhooks.replay($1::uuid, $2::bigint, now() - interval '1 hour'" + more +
                    ")",
                {fleet.tenant, endpoint});
        };
        CHECK_THROWS_AS((void)replay(""), test::sql_error);

        fleet.database.execute("SELECT webhooks.endpoint_enable($1::uuid, $2::bigint)",
                               {fleet.tenant, endpoint});
        CHECK(replay("") == "2");
        REQUIRE(fleet.settles());
        CHECK(replay("") == "0");
        CHECK(replay(", only_failed => false") == "3");
        CHECK(replay(", to_time => now() - interval '1 minute', only_failed => false") == "0");
        REQUIRE(fleet.settles());
        const auto all = fleet.receiver.requests();
        REQUIRE(all.size() == 6);
        const auto first = all.front();
        const auto again = std::count_if(all.begin(), all.end(), [&](const auto& request) {
            return request.header("webhook-id") == "evt_1" && request.body == first.body;
        });
        CHECK(again == 2);
    }

    TEST_CASE("an ordered endpoint gets its events one after the other, whatever fails") {
        test::webhook_fleet fleet;
        std::atomic<int> asked{0};
        fleet.receiver.reply_with(
            [&](const test::http_request&) { return test::http_reply{asked++ < 2 ? 503 : 200}; });
        (void)fleet.endpoint(", ordered => true, waits => '{10 ms, 10 ms, 10 ms}'");
        for (const std::string id : {"evt_1", "evt_2", "evt_3"}) {
            CHECK(fleet.publish("a.b", id) == "1");
        }
        REQUIRE(fleet.settles());
        std::string order;
        for (const auto& request : fleet.receiver.requests()) {
            order += request.header("webhook-id").substr(4);
        }
        CHECK(order == "11123");
    }

    TEST_CASE("429 closes this endpoint alone and uses up no attempt") {
        test::webhook_fleet fleet;
        std::atomic<int> asked{0};
        fleet.receiver.reply_with([&](const test::http_request& request) {
            test::http_reply reply;
            if (request.target == "/busy" && asked++ == 0) {
                reply.status = 429;
                reply.headers.emplace_back("retry-after", "60");
            }
            return reply;
        });
        const auto busy = fleet.endpoint(", ARRAY['busy']", "/busy");
        (void)fleet.endpoint(", ARRAY['idle']", "/idle");
        CHECK(fleet.publish("busy") == "1");
        REQUIRE(
            fleet.reaches("SELECT count(*) FROM webhooks.delivery WHERE outcome = 'throttled' "
                          "AND next_at > now() + interval '50 s'",
                          "1"));
        CHECK(fleet.publish("busy") == "1");
        // Each of these would wait two seconds if a claim took the closed key's job for all.
        const auto begin = std::chrono::steady_clock::now();
        for (const std::string count : {"1", "2", "3", "4", "5", "6"}) {
            CHECK(fleet.publish("idle") == "1");
            REQUIRE(fleet.reaches(
                "SELECT count(*) FROM webhooks.delivery WHERE outcome = 'delivered'", count));
        }
        CHECK(std::chrono::steady_clock::now() - begin < 6s);
        CHECK(fleet.receiver.requests().size() == 7);
        CHECK(fleet.database.query("SELECT closed_until > now() + interval '50 s' FROM "
                                   "queue.limit_status WHERE key = $1",
                                   {"endpoint:" + busy}) == "t");
        CHECK(fleet.database.query(
                  "SELECT max(attempt) FROM queue.jobs WHERE finished_at IS NULL") == "0");
    }

    TEST_CASE("a topic's events go to endpoints once, in the transaction that ends their job") {
        const test::webhook_fleet fleet;
        (void)fleet.endpoint(", ARRAY['order.*']");
        fleet.database.execute("SELECT queue.subscribe('order.#', 'webhook.publish')");
        fleet.database.execute(
            "SELECT queue.publish('order.paid', '{\"n\": 7}', tenant_id => $1::uuid)",
            {fleet.tenant});
        fleet.database.execute(
            "SELECT queue.enqueue('webhook.publish', '{\"event\": \"order.sent\", \"data\": [1], "
            "\"event_id\": \"evt_9\"}', tenant_id => $1::uuid)",
            {fleet.tenant});
        fleet.database.execute("SELECT queue.enqueue('webhook.publish', '{\"event\": \"a b\"}')");
        REQUIRE(fleet.reaches("SELECT count(*) FROM webhooks.delivery", "2"));
        std::string seen;
        for (const auto& request : fleet.receiver.requests()) {
            seen += request.body.find("order.paid") != std::string::npos ? "paid " : "sent ";
        }
        CHECK(seen.size() == 10);
        CHECK(fleet.database.query("SELECT last_error FROM queue.jobs WHERE state = 'dead'") ==
              "payload.event: expected words of A-Z a-z 0-9 _ - with dots between");
    }

    TEST_CASE("pruning leaves what is young, and removed endpoints go after their log") {
        const test::webhook_fleet fleet;
        const auto endpoint = fleet.endpoint();
        CHECK(fleet.publish("a.b", "old") == "1");
        CHECK(fleet.publish("a.b", "young") == "1");
        REQUIRE(fleet.settles());
        fleet.database.execute(
            "UPDATE webhooks.event SET at = at - interval '31 days' WHERE id = "
            "'old'; UPDATE webhooks.delivery SET at = at - interval '31 days' "
            "WHERE event_id = 'old'");
        fleet.database.execute("SELECT webhooks.endpoint_remove($1::uuid, $2::bigint)",
                               {fleet.tenant, endpoint});
        fleet.database.execute(
            "UPDATE webhooks.endpoint SET changed_at = changed_at - interval '31 days'");
        fleet.database.execute("SELECT queue.enqueue('webhook.prune', '{}')");
        REQUIRE(fleet.settles());
        CHECK(fleet.database.query("SELECT output FROM queue.jobs WHERE kind = 'webhook.prune'") ==
              R"({"removed": 2})");
        CHECK(fleet.database.query("SELECT count(*) FROM webhooks.endpoint") == "1");
        CHECK(fleet.database.query("SELECT string_agg(event_id, ',') FROM webhooks.delivery") ==
              "young");
        CHECK(fleet.database.query("SELECT webhooks.prune('0')") == "3");
        CHECK(fleet.database.query("SELECT count(*) FROM webhooks.endpoint") == "0");
    }
}
