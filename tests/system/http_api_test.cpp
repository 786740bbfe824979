#include "api_rig.hpp"
#include "kept_connection.hpp"
#include "support/wait_until.hpp"

#include <libqueue/access.hpp>
#include <libqueue/client.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

using libqueue::role;
using test::api_request;

namespace {

api_request with(api_request request, const std::string& name, const std::string& value) {
    request.headers.emplace_back(name, value);
    return request;
}

}  // namespace

TEST_SUITE("http api") {
    TEST_CASE("http api: says who a token is, and refuses everybody else in the same words") {
        test::api_rig rig;
        const auto tenant = rig.tenant("acme");
        const auto token = rig.token(role::operate, tenant);

        const auto me = rig.get("/whoami", token);
        const auto none = rig.get("/whoami", "");
        const auto wrong = rig.get("/whoami", "lq_" + std::string(43, 'A'));
        const auto bare = rig.get("/whoami", "nonsense");

        REQUIRE(me.status == 200);
        CHECK(me.text("role") == "operator");
        CHECK(me.text("tenant_id") == tenant);
        CHECK(me.body.find("jobs.enqueue") != std::string::npos);
        CHECK(me.body.find("jobs.retry") == std::string::npos);
        for (const auto* refused : {&none, &wrong, &bare}) {
            CHECK(refused->status == 401);
            CHECK(refused->text("code") == "unauthenticated");
            CHECK(refused->header("www-authenticate") == "Bearer");
            CHECK(refused->header("content-type") == "application/problem+json");
        }
        CHECK(wrong.text("detail") == none.text("detail"));
    }

    TEST_CASE("http api: every answer has an id and safe headers, whatever became of it") {
        test::api_rig rig;
        const auto token = rig.token(role::viewer);

        const auto given =
            rig.ask(with(api_request{"GET", "/queues", token}, "X-Request-Id", "my-id.1"));
        const auto unfit =
            rig.ask(with(api_request{"GET", "/queues", token}, "X-Request-Id", "a b\"c"));
        const auto missing = rig.get("/nothing", token);

        CHECK(given.header("x-request-id") == "my-id.1");
        CHECK(unfit.header("x-request-id").size() == 32);
        CHECK(missing.status == 404);
        CHECK(missing.text("request_id") == missing.header("x-request-id"));
        for (const auto* each : {&given, &missing}) {
            CHECK(each->header("x-content-type-options") == "nosniff");
            CHECK(each->header("x-frame-options") == "DENY");
            CHECK(each->header("cache-control") == "no-store");
            CHECK(each->header("content-security-policy").starts_with("default-src 'none'"));
        }
    }

    TEST_CASE("http api: methods, media types and bodies that a route has not are named") {
        test::api_rig rig;
        const auto token = rig.token(role::admin);

        const auto method = rig.ask(api_request{"DELETE", "/queues", token});
        const auto options = rig.ask(api_request{"OPTIONS", "/queues", ""});
        const auto xml = rig.ask(
            with(api_request{"POST", "/queues", token, "<a/>"}, "Content-Type", "text/xml"));
        const auto packed =
            rig.ask(with(api_request{"POST", "/queues", token, "{}"}, "Content-Encoding", "gzip"));
        const auto image =
            rig.ask(with(api_request{"GET", "/queues", token}, "Accept", "image/png"));
        const auto head = rig.ask(api_request{"HEAD", "/queues", token});
        const auto trace = rig.ask(api_request{"TRACE", "/queues", token});

        CHECK(method.status == 405);
        CHECK(method.header("allow") == "GET, POST");
        CHECK(options.status == 204);
        CHECK(options.header("allow") == "GET, HEAD, POST, OPTIONS");
        CHECK(xml.status == 415);
        CHECK(packed.status == 415);
        CHECK(image.status == 406);
        CHECK(head.status == 200);
        CHECK(head.body.empty());
        CHECK(std::stoi(head.header("content-length")) > 0);
        CHECK(trace.status == 405);
    }

    TEST_CASE("http api: a fault in a request says where, what was expected and what came") {
        test::api_rig rig;
        const auto token = rig.token(role::admin);
        const auto fault = [&](const api_request& request) {
            const auto reply = rig.ask(request);
            CHECK(reply.status == 400);
            return std::string{reply.json().at("errors").at(0).at("where").as_string()};
        };

        CHECK(fault(api_request{"GET", "/schedules?limit=0", token}) == "query.limit");
        CHECK(fault(api_request{"GET", "/schedules?limit=501", token}) == "query.limit");
        CHECK(fault(api_request{"GET", "/schedules?limit=1&limit=2", token}) == "query.limit");
        CHECK(fault(api_request{"GET", "/schedules?nonsense=1", token}) == "query.nonsense");
        CHECK(fault(api_request{"GET", "/schedules?cursor=!!", token}) == "query.cursor");
        CHECK(fault(api_request{"GET", "/queues/%ff", token}) == "path.name");
        CHECK(fault(api_request{"GET", "/queues/%zz", token}) == "path.name");
        for (const std::string bytes :
             {"%80%80%80%80%80%80%80%80%80%80", "%ff%80%80%80%80%80%80%80%80%80", "%c0%af",
              "%e0%80%af", "%f0%80%80%af", "%ed%a0%80", "%f4%90%80%80", "%c3", "%c3%28"})
            CHECK(fault(api_request{"GET", "/queues/" + bytes, token}) == "path.name");
        CHECK(fault(api_request{"GET", "/batches/x", token}) == "path.id");
        CHECK(fault(api_request{"GET", "/batches/-1", token}) == "path.id");
        CHECK(fault(api_request{"POST", "/queues", token, "{"}) == "body");
        CHECK(fault(api_request{"POST", "/queues", token, "[]"}) == "body");
        CHECK(fault(api_request{"POST", "/queues", token}) == "body.name");
        CHECK(fault(api_request{"POST", "/queues", token, R"({"name":1})"}) == "body.name");
        CHECK(fault(api_request{"POST", "/queues", token, R"({"name":"a","name":"b"})"}) == "body");
        CHECK(fault(api_request{"POST", "/queues", token, R"({"name":"a","x":1})"}) == "body");
        CHECK(fault(api_request{"POST", "/queues/default/resume", token, "{\"a\":1}"}) == "body");
        CHECK(fault(api_request{"POST", "/queues", token,
                                std::string(200, '[') + std::string(200, ']')}) == "body");
    }

    TEST_CASE("http api: queues are made, paused, resumed and cleared") {
        test::api_rig rig;
        const auto token = rig.token(role::admin);

        const auto made = rig.ask(api_request{"POST", "/queues", token, R"({"name":"mail"})"});
        const auto paused =
            rig.ask(api_request{"POST", "/queues/mail/pause", token, R"({"reason":"flood"})"});
        rig.db().execute("SELECT queue.enqueue('a.b', '{}', queue => 'mail')");
        rig.db().execute("SELECT queue.enqueue('a.b', '{}', queue => 'mail')");
        const auto jobs = rig.get("/queues/mail/jobs?state=ready&limit=1", token);
        const auto next =
            rig.get("/queues/mail/jobs?state=ready&limit=1&cursor=" + jobs.text("next"), token);
        const auto cleared = rig.ask(api_request{"POST", "/queues/mail/clear", token});
        const auto resumed = rig.ask(api_request{"POST", "/queues/mail/resume", token});

        CHECK(made.status == 201);
        CHECK(made.header("location") == "/api/v1/queues/mail");
        CHECK(paused.json().at("paused").as_bool());
        CHECK(jobs.json().at("items").as_array().size() == 1);
        CHECK(next.json().at("items").as_array().size() == 1);
        CHECK(next.json().at("items").at(0).at("id") != jobs.json().at("items").at(0).at("id"));
        CHECK(cleared.json().at("cancelled").as_int64() == 2);
        CHECK(cleared.json().at("finished").as_bool());
        CHECK_FALSE(resumed.json().at("paused").as_bool());
        CHECK(rig.get("/queues/none/status", token).status == 404);
        CHECK(rig.get("/queues/none/jobs", token).status == 404);
        CHECK(rig.get("/audit?action=queues.*", token).status == 200);
    }

    TEST_CASE("http api: charts of several metrics come in one answer, over one time axis") {
        test::api_rig rig;
        const auto token = rig.token(role::viewer);
        const std::string span = "&from=2026-01-31T08:00:30Z&to=2026-01-31T08:10:00Z";

        const auto both = rig.get("/stats/series?metric=throughput,wait" + span, token);
        const auto one = rig.get("/stats/series?metric=wait" + span, token);
        const auto unknown = rig.get("/stats/series?metric=wait,luck" + span, token);
        const auto twice = rig.get("/stats/series?metric=wait,wait" + span, token);

        REQUIRE(both.status == 200);
        std::vector<std::string> names;
        const auto chart = both.json();
        for (const auto& each : chart.at("series").as_array()) {
            names.push_back(std::string{each.at("metric").as_string()} + ' ' +
                            std::string{each.at("name").as_string()});
            CHECK(each.at("values").as_array().size() == 10);
        }
        CHECK(names == std::vector<std::string>{"throughput completed", "throughput failed",
                                                "wait p50", "wait p95", "wait p99"});
        CHECK(chart.at("t").as_array().size() == 10);
        CHECK(chart.at("t") == one.json().at("t"));
        CHECK(one.json().at("series").as_array().size() == 3);
        CHECK(unknown.status == 400);
        CHECK(twice.status == 400);
    }

    TEST_CASE("http api: an edit begins from what it saw, or is refused") {
        test::api_rig rig;
        const auto token = rig.token(role::admin);
        const std::string body{R"({"cron":"@daily","kind":"a.b","payload":{"n":1.10}})"};
        const auto put = [&](const std::string& tag) {
            return rig.ask(
                with(api_request{"PUT", "/schedules/nightly", token, body}, "If-Match", tag));
        };

        const auto early = put("*");
        const auto made = rig.ask(api_request{"PUT", "/schedules/nightly", token, body});
        const auto tag = rig.get("/schedules/nightly", token).header("etag");
        const auto first = put(tag);
        const auto second = put(tag);

        CHECK(early.status == 412);
        CHECK(made.status == 200);
        CHECK(made.body.find("1.10") != std::string::npos);
        CHECK(tag.size() == 34);
        CHECK(first.status == 200);
        CHECK(second.status == 412);
        CHECK(second.text("code") == "precondition");
    }

    TEST_CASE("http api: a request with an Idempotency-Key is carried out once") {
        test::api_rig rig;
        const auto token = rig.token(role::admin);
        rig.db().execute("SELECT queue.schedule('s', '@daily', 'a.b')");
        const auto run = [&](const std::string& key, const std::string& who) {
            return rig.ask(
                with(api_request{"POST", "/schedules/s/run", who}, "Idempotency-Key", key));
        };

        const auto first = run("k1", token);
        const auto again = run("k1", token);
        const auto other = run("k2", token);
        const auto stranger = run("k1", rig.token(role::admin));
        const auto misused = rig.ask(
            with(api_request{"POST", "/schedules/s/pause", token}, "Idempotency-Key", "k1"));
        const auto unfit = run(std::string(200, 'k'), token);

        CHECK(first.status == 201);
        CHECK(again.status == 201);
        CHECK(again.body == first.body);
        CHECK(again.header("location") == first.header("location"));
        CHECK(again.header("idempotency-replayed") == "true");
        CHECK(other.body != first.body);
        CHECK(stranger.body != first.body);
        CHECK(misused.status == 422);
        CHECK(unfit.status == 400);
        CHECK(rig.db().query("SELECT count(*) FROM queue.jobs WHERE kind = 'a.b'") == "3");
    }

    TEST_CASE("http api: a request whose answer was lost is not carried out a second time") {
        test::api_rig rig;
        const auto token = rig.token(role::admin);
        rig.db().execute("SELECT queue.schedule('s', '@daily', 'a.b')");
        const auto request =
            with(api_request{"POST", "/schedules/s/run", token}, "Idempotency-Key", "k");
        REQUIRE(rig.ask(request).status == 201);

        rig.db().execute("UPDATE queue.request_key SET status = NULL, body = NULL");
        const auto again = rig.ask(request);

        CHECK(again.status == 409);
        CHECK(again.text("code") == "conflict");
        CHECK(rig.db().query("SELECT count(*) FROM queue.jobs WHERE kind = 'a.b'") == "1");
    }

    TEST_CASE("http api: a change that was made and could not be shown is not made again") {
        test::api_rig rig;
        const auto token = rig.token(role::admin);
        const auto request = with(api_request{"POST", "/operations", token,
                                              R"({"action":"cancel","filter":"queue:none"})"},
                                  "Idempotency-Key", "k");
        rig.db().execute("ALTER VIEW queue.operations RENAME TO operations_away");

        const auto first = rig.ask(request);
        rig.db().execute("ALTER VIEW queue.operations_away RENAME TO operations");
        const auto again = rig.ask(request);

        CHECK(first.status >= 400);
        CHECK(again.status == 409);
        CHECK(rig.db().query("SELECT count(*) FROM queue.operation") == "1");
    }

    TEST_CASE("http api: a request that failed before it changed anything may come again") {
        test::api_rig rig;
        const auto token = rig.token(role::admin);
        const auto request =
            with(api_request{"POST", "/queues/mail/clear", token}, "Idempotency-Key", "k");

        CHECK(rig.ask(request).status == 404);
        rig.db().execute("SELECT queue.create_queue('mail')");
        CHECK(rig.ask(request).status == 200);
    }

    TEST_CASE("http api: a limit's ETag covers all that people set, and edits do not overtake") {
        test::api_rig rig;
        const auto token = rig.token(role::admin);
        const auto put = [&](const std::string& body, const std::string& tag = {}) {
            const api_request request{"PUT", "/limits/stripe", token, body};
            return rig.ask(tag.empty() ? request : with(request, "If-Match", tag));
        };
        const auto made = put(
            R"({"rate":5,"breaker_ratio":0.5,"breaker_min_requests":5,"breaker_window_ms":60000,)"
            R"("breaker_cooldown_ms":1000})");
        REQUIRE(made.status == 200);
        CHECK(made.json().at("items").at(0).at("breaker_window_ms") == 60000);
        std::set<std::string> tags{made.header("etag")};

        for (const std::string body : {R"({"breaker_ratio":0.6})", R"({"breaker_min_requests":6})",
                                       R"({"breaker_window_ms":61000})",
                                       R"({"breaker_cooldown_ms":1001})", R"({"pinned":false})"})
            tags.insert(put(body).header("etag"));
        CHECK(tags.size() == 6);
        CHECK(put(R"({"rate":6})", made.header("etag")).status == 412);
    }

    TEST_CASE("http api: between the look of an edit with If-Match and its change comes nobody") {
        test::api_rig rig;
        const auto token = rig.token(role::admin);
        rig.db().execute("SELECT queue.limit_set('stripe', rate => 5)");
        rig.db().execute("SELECT queue.schedule('nightly', '@daily', 'a.b')");
        // An edit with the tag of now that waits for what `meanwhile` does; its status.
        const auto edit = [&](const std::string& method, const std::string& target,
                              const std::string& body, const std::string& meanwhile,
                              const std::string& end) {
            const auto tag = rig.get(target, token).header("etag");
            test::connection other{rig.db().dsn()};
            other.execute("BEGIN; " + meanwhile);
            auto done = std::async(std::launch::async, [&] {
                return rig.ask(with(api_request{method, target, token, body}, "If-Match", tag));
            });
            const bool waits = test::wait_until([&] {
                return rig.db().query(
                           "SELECT count(*) FROM pg_stat_activity WHERE datname = "
                           "current_database() AND application_name = 'workerd api' AND "
                           "wait_event_type = 'Lock'") == "1";
            });
            other.execute(end);
            CHECK(waits);
            return done.get().status;
        };
        const std::string limit{"/limits/stripe"};
        const std::string rate{"UPDATE queue.limit_rule SET rate = rate + 1"};
        const std::string schedule{"/schedules/nightly"};
        const std::string body{R"({"cron":"@daily","kind":"a.c"})"};

        CHECK(edit("PUT", limit, R"({"rate":9})", rate, "COMMIT") == 412);
        CHECK(rig.db().query("SELECT rate FROM queue.limit_rule") == "6");
        CHECK(edit("PUT", limit, R"({"rate":9})", rate, "ROLLBACK") == 200);
        CHECK(rig.db().query("SELECT rate FROM queue.limit_rule") == "9");

        // Whoever loses the connection in the middle does not go on with a new one.
        CHECK(edit("PUT", limit, R"({"rate":11})", rate,
                   "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE "
                   "application_name = 'workerd api' AND wait_event_type = 'Lock'; ROLLBACK") ==
              503);
        CHECK(rig.db().query("SELECT rate FROM queue.limit_rule") == "9");

        CHECK(edit("DELETE", schedule, "", "SELECT queue.pause_schedule('nightly')", "COMMIT") ==
              412);
        CHECK(edit("PUT", schedule, body, "SELECT queue.unschedule('nightly')", "ROLLBACK") == 200);
        CHECK(edit("PUT", schedule, body, "SELECT queue.unschedule('nightly')", "COMMIT") == 412);
        CHECK(rig.db().query("SELECT count(*) FROM queue.schedule") == "0");
        rig.db().execute("SELECT queue.schedule('nightly', '@daily', 'a.b')");
        CHECK(edit("DELETE", schedule, "", "SELECT queue.unschedule('nightly')", "COMMIT") == 412);
    }

    TEST_CASE(
        "http api: of edits with one ETag through two workerd one succeeds, the rest get 412") {
        test::api_rig rig;
        const auto token = rig.token(role::admin);
        const test::temp_dir folder;
        test::process second{test::process_options{
            test::binary("workerd"),
            {"--config", folder
                             .write("w.yaml", "database: {dsn: \"" + rig.db().dsn() +
                                                  "\"}\nqueues: {default: {concurrency: 1}}\n"
                                                  "processors: {debug: true}\n"
                                                  "http: {listen: \"127.0.0.1:0\"}\n")
                             .string()}}};
        const bool listens = second.wait_for_text("http_listening", std::chrono::seconds{30});
        REQUIRE_MESSAGE(listens, second.errors());
        const auto log = second.errors();
        const std::string name{"\"address\":\""};
        const auto begin = log.find(name, log.find("http_listening")) + name.size();
        const std::array doors{rig.address(), log.substr(begin, log.find('"', begin) - begin)};

        for (const std::string target : {"/limits/stripe", "/schedules/nightly"}) {
            const auto body = [&](int n) {
                return target == "/limits/stripe"
                           ? R"({"rate":)" + std::to_string(n + 1) + '}'
                           : R"({"cron":"@daily","kind":"a.b)" + std::to_string(n) + R"("})";
            };
            REQUIRE(rig.ask(api_request{"PUT", target, token, body(100)}).status == 200);
            for (int round = 0; round < 5; ++round) {
                const auto tag = rig.get(target, token).header("etag");
                std::vector<std::future<std::string>> edits;
                for (int n = 0; n < 6; ++n) {
                    const auto request = with(
                        api_request{"PUT", target, token, body(round * 6 + n)}, "If-Match", tag);
                    edits.push_back(std::async(std::launch::async, [request, &doors, n] {
                        test::kept_connection line{doors.at(static_cast<std::size_t>(n % 2))};
                        return line.ask(request).substr(9, 3);
                    }));
                }
                std::multiset<std::string> statuses;
                for (auto& each : edits)
                    statuses.insert(each.get());
                CHECK(statuses.count("200") == 1);
                CHECK(statuses.count("412") == 5);
            }
        }
    }

    TEST_CASE("http api: kinds that are encrypted here are sealed from the first request on") {
        const test::temp_dir folder;
        const auto keys = (folder.path() / "keys").string();
        REQUIRE(test::run_command(test::process_options{test::binary("qctl"),
                                                        {"keys", "create", keys, "--id", "k1"}})
                    .code == 0);
        test::api_rig rig{"encryption: {keys: \"" + keys +
                          "\"}\nkinds: {debug.echo: {encrypted: true}}\n"};
        const auto token = rig.token(role::admin);
        // As if no worker had told the database yet.
        rig.db().execute("UPDATE queue.kind SET encrypted = false");

        const auto made = rig.ask(api_request{
            "POST", "/jobs", token,
            R"({"kind":"debug.echo","payload":{"text":"canary-4711"},"delay_ms":600000})"});

        CHECK(made.status == 201);
        CHECK(rig.db().query("SELECT count(*) FROM queue.job") == "1");
        CHECK(rig.db().query("SELECT count(*) FROM queue.job j WHERE j::text LIKE '%canary%'") ==
              "0");
    }

    TEST_CASE("http api: a job takes the trace of its request, state and all, if it has none") {
        const test::api_rig rig;
        const auto token = rig.token(role::operate);
        constexpr const char* parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        const auto meta_of = [&](const std::string& body, const std::string& state) {
            api_request request{"POST", "/jobs", token, body};
            request.headers = {{"traceparent", parent}, {"tracestate", state}};
            if (body.find("two lines") != std::string::npos)
                request.headers.emplace_back("tracestate", "y=2");
            const auto made = rig.ask(request);
            REQUIRE_MESSAGE(made.status == 201, made.body);
            return rig.db().query("SELECT meta FROM queue.job ORDER BY id DESC LIMIT 1");
        };
        const std::string traced{R"("traceparent": ")" + std::string{parent} + R"("})"};

        CHECK(meta_of(R"({"kind":"a.b"})", "x=\"1\"") == R"({"tracestate": "x=\"1\"", )" + traced);
        CHECK(meta_of(R"({"kind":"a.b","meta":{"n":1.50}})", "x=1") ==
              R"({"n": 1.50, "tracestate": "x=1", )" + traced);
        CHECK(meta_of(R"({"kind":"a.b","meta":{"tracestate":"own=1"}})", "x=1") ==
              R"({"tracestate": "own=1", )" + traced);
        CHECK(meta_of(R"({"kind":"a.b","payload":"two lines"})", "x=1") ==
              R"({"tracestate": "x=1,y=2", )" + traced);
        CHECK(meta_of(R"({"kind":"a.b"})", "X") == "{" + traced);
        CHECK(meta_of(R"({"kind":"a.b","traceparent":"own"})", "x=1") ==
              R"({"traceparent": "own"})");
    }

    TEST_CASE("http api: an export of large dead letters goes on where it stopped") {
        test::api_rig rig;
        const auto token = rig.token(role::admin);
        rig.db().execute(
            "INSERT INTO queue.dead_letter (job_id, died_at, created_at, queue, kind, priority, "
            "max_attempts, attempt, reason, error, fingerprint, payload, attempts) "
            "SELECT n, now(), now(), 'default', 'a.b', 5, 4, 4, 'attempts used up', 'e', 'f', "
            "jsonb_build_object('text', repeat('x', 1000000)), '[]' FROM generate_series(1, 12) n");
        std::set<std::string> seen;
        std::string cursor;
        int pages = 0;

        do {
            const auto page =
                rig.get("/dead-letters/export?filter=kind:a.b&limit=11" + cursor, token);
            REQUIRE(page.status == 200);
            CHECK(page.body.size() <= 8 * 1024 * 1024);
            for (auto at = page.body.find("{\"id\":"); at != std::string::npos;
                 at = page.body.find("\n{\"id\":", at + 1))
                seen.insert(page.body.substr(at, page.body.find(',', at) - at));
            const auto next = page.header("x-next-cursor");
            cursor = next.empty() ? "" : "&cursor=" + next;
        } while (++pages < 10 && !cursor.empty());

        CHECK(seen.size() == 12);
        CHECK(pages == 2);
    }

    TEST_CASE("http api: a revoked token ends within five seconds, a made one is shown once") {
        test::api_rig rig;
        const auto admin = rig.token(role::admin);
        const auto made = rig.ask(
            api_request{"POST", "/tokens", admin, R"({"role":"viewer","name":"x","ttl":"1h"})"});
        REQUIRE(made.status == 201);
        const auto token = made.text("token");
        REQUIRE(rig.get("/whoami", token).status == 200);

        const auto gone = rig.ask(api_request{"DELETE", "/tokens/" + made.text("id"), admin});

        CHECK(gone.status == 204);
        CHECK(test::wait_until([&] { return rig.get("/whoami", token).status == 401; },
                               std::chrono::seconds{6}));
        CHECK(rig.get("/tokens", admin).body.find(token) == std::string::npos);
        CHECK(rig.workerd().errors().find(token) == std::string::npos);
    }

    TEST_CASE("http api: who asks too often is told when to come back") {
        test::api_rig rig{
            "http: {listen: \"127.0.0.1:0\", rate_limits: {token: 1/s, address: 1/s}}\n"};
        const auto token = rig.token(role::viewer);

        int given = 0;
        test::api_reply last;
        for (int i = 0; i < 40 && last.status != 429; ++i) {
            last = rig.get("/whoami", token);
            given += last.status == 200 ? 1 : 0;
        }
        CHECK(given >= 10);
        CHECK(last.status == 429);
        CHECK(std::stoi(last.header("retry-after")) >= 1);
        CHECK(last.header("x-ratelimit-limit") == "10");
        CHECK(last.header("x-ratelimit-remaining") == "0");

        // A tenant's token, and another tenant's of the same name: what one does costs the other
        // nothing.
        const auto named = [&](const std::string& tenant) {
            libqueue::client client{libqueue::client_options{rig.db().dsn()}};
            libqueue::token_options wanted;
            wanted.name = "reports";
            wanted.tenant_id = rig.tenant(tenant);
            return libqueue::access_control{client}.create_token(wanted).value().text;
        };
        const auto greedy = named("acme");
        const auto modest = named("globex");
        for (int i = 0; i < 40 && rig.get("/whoami", greedy).status != 429; ++i) {
        }
        const auto first = rig.get("/whoami", modest);
        CHECK(first.status == 200);
        CHECK(first.header("x-ratelimit-remaining") == "9");

        // Guessing: after one wrong token the address has spent its ten.
        CHECK(rig.get("/whoami", "lq_" + std::string(43, 'B')).status == 401);
        CHECK(rig.get("/whoami", "lq_" + std::string(43, 'C')).status == 429);
    }

    TEST_CASE("http api: pages of listed origins may ask, others may not read") {
        test::api_rig rig{
            "http: {listen: \"127.0.0.1:0\", cors_origins: [\"https://ops.example.com\"]}\n"};
        const auto preflight = [&](const std::string& origin) {
            auto request = with(api_request{"OPTIONS", "/queues", ""}, "Origin", origin);
            return rig.ask(with(request, "Access-Control-Request-Method", "POST"));
        };

        const auto known = preflight("https://ops.example.com");
        const auto strange = preflight("https://evil.example.com");

        CHECK(known.header("access-control-allow-origin") == "https://ops.example.com");
        CHECK(known.header("access-control-allow-headers").find("Authorization") !=
              std::string::npos);
        CHECK(strange.header("access-control-allow-origin").empty());
        CHECK(strange.header("access-control-allow-methods").empty());
        CHECK(strange.header("vary") == "Origin");
        const auto page =
            test::parse_reply(rig.raw("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nOrigin: "
                                      "https://ops.example.com\r\n\r\n"));
        CHECK(page.status == 200);
        CHECK(page.header("vary") == "Accept-Encoding, Origin");
    }
}
