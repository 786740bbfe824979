#include "support/counterpart.hpp"
#include "support/http_receiver.hpp"
#include "support/process.hpp"
#include "support/smtp_server.hpp"
#include "support/temp_dir.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <signal.h>

#include <algorithm>
#include <string>

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

    TEST_CASE("analytics: counts with the key and posts alerts to the address of the files") {
        test::http_receiver slack;
        const test::temp_dir secrets;
        const auto key = secrets.write("key", std::string(32, 'k'));
        const auto url = secrets.write("url", slack.url("/services/T0/B0/x"));
        for (const auto& file : {key, url})
            std::filesystem::permissions(file, std::filesystem::perms::owner_read);
        const fleet t{"  analytics: {max_late: 1h, slack_allow_private: true, customer_key_file: " +
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
