#include "support/http_receiver.hpp"
#include "support/process.hpp"
#include "support/smtp_server.hpp"
#include "support/temp_dir.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

// What becomes of an alert on its way to people: docs/alerts.md.

using namespace std::chrono_literals;

namespace {

std::string secret(const test::temp_dir& folder, const std::string& name, const std::string& text) {
    const auto file = folder.write(name, text + "\n");
    ::chmod(file.c_str(), 0600);
    return file.string();
}

/// A value of a form (application/x-www-form-urlencoded).
std::string field(const std::string& form, const std::string& name) {
    const auto at = ("&" + form).find("&" + name + "=");
    if (at == std::string::npos)
        return {};
    const auto begin = at + name.size() + 1;
    const auto text = form.substr(begin, form.find('&', begin) - begin);
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
            i += 2;
        } else {
            out += text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

/// Whom a workerd can tell, and the workerd.
class night {
   public:
    /// Lines below `alerts`, beside where the channels are.
    void begin(const std::string& rules) {
        const auto config = folder.write(
            "w.yaml",
            "database: {dsn: \"" + db.dsn() +
                "\"}\nqueues: {default: {concurrency: 2}, money: {concurrency: 2}}\n"
                "http: {enabled: false}\nmetrics: {interval: 100ms}\n"
                "processors:\n  debug: true\n"
                "  email: {host: 127.0.0.1, tls: none, from: shop@example.com, port: " +
                std::to_string(mail.port()) +
                "}\n"
                "  sms: {account: AC0, from: SHOP, allow_http: true, allow_private: true, "
                "token_file: " +
                secret(folder, "token", "provider-secret") + ", url: \"" + phones.url("") +
                "\"}\n"
                "alerts:\n  allow_private: true\n  mail: {to: [oncall@example.com]}\n"
                "  sms: {to: [\"+15551230001\", \"+15551230002\"]}\n"
                "  call: {to: [\"+15551230003\"]}\n"
                "  slack: {url_file: " +
                secret(folder, "slack", slack.url("/services/T/B")) +
                "}\n"
                "  webhook: {url: \"" +
                hook.url("/in") + "\", secret_file: " +
                secret(folder, "hook", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") +
                "}\n"
                "  pagerduty: {key_file: " +
                secret(folder, "key", "R0UT1NG") + ", url: \"" + pager.url("/v2/enqueue") +
                "\"}\n" + rules);
        workerd = std::make_unique<test::process>(
            test::process_options{test::binary("workerd"), {"--config", config.string()}});
        REQUIRE_MESSAGE(workerd->wait_for_text("worker_ready"), workerd->errors());
    }

    /// Jobs that stand in a queue, until release().
    void fill(const std::string& queue) const {
        db.execute("SELECT queue.pause($1, 'night')", {queue});
        db.execute(
            "SELECT queue.enqueue('debug.noop', '{}', queue => $1) FROM generate_series(1, 6)",
            {queue});
    }
    void release(const std::string& queue) const { db.execute("SELECT queue.resume($1)", {queue}); }
    [[nodiscard]] bool shows(const std::string& sql, const std::string& value) const {
        return test::wait_until([&] { return db.query(sql) == value; });
    }
    [[nodiscard]] static boost::json::value body(const test::http_receiver& of, std::size_t at) {
        return boost::json::parse(of.requests().at(at).body);
    }

    test::temp_dir folder;
    test::test_database db;
    test::smtp_server mail;
    test::http_receiver phones;
    test::http_receiver slack;
    test::http_receiver hook;
    test::http_receiver pager;
    std::unique_ptr<test::process> workerd;
};

}  // namespace

TEST_SUITE("alert channels") {
    TEST_CASE("alert channels: each is told that it fires, that it is over, and that it is back") {
        night n;
        n.begin(
            "  resolved: {after: 0s, channels: [log, mail, sms, webhook, pagerduty]}\n"
            "  rules:\n    money_depth: {when: depth, queue: money, limit: \"5\", severity: "
            "critical,"
            " cool_down: 1h, channels: [log, mail, sms, call, slack, webhook, pagerduty]}\n");
        n.fill("money");
        const std::string line{"[critical] money_depth: 6 jobs stand in queue money"};
        const std::string over{"[resolved] money_depth: over; it was: 6 jobs stand in queue money"};

        REQUIRE(n.mail.wait_for_messages(1));
        REQUIRE(n.pager.wait_for_requests(1));
        REQUIRE(n.phones.wait_for_requests(3));
        REQUIRE(n.slack.wait_for_requests(1));
        REQUIRE(n.hook.wait_for_requests(1));
        const auto message = n.mail.messages().at(0);
        CHECK(message.to == std::vector<std::string>{"oncall@example.com"});
        CHECK(message.data.find("Subject: " + line) != std::string::npos);
        CHECK(message.data.find("qctl alerts acknowledge 1") != std::string::npos);
        const auto trigger = night::body(n.pager, 0);
        CHECK(trigger.at("routing_key").as_string() == "R0UT1NG");
        CHECK(trigger.at("event_action").as_string() == "trigger");
        CHECK(trigger.at("dedup_key").as_string() == "libqueue-money_depth-money");
        CHECK(trigger.at_pointer("/payload/severity").as_string() == "critical");
        CHECK(std::string{trigger.at_pointer("/payload/summary").as_string()} == line);
        std::vector<std::string> numbers;
        for (const auto& request : n.phones.requests()) {
            const bool call = request.target == "/2010-04-01/Accounts/AC0/Calls.json";
            CHECK((call || request.target == "/2010-04-01/Accounts/AC0/Messages.json"));
            CHECK(request.header("authorization") == "Basic QUMwOnByb3ZpZGVyLXNlY3JldA==");
            CHECK(field(request.body, "From") == "SHOP");
            numbers.push_back((call ? "call " : "text ") + field(request.body, "To"));
            CHECK(field(request.body, call ? "Twiml" : "Body") ==
                  (call ? "<Response><Say>" + line + "</Say></Response>" : line));
        }
        std::ranges::sort(numbers);
        CHECK(numbers == std::vector<std::string>{"call +15551230003", "text +15551230001",
                                                  "text +15551230002"});
        REQUIRE(n.shows("SELECT pending = '{}' AND cardinality(told) = 7 FROM queue.alert", "t"));

        n.release("money");
        REQUIRE(n.mail.wait_for_messages(2));
        REQUIRE(n.pager.wait_for_requests(2));
        REQUIRE(n.phones.wait_for_requests(5));
        REQUIRE(n.hook.wait_for_requests(2));
        CHECK(n.mail.messages().at(1).data.find("Subject: " + over) != std::string::npos);
        const auto resolve = night::body(n.pager, 1);
        CHECK(resolve.at("event_action").as_string() == "resolve");
        CHECK(resolve.at("dedup_key") == trigger.at("dedup_key"));
        CHECK(night::body(n.hook, 1).at("type").as_string() == "alert.resolved");
        CHECK(!night::body(n.hook, 1).at_pointer("/data/resolved_at").as_string().empty());
        CHECK(n.hook.requests()[1].header("webhook-id") !=
              n.hook.requests()[0].header("webhook-id"));
        CHECK(n.workerd->errors().find("\"event\":\"alert_over\"") != std::string::npos);

        // Within the cool-down; but whoever was told that it is over must hear that it is not.
        n.fill("money");
        REQUIRE(n.pager.wait_for_requests(3));
        CHECK(night::body(n.pager, 2).at("event_action").as_string() == "trigger");
        // The second call is of the new beginning: of the end there was none, nor in Slack.
        REQUIRE(n.slack.wait_for_requests(2));
        REQUIRE(n.phones.wait_for_requests(8));
        for (const auto& request : n.slack.requests())
            CHECK(request.body.find("resolved") == std::string::npos);
        for (const auto& request : n.phones.requests())
            CHECK((field(request.body, "Twiml").find("resolved") == std::string::npos));
    }

    TEST_CASE("alert channels: one that goes on is told again once per cool-down, not oftener") {
        night n;
        const auto begun = std::chrono::steady_clock::now();
        n.begin(
            "  rules:\n    stuck: {when: depth, queue: money, limit: \"5\", cool_down: 2s, "
            "channels: [webhook]}\n");
        n.fill("money");

        REQUIRE(n.hook.wait_for_requests(2));
        const auto told = n.hook.requests();
        const auto most = (std::chrono::steady_clock::now() - begun) / 2s + 1;
        CHECK(static_cast<long>(told.size()) <= most);
        CHECK(told[0].header("webhook-id") == "alert_1");
        CHECK(told[1].header("webhook-id") == "alert_1_2");
        CHECK(night::body(n.hook, 1).at("type").as_string() == "alert.firing");
        CHECK(n.db.query("SELECT count(*) FROM queue.alert") == "1");

        // Once somebody cares, nobody is told, until it is over.
        n.db.execute("SELECT queue.acknowledge_alert(1, 'ada')");
        n.release("money");
        CHECK(n.shows("SELECT state FROM queue.alerts", "resolved"));
    }

    TEST_CASE("alert channels: one that hangs or refuses slows no other, and is tried again") {
        night n;
        test::http_reply late{200};
        late.delay = 60s;
        n.slack.reply_in_turn({late});
        n.pager.reply_in_turn(
            {test::http_reply{500}, test::http_reply{429}, test::http_reply{202}});
        n.phones.reply_with([](const test::http_request& request) {
            return test::http_reply{field(request.body, "To") == "+15551230001" ? 400 : 201};
        });
        n.mail.fail_with("down");
        n.begin(
            "  rules:\n    stuck: {when: depth, limit: \"5\", "
            "channels: [mail, slack, sms, webhook, pagerduty]}\n");
        n.fill("money");

        REQUIRE(n.hook.wait_for_requests(1));
        // A queue that fills while Slack still hangs is found and told of as soon.
        const auto hangs_since = std::chrono::steady_clock::now();
        REQUIRE(n.slack.wait_for_requests(1));
        n.fill("default");
        REQUIRE(n.hook.wait_for_requests(2));
        REQUIRE(n.pager.wait_for_requests(4));
        CHECK(std::chrono::steady_clock::now() - hangs_since < 9s);
        CHECK(n.slack.requests().size() == 1);
        CHECK(n.shows("SELECT string_agg(DISTINCT pending::text, ' ') FROM queue.alert",
                      "{mail,slack}"));
        // One number was reached, which is enough: none is told again.
        CHECK(n.phones.requests().size() == 4);
        CHECK(n.workerd->errors().find("\"event\":\"alert_not_sent\"") != std::string::npos);

        n.mail.fail_with("none");
        REQUIRE(n.mail.wait_for_messages(2));
        CHECK(
            n.shows("SELECT string_agg(DISTINCT pending::text, ' ') FROM queue.alert", "{slack}"));
        // The one that is down uses up its own tries only.
        CHECK(n.shows(
            "SELECT bool_or(failed ? 'slack') AND NOT bool_or(failed ? 'mail') FROM queue.alert",
            "t"));
    }
}
