#include "support/counterpart.hpp"
#include "support/http_receiver.hpp"
#include "support/process.hpp"
#include "support/smtp_server.hpp"
#include "support/temp_dir.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <libqueue/webhook.hpp>

#include <doctest/doctest.h>

#include <signal.h>

#include <algorithm>
#include <string>
#include <vector>

// Options of the processors from the file to what a peer sees.

using namespace std::chrono_literals;

namespace {

class fleet {
   public:
    explicit fleet(const std::string& processors)
        : workerd{test::process_options{
              test::binary("workerd"),
              {"--config",
               files
                   .write("w.yaml", "queues: {default: {}}\nhttp: {enabled: false}\nprocessors:\n" +
                                        processors)
                   .string(),
               "--db", db.dsn()}}} {
        REQUIRE_MESSAGE(workerd.wait_for_text("worker_ready"), workerd.errors());
    }

    [[nodiscard]] std::string enqueue(const std::string& kind, const std::string& payload) const {
        return db.query("SELECT queue.enqueue($1, $2::jsonb)", {kind, payload});
    }
    [[nodiscard]] bool reaches(const std::string& job, const std::string& state) const {
        return test::wait_until([&] {
            return db.query("SELECT state FROM queue.jobs WHERE id = $1::bigint", {job}) == state;
        });
    }

    test::test_database db;
    test::temp_dir files;
    test::process workerd;
};

std::string secret_of(char letter) {
    return "whsec_" + std::string(32, letter);
}

std::string email_section(const test::smtp_server& server, const std::string& more) {
    return "  email: {host: 127.0.0.1, port: " + std::to_string(server.port()) +
           ", tls: none, from: a@example.com" + more + "}\n";
}

/// What receivers are told, without the prefix, of all endpoints.
std::vector<std::string> keys_of_endpoints(const test::test_database& db,
                                           const std::string& master) {
    std::vector<std::string> keys;
    const auto parsed = libqueue::webhook::master_key::parse(master).value();
    for (const auto& key : db.rows("SELECT endpoint_id, id, scheme FROM webhooks.signing_key")) {
        const auto scheme = key.at(2).value() == "v1" ? libqueue::webhook::scheme::v1
                                                      : libqueue::webhook::scheme::v1a;
        keys.push_back(parsed.derive(std::stoll(key.at(0).value()), key.at(1).value(), scheme)
                           .receiver_text()
                           .substr(6));
    }
    return keys;
}

constexpr const char* mail = R"({"to": "b@example.com", "subject": "s", "text": "t"})";

}  // namespace

TEST_SUITE("processors of workerd") {
    TEST_CASE("webhook: with a previous secret every delivery carries both signatures") {
        test::http_receiver receiver;
        const test::temp_dir secrets;
        const auto now = secrets.write("now", secret_of('A'));
        const auto before = secrets.write("before", secret_of('B'));
        for (const auto& file : {now, before})
            std::filesystem::permissions(file, std::filesystem::perms::owner_read);
        const std::string common =
            "  webhook: {allow_private: true, allow_http: true, secret_file: " + now.string();
        const auto payload =
            R"({"url": ")" + receiver.url("/hook") + R"(", "event": "order.paid", "data": {}})";

        const fleet rotating{common + ", previous_secret_file: " + before.string() + "}\n"};
        CHECK(rotating.reaches(rotating.enqueue("webhook.deliver", payload), "completed"));
        const fleet settled{common + "}\n"};
        CHECK(settled.reaches(settled.enqueue("webhook.deliver", payload), "completed"));

        REQUIRE(receiver.wait_for_requests(2));
        const auto signatures = [&](std::size_t at) {
            const auto text = receiver.requests().at(at).header("webhook-signature");
            return 1 + std::count(text.begin(), text.end(), ' ');
        };
        CHECK(signatures(0) == 2);
        CHECK(signatures(1) == 1);
    }

    TEST_CASE("webhook: with a key of endpoints the file makes their tables and delivers events") {
        const auto other_side = test::make_webhook_counterpart();
        const fleet t{other_side->processors_yaml() + other_side->more_yaml()};
        t.db.execute(other_side->preparation_sql());

        other_side->fail_with(test::provider_fault::lost_reply);
        const auto lost = t.enqueue(other_side->kind(), other_side->payload(1));
        CHECK(t.reaches(lost, "retrying"));
        other_side->fail_with(test::provider_fault::none);
        CHECK(t.reaches(lost, "completed"));
        CHECK(t.reaches(t.enqueue(other_side->kind(), other_side->payload(2)), "completed"));
        CHECK(t.reaches(t.enqueue(other_side->kind(), other_side->bad_payload()), "dead"));

        CHECK(other_side->effects(1) == 1);
        CHECK(other_side->effects() == 2);
        CHECK(t.db.query("SELECT count(*) FROM webhooks.delivery WHERE outcome = 'delivered'") ==
              "2");
    }

    TEST_CASE("webhook: secrets, addresses and tokens are in no log and in no table") {
        test::http_receiver receiver;
        receiver.reply_with([](const test::http_request& request) {
            return test::http_reply{request.target.starts_with("/gone") ? 410 : 401,
                                    "no entry for jane.canary@example.com with sk_canary_4eC39Hq" +
                                        request.header("webhook-signature")};
        });
        const test::temp_dir secrets;
        const std::string signing = "whsec_" + std::string(32, 'Q');
        const std::string master(64, 'd');
        const auto secret_file = secrets.write("secret", signing);
        const auto master_file = secrets.write("master", master);
        for (const auto& file : {secret_file, master_file})
            std::filesystem::permissions(file, std::filesystem::perms::owner_read);
        fleet t{"  webhook: {allow_private: true, allow_http: true, secret_file: " +
                secret_file.string() + ", endpoint_key_file: " + master_file.string() +
                "}\nlog: {level: trace}\n"};
        for (const std::string path : {"/hook?token=urlcanary", "/gone?token=urlcanary"})
            t.db.execute(
                "SELECT webhooks.endpoint_create(NULL, $1, waits => '{10 ms}', signature "
                "=> 'both')",
                {receiver.url(path)});
        t.db.execute("SELECT webhooks.publish(NULL, 'a.b', '{\"person\": \"datacanary\"}')");
        REQUIRE(test::wait_until([&] {
            return t.db.query("SELECT count(*) FROM webhooks.endpoint WHERE state = 'disabled'") ==
                   "2";
        }));
        CHECK(t.reaches(t.enqueue("webhook.deliver", R"({"url": ")" + receiver.url("/url") +
                                                         R"(", "event": "e", "data": 1})"),
                        "dead"));
        t.workerd.signal(SIGTERM);
        REQUIRE(t.workerd.wait().has_value());

        auto keys = keys_of_endpoints(t.db, master);
        REQUIRE(keys.size() == 4);
        keys.insert(keys.end(), {signing.substr(6), master, "jane.canary", "sk_canary_4eC39Hq",
                                 "urlcanary", "datacanary"});
        for (const auto& request : receiver.requests()) {
            const auto signature = request.header("webhook-signature");
            keys.push_back(signature.substr(signature.find(',') + 1, 40));
        }
        // Where the owner's own data is meant to be.
        const auto is_home = [](const std::string& table, const std::string& word) {
            return (word == "urlcanary" && table == "webhooks.endpoint") ||
                   (word == "datacanary" && (table == "webhooks.event" || table == "queue.job" ||
                                             table == "queue.dead_letter"));
        };
        const auto log = t.workerd.output() + t.workerd.errors();
        const auto tables = t.db.rows(
            "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('queue', "
            "'webhooks')");
        REQUIRE(tables.size() > 20);
        for (const auto& word : keys) {
            CAPTURE(word);
            CHECK(log.find(word) == std::string::npos);
            for (const auto& table : tables) {
                const auto& name = table.at(0).value();
                if (is_home(name, word))
                    continue;
                CAPTURE(name);
                CHECK(
                    t.db.query("SELECT count(*) FROM " + name + " t WHERE strpos(t::text, $1) > 0",
                               {word}) == "0");
            }
        }
        CHECK(t.db.query("SELECT count(*) FROM webhooks.delivery WHERE answer LIKE "
                         "'no entry for j***@example.com%'") == "3");

        TEST_CASE("analytics: counts with the key and posts alerts to the address of the files") {
            test::http_receiver slack;
            const test::temp_dir secrets;
            const auto key = secrets.write("key", std::string(32, 'k'));
            const auto url = secrets.write("url", slack.url("/services/T0/B0/x"));
            for (const auto& file : {key, url})
                std::filesystem::permissions(file, std::filesystem::perms::owner_read);
            const fleet t{
                "  analytics: {max_late: 1h, slack_allow_private: true, customer_key_file: " +
                key.string() + ", slack_url_file: " + url.string() + "}\n"};

            CHECK(t.reaches(t.enqueue("analytics.event", R"({"type": "page-view"})"), "completed"));
            const auto late = t.db.query(
                "SELECT jsonb_build_object('type', 'page-view', 'at', (extract(epoch FROM now() - "
                "interval '2 hours') * 1000)::bigint)");
            CHECK(t.reaches(t.enqueue("analytics.event", late), "completed"));
            CHECK(t.db.query("SELECT sum(events) FROM analytics.bucket WHERE minutes = 60") == "1");
            CHECK(t.reaches(t.enqueue("analytics.slack", R"({"text": "hello"})"), "completed"));
            REQUIRE(slack.wait_for_requests(1));
            CHECK(slack.requests().at(0).body == R"({"text":"hello"})");
        }

        TEST_CASE("email: introduces itself by the name of the file") {
            test::smtp_server server;
            const fleet t{email_section(server, ", helo_name: mail.example.com")};

            CHECK(t.reaches(t.enqueue("email.send", mail), "completed"));

            REQUIRE(server.wait_for_messages(1));
            CHECK(server.messages().at(0).helo == "mail.example.com");
        }

        TEST_CASE("email: on_unknown decides whether a mail without an answer is sent again") {
            test::smtp_server_options options;
            test::smtp_answer lost{test::smtp_answer::stage::data, ""};
            lost.drop = true;
            options.script = {lost};
            test::smtp_server server{options};

            const fleet parking{email_section(server, ", on_unknown: park")};
            CHECK(parking.reaches(parking.enqueue("email.send", mail), "dead"));
            const fleet retrying{email_section(server, "")};
            CHECK(retrying.reaches(retrying.enqueue("email.send", mail), "retrying"));
        }
    }
