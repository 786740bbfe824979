#include "mail_bench.hpp"
#include "processors/email/mail_template.hpp"
#include "support/wait_until.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

namespace {

namespace json = boost::json;
using libqueue::job_state;
using test::mail_bench;

constexpr const char* tenant = "11111111-1111-1111-1111-111111111111";

std::string mail_to(const std::string& to, const std::string& more = {}) {
    return R"({"to": )" + to + R"(, "subject": "s", "text": "t")" + more + "}";
}

std::string from_template(const std::string& name, const std::string& variables,
                          const std::string& more = {}) {
    return R"({"to": "b@x.test", "template": ")" + name + R"(", "variables": )" + variables + more +
           "}";
}

bool mentions(const libqueue::job_info& job, const std::string& text) {
    return job.last_error && job.last_error->find(text) != std::string::npos;
}

test::smtp_answer answer_to(const std::string& match, const std::string& reply, int times = 0) {
    test::smtp_answer made{test::smtp_answer::stage::rcpt, reply};
    made.match = match;
    if (times > 0) {
        made.times = times;
    }
    return made;
}

std::string output(const libqueue::job_info& job) {
    return job.output.value_or("(none)");
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_SUITE("processors: mail stores") {
    TEST_CASE("the tenant's template goes before the one for all, the locale falls back") {
        mail_bench bench;
        bench.start();
        const auto put = [&bench](const test::field& of, const std::string& locale,
                                  const std::string& subject) {
            bench.database.execute("SELECT mail.template_put($1, 'hello', $2, $3, '<p>{{x}}</p>')",
                                   {of, locale, subject});
            bench.database.execute("SELECT mail.template_activate($1, 'hello', $2)", {of, locale});
        };
        put(std::nullopt, "default", "all default");
        put(std::nullopt, "de", "all de");
        put(tenant, "default", "own default");
        put(tenant, "de-AT", "own de-AT");
        const auto subject_for = [&bench](const std::string& locale, const std::string& of) {
            const auto job = bench.send(
                from_template("hello", R"({"x": 1})", R"(, "locale": ")" + locale + "\""), of);
            REQUIRE_MESSAGE(job.state == job_state::completed, job.last_error.value_or(""));
            const auto data = bench.mail.messages().back().data;
            const auto at = data.find("Subject: ") + 9;
            return data.substr(at, data.find('\r', at) - at);
        };
        CHECK(subject_for("de-AT", "") == "all de");
        CHECK(subject_for("fr", "") == "all default");
        CHECK(subject_for("de-AT", tenant) == "own de-AT");
        CHECK(subject_for("de", tenant) == "own default");
        CHECK(subject_for("de-DE", "22222222-2222-2222-2222-222222222222") == "all de");
    }

    TEST_CASE("versions: a draft is not sent but by its number, the one before is archived") {
        mail_bench bench;
        bench.start();
        const auto put = [&bench](const std::string& subject) {
            return bench.database.query(
                "SELECT mail.template_put(NULL, 'v', 'default', $1, '<p>x</p>')", {subject});
        };
        CHECK(put("one") == "1");
        CHECK(put("one") == "1");
        const auto missing = bench.send(from_template("v", "{}"));
        CHECK(missing.state == job_state::dead);
        CHECK(missing.attempt == 1);
        CHECK(mentions(missing, "there is no active template v"));
        CHECK(bench.send(from_template("v", "{}", R"(, "version": 1)")).state ==
              job_state::completed);
        bench.database.execute("SELECT mail.template_activate(NULL, 'v', 'default', 1)");
        CHECK(put("two") == "2");
        CHECK(bench.send(from_template("v", "{}")).state == job_state::completed);
        CHECK(contains(bench.mail.messages().back().data, "Subject: one\r\n"));
        bench.database.execute("SELECT mail.template_activate(NULL, 'v', 'default')");
        CHECK(bench.send(from_template("v", "{}")).state == job_state::completed);
        CHECK(contains(bench.mail.messages().back().data, "Subject: two\r\n"));
        CHECK(bench.database.query("SELECT string_agg(status, ',' ORDER BY version) FROM "
                                   "mail.templates WHERE name = 'v'") == "archived,active");
        CHECK(bench.database.query("SELECT mail.template_archive(NULL, 'v', 'default', 2)") == "t");
        CHECK(bench.send(from_template("v", "{}")).state == job_state::dead);
        CHECK(bench.database.query("SELECT mail.prune(now() + interval '1 day')") == "2");
    }

    TEST_CASE("a missing variable is a dead letter that names it and no value") {
        mail_bench bench;
        bench.start();
        const auto job = bench.send(from_template("welcome", R"({"nick": "canary"})"));
        CHECK(job.state == job_state::dead);
        CHECK(job.attempt == 1);
        CHECK(mentions(job, "subject of the template: missing variable customer_name"));
        CHECK_FALSE(mentions(job, "canary"));
        CHECK(bench.mail.messages().empty());
        CHECK(bench.database.query("SELECT count(*) FROM contacts.sending") == "0");
    }

    TEST_CASE("the templates that ship can all be filled in") {
        mail_bench bench;
        bench.start();
        const std::string variables = R"({
            "customer_name": "Zoë & Co", "order_id": "A-1", "currency": "EUR", "total": 4200,
            "event": {"name": "The <Band>", "starts_at": "2026-12-24T19:00:00Z", "venue": "Hall"},
            "items": [{"quantity": 2, "name": "Seat", "amount": 2100}], "amount": 2100,
            "ticket_id": "T-1", "mint_address": "So1", "recipient_name": "Ann",
            "sender_name": "Bob", "support_contact": "help@x.test", "accept_url": "https://x.test",
            "ticket_count": 2, "reset_url": "https://x.test/r", "valid_minutes": 30,
            "cart_url": "https://x.test/c", "severity": "critical", "title": "Depth",
            "since": "2026-11-21T10:00:00Z", "message": "m", "refund_amount": 100})";
        const auto rows = bench.database.rows(
            "SELECT name, subject, html, plain, category FROM mail.template WHERE status = "
            "'active' AND locale = 'default' ORDER BY name");
        std::set<std::string> names;
        for (const auto& row : rows) {
            CAPTURE(*row[0]);
            names.insert(*row[0]);
            libqueue::processors::email::mail_template source;
            source.subject = *row[1];
            source.html = row[2];
            source.plain = row[3];
            libqueue::processors::email::template_request request{*row[0]};
            request.variables = variables;
            request.zone = "Europe/Vienna";
            const auto made = fill_in(source, request, "https://x.test/u");
            REQUIRE_MESSAGE(made.has_value(), made.error().message);
            CHECK_FALSE(made->subject.empty());
            CHECK_FALSE(contains(*made->html, "<Band>"));
            CHECK_FALSE(contains(made->text, "{{"));
            CHECK(contains(made->text, "https://x.test/u"));
        }
        CHECK(names == std::set<std::string>{"abandoned_cart", "admin_alert", "event_cancelled",
                                             "event_reminder", "nft_minted", "password_reset",
                                             "purchase_confirmation", "refund_confirmation",
                                             "ticket_transfer_recipient", "ticket_transfer_sender",
                                             "welcome"});
        const auto job = bench.send(
            from_template("purchase_confirmation", variables, R"(, "zone": "Europe/Vienna")"));
        REQUIRE_MESSAGE(job.state == job_state::completed, job.last_error.value_or(""));
        const auto data = bench.mail.messages().at(0).data;
        CHECK(contains(data, "24 December 2026, 20:00"));
        CHECK(contains(data, "multipart/alternative"));
    }

    TEST_CASE("a tenant's name and reply address sign mails that name no sender") {
        mail_bench bench;
        bench.start();
        bench.database.execute("SELECT mail.sender_set($1, 'Hall of Fame', 'hall@x.test')",
                               {tenant});
        CHECK(bench.send(mail_to("\"b@x.test\""), tenant).state == job_state::completed);
        CHECK(bench
                  .send(mail_to("\"b@x.test\"", R"(, "from": "o@x.test", "reply_to": "r@x.test")"),
                        tenant)
                  .state == job_state::completed);
        const auto sent = bench.mail.messages();
        CHECK(contains(sent.at(0).data, "From: Hall of Fame <shop@example.test>\r\n"));
        CHECK(contains(sent.at(0).data, "Reply-To: hall@x.test\r\n"));
        CHECK(contains(sent.at(1).data, "From: o@x.test\r\n"));
        CHECK(contains(sent.at(1).data, "Reply-To: r@x.test\r\n"));
    }

    TEST_CASE("who may not be written to is left out, and when nobody is left nothing is sent") {
        mail_bench bench;
        bench.start();
        bench.database.execute(
            "SELECT contacts.preference_set(NULL, 'email', 'off@x.test', 'news', false), "
            "contacts.suppress(NULL, 'email', 'gone@x.test', 'bounce')");
        const std::string news = R"(, "category": "news")";
        const auto some =
            bench.send(mail_to(R"(["off@x.test", "yes@x.test", "gone@x.test"])", news));
        REQUIRE(some.state == job_state::completed);
        CHECK(bench.mail.messages().at(0).to == std::vector<std::string>{"yes@x.test"});
        CHECK(json::parse(output(some)).at("not_sent") ==
              json::parse(R"([{"address": "o***@x.test", "reason": "off"},
                              {"address": "g***@x.test", "reason": "suppressed"}])"));
        const auto nobody = bench.send(mail_to("\"gone@x.test\"", news));
        CHECK(nobody.state == job_state::completed);
        CHECK(json::parse(output(nobody)) == json::parse(R"({"skipped": "suppressed"})"));
        CHECK(bench.mail.messages().size() == 1);
        CHECK(bench.send(mail_to("\"gone@x.test\"", R"(, "category": "critical")")).state ==
              job_state::completed);
        CHECK(bench.mail.messages().size() == 2);
    }

    TEST_CASE("quiet hours make a mail wait without using up an attempt") {
        mail_bench bench;
        bench.start();
        bench.database.execute(
            "SELECT contacts.rule_set(NULL, 'email', 'q@x.test', "
            "(now() - interval '1 hour')::time, (now() + interval '1 "
            "hour')::time, current_setting('TimeZone'))");
        const auto id = bench.enqueue(mail_to("\"q@x.test\""));
        const auto waits = [&bench, id] {
            return bench.database.query(
                       "SELECT run_at > now() + interval '50 minutes' FROM "
                       "queue.jobs WHERE id = $1",
                       {std::to_string(id)}) == "t";
        };
        CHECK(test::wait_until(waits, std::chrono::seconds{10}));
        CHECK(bench.database.query("SELECT attempt FROM queue.jobs") == "0");
        CHECK(bench.mail.messages().empty());
    }

    TEST_CASE("a refused address is not written to again; who was put off is tried alone") {
        test::smtp_server_options server;
        server.script = {answer_to("gone@", "550 5.1.1 no such user"),
                         answer_to("full@", "452 4.2.2 mailbox full", 1),
                         answer_to("spam@", "550 5.7.1 policy")};
        mail_bench bench{server};
        bench.start();
        const auto job =
            bench.send(mail_to(R"(["gone@x.test", "full@x.test", "yes@x.test", "spam@x.test"])"));
        REQUIRE_MESSAGE(job.state == job_state::completed, job.last_error.value_or(""));
        CHECK(job.attempt == 2);
        const auto sent = bench.mail.messages();
        REQUIRE(sent.size() == 2);
        CHECK(sent[0].to == std::vector<std::string>{"yes@x.test"});
        CHECK(sent[1].to == std::vector<std::string>{"full@x.test"});
        CHECK(sent[0].data == sent[1].data);
        const auto said = json::parse(output(job));
        CHECK(said.at("accepted") == json::parse(R"(["y***@x.test", "f***@x.test"])"));
        CHECK(said.at("rejected").as_array().size() == 2);
        // A policy is no bounce.
        CHECK(bench.database.query("SELECT string_agg(masked || ' ' || detail, ',') FROM "
                                   "contacts.suppressions") == "g***@x.test 550 5.1.1");
        CHECK(json::parse(output(bench.send(mail_to("\"gone@x.test\"")))) ==
              json::parse(R"({"skipped": "suppressed"})"));
    }

    TEST_CASE("who is put off to the end is told in the output of a completed job") {
        test::smtp_server_options server;
        server.script = {answer_to("full@", "452 4.2.2 mailbox full")};
        mail_bench bench{server};
        bench.start();
        const auto job = bench.send(mail_to(R"(["full@x.test", "yes@x.test"])"));
        REQUIRE_MESSAGE(job.state == job_state::completed, job.last_error.value_or(""));
        CHECK(job.attempt == 3);
        CHECK(bench.mail.messages().size() == 1);
        CHECK(json::parse(output(job)).at("rejected").at(0).at("status") == "4.2.2");
        CHECK(json::parse(output(job)).at("accepted") == json::parse(R"(["y***@x.test"])"));
    }

    TEST_CASE(
        "in doubt a parked mail becomes a dead letter, is resolved, and is never sent twice") {
        test::smtp_answer drop{test::smtp_answer::stage::data, ""};
        drop.drop = true;
        drop.times = 1;
        test::smtp_server_options server;
        server.script = {drop};
        mail_bench bench{server};
        bench.options.on_unknown = libqueue::processors::email::unknown_policy::park;
        bench.start();
        const auto job = bench.send(mail_to("\"b@x.test\""));
        CHECK(job.state == job_state::dead);
        CHECK(job.attempt == 1);
        CHECK(bench.database.query("SELECT state FROM queue.effects WHERE step = 'send'") ==
              "begun");
        CHECK(bench.mail.messages().empty());
        CHECK(bench.send(mail_to("\"c@x.test\"")).state == job_state::completed);
        CHECK(bench.mail.messages().size() == 1);
        CHECK(bench.database.query("SELECT state FROM queue.effects WHERE job_id <> $1",
                                   {std::to_string(job.id)}) == "committed");
    }

    TEST_CASE(
        "addresses and variables stay in the payload: no error, output, log or table has them") {
        test::smtp_server_options server;
        server.script = {answer_to("canary-gone@", "550 5.1.1 <canary-gone@x.test> unknown"),
                         answer_to("canary-later@", "451 4.7.1 canary-later@x.test try later")};
        mail_bench bench{server};
        bench.start();
        CHECK(bench.send(mail_to(R"(["canary-gone@x.test", "canary-yes@x.test"])")).state ==
              job_state::completed);
        CHECK(bench.send(mail_to("\"canary-gone2@x.test\"", R"(, "cc": "canary-later@x.test")"))
                  .state == job_state::completed);
        CHECK(bench.send(mail_to("\"canary-later@x.test\"")).state == job_state::dead);
        CHECK(bench.send(mail_to("\"canary at x.test\"")).state == job_state::dead);
        CHECK(bench.send(from_template("welcome", R"({"nick": "canary"})")).state ==
              job_state::dead);
        const auto tables = bench.database.rows(
            "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables "
            "WHERE table_schema IN ('queue', 'mail', 'contacts') AND table_type = 'BASE TABLE'");
        CHECK(tables.size() > 30);
        int payloads = 0;
        for (const auto& table : tables) {
            CAPTURE(*table.at(0));
            // The payload is where they belong.
            const auto found =
                bench.database.rows("SELECT to_jsonb(t) - 'payload' FROM " + *table.at(0) +
                                    " t WHERE t::text LIKE '%canary%'");
            for (const auto& row : found) {
                ++payloads;
                CHECK_FALSE(contains(*row.at(0), "canary"));
            }
        }
        CHECK(payloads >= 5);
    }

    TEST_CASE("mails that may be unsubscribed from carry a link that does it") {
        mail_bench bench;
        bench.options.unsubscribe_url = "https://x.test/u?t={token}";
        bench.start();
        bench.database.execute(
            "SELECT mail.template_put(NULL, 'n', 'default', 's', NULL, "
            "'{{unsubscribe_url}}', 'news'), "
            "mail.template_activate(NULL, 'n', 'default')");
        REQUIRE(bench.send(from_template("n", "{}")).state == job_state::completed);
        const auto data = bench.mail.messages().at(0).data;
        CHECK(contains(data, "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
        const auto at = data.find("<https://x.test/u?t=") + 20;
        const auto token = data.substr(at, data.find('>', at) - at);
        CHECK(bench.database.query("SELECT category FROM contacts.unsubscribe($1)", {token}) ==
              "news");
        CHECK(json::parse(output(bench.send(from_template("n", "{}")))) ==
              json::parse(R"({"skipped": "off"})"));
        // A mail that must arrive has none.
        REQUIRE(bench.send(mail_to("\"b@x.test\"")).state == job_state::completed);
        CHECK_FALSE(contains(bench.mail.messages().at(1).data, "List-Unsubscribe"));
    }

    TEST_CASE("two workers together keep to the hour's limit of a recipient") {
        mail_bench bench;
        bench.options.hourly_per_recipient = 5;
        bench.start(2);
        for (int i = 0; i < 12; ++i) {
            static_cast<void>(bench.enqueue(mail_to("\"b@x.test\"")));
        }
        const auto waits = [&bench] {
            return bench.database.query(
                       "SELECT count(*) FROM queue.jobs WHERE run_at > now() + "
                       "interval '50 minutes'") == "7";
        };
        CHECK(test::wait_until(waits, std::chrono::seconds{20}));
        CHECK(bench.mail.wait_for_messages(5));
        CHECK(bench.mail.messages().size() == 5);
    }
}
