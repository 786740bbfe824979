#include "support/http_receiver.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <libqueue/client.hpp>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr const char* parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

std::string text_after(const std::string& text, const std::string& mark) {
    const auto at = text.find(mark);
    return at == std::string::npos ? std::string{} : text.substr(at + mark.size());
}

/// A signing key as workerd wants it.
std::string secret_in(const test::temp_dir& folder) {
    const auto file = folder.write("s", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    ::chmod(file.c_str(), 0600);
    return file.string();
}

/// A real workerd with its database.
class bench {
   public:
    explicit bench(const std::string& more = {},
                   std::vector<std::pair<std::string, std::string>> env = {}) {
        const auto config = folder.write(
            "w.yaml",
            "database: {dsn: \"" + db.dsn() +
                "\"}\n"
                "queues: {default: {concurrency: 10}, money: {concurrency: 2}}\n"
                "http: {listen: \"127.0.0.1:0\"}\n" +
                (more.find("metrics:") == std::string::npos ? "metrics: {interval: 200ms}\n" : "") +
                (more.find("processors:") == std::string::npos ? "processors: {debug: true}\n"
                                                               : "") +
                more);
        test::process_options options{test::binary("workerd"), {"--config", config.string()}};
        options.env = std::move(env);
        workerd = std::make_unique<test::process>(options);
        REQUIRE(workerd->wait_for_text("worker_ready"));
    }

    [[nodiscard]] std::string address(const std::string& event = "http_listening") const {
        std::istringstream input{workerd->errors()};
        for (std::string line; std::getline(input, line);) {
            boost::system::error_code error;
            const auto parsed = boost::json::parse(line, error);
            if (!error && parsed.at("event").as_string() == event)
                return std::string{parsed.at("address").as_string()};
        }
        return {};
    }
    [[nodiscard]] static std::string get(const std::string& from, const std::string& target,
                                         const std::string& method = "GET") {
        namespace asio = boost::asio;
        asio::io_context io;
        asio::ip::tcp::socket socket{io};
        const auto colon = from.rfind(':');
        const auto port = static_cast<unsigned short>(std::stoi(from.substr(colon + 1)));
        socket.connect({asio::ip::make_address(from.substr(0, colon)), port});
        boost::system::error_code error;
        asio::write(socket,
                    asio::buffer(method + " " + target +
                                 " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
                    error);
        std::string answer;
        asio::read(socket, asio::dynamic_buffer(answer), error);
        return answer;
    }
    [[nodiscard]] std::string metrics() const {
        return text_after(get(address(), "/metrics"), "\r\n\r\n");
    }
    [[nodiscard]] bool shows(const std::string& line) const {
        return test::wait_until([&] { return metrics().find(line + "\n") != std::string::npos; });
    }
    std::string enqueue(const std::string& arguments) const {
        return db.query("SELECT queue.enqueue(" + arguments + ")");
    }
    [[nodiscard]] bool completes(const std::string& job) const {
        return test::wait_until([&] {
            return db.query("SELECT state FROM queue.jobs WHERE id = $1::bigint", {job}) ==
                   "completed";
        });
    }

    test::test_database db;
    test::temp_dir folder;
    std::unique_ptr<test::process> workerd;
};

/// Spans of all batches that have arrived.
std::vector<boost::json::object> spans_of(const test::http_receiver& collector) {
    std::vector<boost::json::object> all;
    for (const auto& request : collector.requests()) {
        const auto body = boost::json::parse(request.body);
        for (const auto& each : body.at_pointer("/resourceSpans/0/scopeSpans/0/spans").as_array())
            all.push_back(each.as_object());
    }
    return all;
}

const boost::json::object* named(const std::vector<boost::json::object>& all,
                                 const std::string& name) {
    for (const auto& each : all) {
        if (each.at("name").as_string() == boost::json::string_view{name.data(), name.size()})
            return &each;
    }
    return nullptr;
}

}  // namespace

TEST_SUITE("observe") {
    TEST_CASE("metrics: counts are true, and promtool finds nothing but the platform's names") {
        const bench b;
        for (int i = 0; i < 7; ++i)
            REQUIRE(b.completes(b.enqueue("'debug.noop', '{}', queue => 'money'")));
        b.enqueue("'debug.noop', '{}', queue => 'default', delay => '1 hour'");

        CHECK(b.shows(R"(queue_jobs_processed_total{queue="money"} 7)"));
        CHECK(
            b.shows("libqueue_jobs_finished_total{queue=\"money\",kind=\"debug.noop\","
                    "outcome=\"completed\"} 7"));
        CHECK(b.shows(R"(libqueue_job_end_to_end_seconds_count{queue="money"} 7)"));
        CHECK(b.shows(R"(libqueue_queue_jobs{queue="default",state="scheduled"} 1)"));
        CHECK(b.shows("libqueue_leader 1"));
        CHECK(test::wait_until([&] {
            return b.db.query("SELECT sum(scheduled) FROM queue.sample WHERE process = ''") == "1";
        }));
        CHECK(b.metrics().find("tenant") == std::string::npos);

        test::process_options lint{"promtool", {"check", "metrics"}};
        lint.stdin_text = b.metrics();
        std::istringstream found{test::run_command(lint).errors};
        for (std::string line; std::getline(found, line);) {
            const bool known = line.starts_with("payment_amount_total_cents ") ||
                               line.starts_with("refund_amount_total_cents ") ||
                               line.starts_with("service_cpu_usage_percent ");
            CHECK_MESSAGE(known, line);
        }
    }

    TEST_CASE("metrics: enqueues with an idempotency key count as hit or miss, others do not") {
        const bench b;
        libqueue::client client{libqueue::client_options{b.db.dsn()}};
        libqueue::new_job keyed{"debug.noop", "{}"};
        keyed.idempotency_key = "from C++";
        REQUIRE(client.enqueue(keyed).has_value());
        REQUIRE(client.enqueue(keyed).has_value());
        b.enqueue("'debug.noop', '{}', idempotency_key => 'from SQL'");
        b.enqueue("'debug.noop', '{}', idempotency_key => 'from SQL'");
        b.enqueue("'debug.noop', '{}', idempotency_key => 'from SQL'");
        b.db.execute("SELECT queue.subscribe('a.b', 'debug.noop')");
        for (int i = 0; i < 3; ++i)
            b.db.execute("SELECT queue.publish('a.b', '{}', idempotency_key => 'an event')");
        b.enqueue("'debug.noop', '{}'");
        b.db.execute("SELECT queue.enqueue_many('debug.noop', ARRAY['1', '2']::jsonb[])");

        CHECK(b.shows(R"(libqueue_idempotency_total{result="hit"} 5)"));
        CHECK(b.shows(R"(libqueue_idempotency_total{result="miss"} 3)"));
        CHECK(b.metrics().find("# TYPE libqueue_idempotency_total counter") != std::string::npos);
    }

    TEST_CASE("metrics: a scrape is answered within 50 ms, on a listener of its own if wanted") {
        const bench b{"metrics: {interval: 200ms, listen: \"127.0.0.1:0\"}\n"};
        const auto address = b.address("metrics_listening");
        REQUIRE(!address.empty());
        auto best = std::chrono::steady_clock::duration::max();
        std::string answer;
        for (int i = 0; i < 10; ++i) {
            const auto begun = std::chrono::steady_clock::now();
            answer = bench::get(address, "/metrics");
            best = std::min(best, std::chrono::steady_clock::now() - begun);
        }

        CHECK(answer.find("text/plain; version=0.0.4") != std::string::npos);
        CHECK(best < 50ms);
        CHECK(bench::get(b.address(), "/metrics").find("libqueue_leader") == std::string::npos);
        const auto json =
            boost::json::parse(text_after(bench::get(address, "/metrics/json"), "\r\n\r\n"));
        CHECK(json.at("metrics").as_array().size() > 20);
    }

    TEST_CASE("metrics: every query of the dashboards and rules names metrics that are there") {
        test::http_receiver endpoint;
        const test::temp_dir secrets;
        const bench b{
            "metrics: {interval: 200ms, canary: 1s}\n"
            "limits: {stripe: {burst: 5, rate: 5/s, breaker: {percent: 50}}}\n"
            "processors: {webhook: {secret_file: \"" +
                secret_in(secrets) + "\", allow_private: true, allow_http: true}}\n",
            {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"}}};
        REQUIRE(b.completes(b.enqueue("'webhook.deliver', '{\"url\": \"" + endpoint.url("/in") +
                                      "\", \"event\": \"a.b\", \"data\": {}}'")));
        b.db.execute(
            "SELECT queue.put_levels('[{\"name\":\"solana_wallet_balance_sol\","
            "\"labels\":{},\"value\":1}]')");
        b.enqueue("'nobody.handles', '{}'");
        b.db.execute("SELECT queue.schedule('yearly', '0 0 1 1 *', 'debug.noop')");
        REQUIRE(b.shows("solana_wallet_balance_sol 1"));
        REQUIRE(test::wait_until(
            [&] { return b.metrics().find("libqueue_canary_age_seconds") != std::string::npos; }));
        const auto there = b.folder.write("metrics.txt", b.metrics());

        const auto checked = test::run_command(test::process_options{
            "python3",
            {(test::source_dir() / "packaging/check_queries.py").string(), there.string()}});

        CHECK_MESSAGE(checked.code == 0, checked.errors);
    }

    TEST_CASE("rules: they parse, and every alert fires and ends as its cases say") {
        const auto folder = test::source_dir() / "packaging/prometheus";
        const auto checked = test::run_command(test::process_options{
            "promtool",
            {"check", "rules", (folder / "rules.yml").string(), (folder / "alerts.yml").string()}});
        const auto tested = test::run_command(
            test::process_options{"promtool", {"test", "rules", (folder / "tests.yml").string()}});
        const auto drawn = test::run_command(test::process_options{
            "python3",
            {(test::source_dir() / "packaging/grafana/generate.py").string(), "--check"}});

        CHECK_MESSAGE(checked.code == 0, checked.errors);
        CHECK_MESSAGE(tested.code == 0, (tested.output + tested.errors));
        CHECK_MESSAGE(drawn.code == 0, drawn.errors);
    }

    TEST_CASE("runbooks: every command in them is one that qctl knows") {
        const auto checked = test::run_command(test::process_options{
            "python3",
            {(test::source_dir() / "packaging/check_runbooks.py").string(),
             test::binary("qctl").string(), (test::source_dir() / "docs/runbooks").string()}});

        CHECK_MESSAGE(checked.code == 0, checked.errors);
    }

    TEST_CASE("samples: what a process has ended is written when it leaves, too") {
        const bench b;
        REQUIRE(b.completes(b.enqueue("'debug.noop', '{}', queue => 'money'")));
        b.workerd->signal(SIGTERM);
        REQUIRE(b.workerd->wait(30s).has_value());

        CHECK(b.db.query("SELECT sum(completed) FROM queue.sample WHERE queue = 'money' "
                         "AND process <> ''") == "1");
        CHECK(b.db.query("SELECT count(*) FROM queue.duty WHERE held_until > clock_timestamp()") ==
              "0");
    }

    TEST_CASE("canary: one at a time goes through every queue and is in no other count") {
        const bench b{"metrics: {interval: 200ms, canary: 300ms}\n"};

        REQUIRE(test::wait_until([&] {
            return b.db.query(
                       "SELECT count(DISTINCT queue) FROM queue.jobs "
                       "WHERE kind = 'queue.canary' AND state = 'completed'") == "2";
        }));
        CHECK(test::wait_until([&] {
            const auto text = b.metrics();
            return text.find(R"(libqueue_canary_seconds_count{queue="money"})") !=
                   std::string::npos;
        }));
        CHECK(b.metrics().find(R"(kind="queue.canary")") == std::string::npos);
    }

    TEST_CASE("canary: one that has arrived is late no more, long before the next one leaves") {
        const bench b{"metrics: {interval: 200ms, canary: 1h}\n"};

        REQUIRE(test::wait_until([&] {
            return b.db.query(
                       "SELECT count(DISTINCT queue) FROM queue.jobs "
                       "WHERE kind = 'queue.canary' AND state = 'completed'") == "2";
        }));
        CHECK(b.shows(R"(libqueue_canary_age_seconds{queue="money"} 0)"));
    }

    TEST_CASE("metrics: methods that clients invent are one series") {
        const bench b;
        for (const auto* const invented : {"BREW", "WHEN", "PROPFIND"})
            static_cast<void>(bench::get(b.address(), "/api/v1/queues", invented));

        CHECK(b.shows(R"(http_request_duration_seconds_count{method="other",path="other"} 3)"));
        CHECK(b.metrics().find("BREW") == std::string::npos);
    }

    TEST_CASE("traces: from SQL through the run to the webhook's header and the collector") {
        test::http_receiver collector;
        test::http_receiver endpoint;
        const test::temp_dir secrets;
        const bench b{"processors: {webhook: {secret_file: \"" + secret_in(secrets) +
                          "\", allow_private: true, allow_http: true}}\n",
                      {{"OTEL_EXPORTER_OTLP_ENDPOINT", collector.url("")}}};

        const auto job = b.enqueue("'webhook.deliver', '{\"url\": \"" + endpoint.url("/in") +
                                   "\", \"event\": \"a.b\", \"data\": {}}', traceparent => '" +
                                   parent + "', meta => '{\"tracestate\": \"congo=t61\"}'");

        REQUIRE(b.completes(job));
        REQUIRE(test::wait_until([&] { return named(spans_of(collector), "POST") != nullptr; }));
        const auto spans = spans_of(collector);
        const auto* sent = named(spans, "send default");
        const auto* ran = named(spans, "process default");
        const auto* called = named(spans, "POST");
        REQUIRE(sent != nullptr);
        REQUIRE(ran != nullptr);
        for (const auto* each : {sent, ran, called})
            CHECK(each->at("traceId").as_string() == "0af7651916cd43dd8448eb211c80319c");
        CHECK(sent->at("parentSpanId").as_string() == "b7ad6b7169203331");
        CHECK(ran->at("parentSpanId") == sent->at("spanId"));
        CHECK(ran->at("links").at(0).at("spanId") == sent->at("spanId"));
        CHECK(called->at("parentSpanId") == ran->at("spanId"));
        const auto header = endpoint.requests().at(0).header("traceparent");
        CHECK(header == "00-0af7651916cd43dd8448eb211c80319c-" +
                            std::string{called->at("spanId").as_string()} + "-01");
        CHECK(endpoint.requests().at(0).header("tracestate") == "congo=t61");
        CHECK(collector.requests().at(0).target == "/v1/traces");
    }

    TEST_CASE("traces: a collector that hangs slows no job, and what it misses is counted") {
        test::http_receiver collector;
        test::http_reply late{200};
        late.delay = 60s;
        collector.reply_in_turn({late});
        const bench b{"tracing: {queue_size: 64, endpoint: \"" + collector.url("/v1/traces") +
                      "\"}\n"};

        const auto begun = std::chrono::steady_clock::now();
        b.db.execute("SELECT queue.enqueue('debug.noop', '{}') FROM generate_series(1, 500)");
        REQUIRE(test::wait_until([&] {
            return b.db.query("SELECT count(*) FROM queue.jobs WHERE state = 'completed'") == "500";
        }));
        CHECK(std::chrono::steady_clock::now() - begun < 10s);
        REQUIRE(collector.wait_for_requests(1));
        CHECK(test::wait_until([&] {
            const auto count = text_after(b.metrics(), "\nlibqueue_telemetry_dropped_total ");
            return std::strtod(count.c_str(), nullptr) > 100;
        }));
        b.workerd->signal(SIGTERM);
        CHECK(b.workerd->wait(20s).has_value());
    }

    TEST_CASE("traces: a collector that refuses is asked no more for that batch") {
        test::http_receiver collector;
        collector.reply_in_turn({test::http_reply{400}});
        const bench b{"tracing: {endpoint: \"" + collector.url("/v1/traces") + "\"}\n"};

        REQUIRE(b.completes(b.enqueue("'debug.noop', '{}'")));

        CHECK(b.shows("libqueue_telemetry_dropped_total 2"));
        CHECK(b.shows("libqueue_spans_exported_total 0"));
    }

    TEST_CASE("alerts: a full queue is told of once, even while it stands still itself") {
        test::http_receiver hook;
        const test::temp_dir secrets;
        const bench b{"alerts:\n  allow_private: true\n  webhook: {url: \"" + hook.url("/alert") +
                      "\", secret_file: \"" + secret_in(secrets) +
                      "\"}\n  rules:\n    money_depth: {when: depth, queue: money, limit: \"5\", "
                      "severity: critical, channels: [log, webhook]}\n"};
        b.db.execute("SELECT queue.pause('money', 'standing still')");
        b.db.execute(
            "SELECT queue.enqueue('debug.noop', '{}', queue => 'money') "
            "FROM generate_series(1, 6)");

        REQUIRE(hook.wait_for_requests(1));
        const auto body = boost::json::parse(hook.requests()[0].body);
        CHECK(body.at_pointer("/data/rule").as_string() == "money_depth");
        CHECK(body.at_pointer("/data/severity").as_string() == "critical");
        CHECK(hook.requests()[0].header("webhook-signature").starts_with("v1,"));
        CHECK(b.shows(R"(alerts_sent_total{channel="webhook",severity="critical"} 1)"));
        CHECK(b.workerd->errors().find("\"event\":\"alert\"") != std::string::npos);
        b.db.execute("SELECT queue.resume('money')");
        CHECK(test::wait_until(
            [&] { return b.db.query("SELECT state FROM queue.alerts") == "resolved"; }));
        CHECK(hook.requests().size() == 1);
    }

    TEST_CASE("alerts: a channel that refuses is offered the notice again until it takes it") {
        test::http_receiver slack;
        slack.reply_in_turn({test::http_reply{500}, test::http_reply{503}, test::http_reply{200}});
        const test::temp_dir secrets;
        const auto url = secrets.write("u", slack.url("/services/x") + "\n");
        ::chmod(url.c_str(), 0600);
        const bench b{"alerts:\n  allow_private: true\n  slack: {url_file: \"" + url.string() +
                      "\"}\n  rules:\n    any_depth: {when: depth, limit: \"0\", "
                      "channels: [slack]}\n"};
        b.enqueue("'debug.noop', '{}', delay => '1 hour'");

        CHECK(slack.wait_for_requests(3));
        CHECK(b.shows(R"(alerts_sent_total{channel="slack",severity="warning"} 1)"));
        CHECK(b.db.query("SELECT pending = '{}' FROM queue.alerts") == "t");
        CHECK(boost::json::parse(slack.requests()[2].body).at("text").as_string() ==
              "[warning] any_depth: 1 jobs stand in queue default");
    }

    TEST_CASE("alerts: a rule that names a channel nobody set up is refused at the start") {
        const test::temp_dir folder;
        const auto config =
            folder.write("w.yaml",
                         "database: {dsn: \"postgresql://nowhere/x\"}\n"
                         "alerts: {rules: {r: {when: depth, limit: many, channels: [pager]}}}\n"
                         "queues: {default: {concurrency: 1}}\n");
        const auto said = test::run_command(test::process_options{
            test::binary("workerd"), {"--check-config", "--config", config.string()}});

        CHECK(said.code == 2);
        CHECK(said.errors.find("alerts.rules.r.limit: expected a number") != std::string::npos);
        CHECK(said.errors.find("alerts.rules.r.channels") != std::string::npos);
    }
}
