#include "processors/support/contacts/admission.hpp"
#include "support/test_database.hpp"

#include <libqueue/migrate.hpp>

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

namespace {

namespace contacts = libqueue::processors::contacts;

constexpr const char* tenant = "11111111-1111-1111-1111-111111111111";

class store {
   public:
    store() {
        libqueue::migrate_options options;
        options.dsn = database.dsn();
        const std::vector<libqueue::migration_set> sets{contacts::migrations()};
        libqueue::migrate(options, sets).value();
    }

    /// What `admit` decides for one address.
    std::string ask(int job, const std::string& address, const std::string& category = "news",
                    const std::string& now = "2026-11-21 12:00Z", int hourly = 0,
                    const test::field& of_tenant = std::nullopt) const {
        return database.query(
            "SELECT decision FROM contacts.admit($1, $2, 'email', $3, ARRAY[$4], $5, $6)",
            {std::to_string(job), of_tenant, category, address, std::to_string(hourly), now});
    }
    std::string until(int job, const std::string& address, const std::string& now) const {
        return database.query(
            "SELECT to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') "
            "FROM contacts.admit($1, NULL, 'email', 'news', ARRAY[$2], 0, $3)",
            {std::to_string(job), address, now});
    }
    std::string token(const std::string& address, const std::string& category,
                      const test::field& of_tenant = std::nullopt) const {
        return database.query("SELECT contacts.unsubscribe_token($1, 'email', $2, $3)",
                              {of_tenant, address, category});
    }
    std::string sqlstate(const std::string& sql) const {
        try {
            database.execute(sql);
        } catch (const test::sql_error& error) {
            return error.sqlstate();
        }
        return "accepted";
    }

    test::test_database database;
};

}  // namespace

TEST_SUITE("processors: contacts") {
    TEST_CASE("a channel or a category that is off holds for its tenant, or for all") {
        const store store;
        CHECK(store.ask(1, "a@x.test") == "send");
        store.database.execute(
            "SELECT contacts.preference_set(NULL, 'email', 'A@X.test', 'news', false)");
        CHECK(store.ask(2, "a@x.test") == "off");
        CHECK(store.ask(3, "a@x.test", "other") == "send");
        CHECK(store.ask(4, "a@x.test", "news", "2026-11-21 12:00Z", 0, tenant) == "off");

        store.database.execute("SELECT contacts.preference_set($1, 'email', 'b@x.test', '', false)",
                               {tenant});
        CHECK(store.ask(5, "b@x.test", "any", "2026-11-21 12:00Z", 0, tenant) == "off");
        CHECK(store.ask(6, "b@x.test", "any") == "send");
        store.database.execute("SELECT contacts.preference_set($1, 'email', 'b@x.test', '', true)",
                               {tenant});
        CHECK(store.ask(7, "b@x.test", "any", "2026-11-21 12:00Z", 0, tenant) == "send");
    }

    TEST_CASE("quiet hours across midnight end in the recipient's morning, in three zones") {
        const store store;
        struct expectation {
            const char* zone;
            const char* from;
            const char* to;
            const char* now;
            const char* until;
        };
        const expectation table[] = {
            {"Europe/Vienna", "22:00", "07:00", "2026-11-21 20:59Z", ""},
            {"Europe/Vienna", "22:00", "07:00", "2026-11-21 21:00Z", "2026-11-22 06:00"},
            {"Europe/Vienna", "22:00", "07:00", "2026-11-22 05:59Z", "2026-11-22 06:00"},
            {"Europe/Vienna", "22:00", "07:00", "2026-11-22 06:00Z", ""},
            // The night the clock goes forward is an hour shorter, and back an hour longer.
            {"Europe/Vienna", "22:00", "07:00", "2026-03-28 22:00Z", "2026-03-29 05:00"},
            {"Europe/Vienna", "22:00", "07:00", "2026-10-24 21:00Z", "2026-10-25 06:00"},
            // An end that the clock skips: never before it would have been.
            {"Europe/Vienna", "22:00", "02:30", "2026-03-28 23:00Z", "2026-03-29 01:30"},
            {"America/New_York", "21:30", "08:00", "2026-03-08 04:00Z", "2026-03-08 12:00"},
            {"America/New_York", "21:30", "08:00", "2026-11-01 03:00Z", "2026-11-01 13:00"},
            {"America/New_York", "21:30", "08:00", "2026-11-01 13:00Z", ""},
            // Half an hour's change, on the other side of the date line and of the year.
            {"Australia/Lord_Howe", "22:00", "06:00", "2026-10-03 14:00Z", "2026-10-03 19:00"},
            {"Australia/Lord_Howe", "22:00", "06:00", "2026-04-04 13:00Z", "2026-04-04 19:30"},
            {"Asia/Kolkata", "12:00", "14:00", "2026-11-21 07:00Z", "2026-11-21 08:30"},
            {"Asia/Kolkata", "12:00", "14:00", "2026-11-21 06:29Z", ""},
        };
        int job = 0;
        for (const auto& row : table) {
            CAPTURE(row.zone);
            CAPTURE(row.now);
            store.database.execute(
                "SELECT contacts.rule_set(NULL, 'email', 'q@x.test', $1, $2, $3)",
                {row.from, row.to, row.zone});
            CHECK(store.until(++job, "q@x.test", row.now) == row.until);
        }
    }

    TEST_CASE("critical mail is sent whatever was said") {
        const store store;
        store.database.execute(
            "SELECT contacts.preference_set(NULL, 'email', 'a@x.test', '', "
            "false), contacts.suppress(NULL, 'email', 'a@x.test', 'bounce'), "
            "contacts.rule_set(NULL, 'email', 'a@x.test', '00:00', '23:59', "
            "'UTC', 0)");
        CHECK(store.ask(1, "a@x.test") == "suppressed");
        CHECK(store.ask(2, "a@x.test", "critical") == "send");
    }

    TEST_CASE("a day's limit is of the recipient's day, an hour's is waited for") {
        const store store;
        store.database.execute(
            "SELECT contacts.rule_set(NULL, 'email', 'a@x.test', NULL, NULL, "
            "'Europe/Vienna', 2)");
        CHECK(store.ask(1, "a@x.test", "news", "2026-11-21 20:00Z") == "send");
        CHECK(store.ask(2, "a@x.test", "news", "2026-11-21 21:00Z") == "send");
        CHECK(store.ask(3, "a@x.test", "news", "2026-11-21 22:59Z") == "daily_limit");
        CHECK(store.ask(2, "a@x.test", "news", "2026-11-21 22:59Z") == "send");  // a second try
        CHECK(store.ask(3, "a@x.test", "news", "2026-11-21 23:00Z") == "send");

        CHECK(store.ask(4, "b@x.test", "news", "2026-11-21 10:00Z", 2) == "send");
        CHECK(store.ask(5, "b@x.test", "news", "2026-11-21 10:30Z", 2) == "send");
        CHECK(store.ask(6, "b@x.test", "news", "2026-11-21 10:59Z", 2) == "rate");
        CHECK(store.database.query("SELECT until = '2026-11-21 11:00Z' AND wait_ms = 60000 FROM "
                                   "contacts.admit(6, NULL, 'email', 'news', ARRAY['b@x.test'], 2, "
                                   "'2026-11-21 10:59Z')") == "t");
        CHECK(store.ask(6, "b@x.test", "news", "2026-11-21 11:00Z", 2) == "send");
        store.database.execute("SELECT contacts.release(6)");
        CHECK(store.ask(7, "b@x.test", "news", "2026-11-21 11:01Z", 2) == "send");
    }

    TEST_CASE("any number of workers at once stay within a contact's limit") {
        const store store;
        std::vector<std::thread> workers;
        std::vector<int> sent(8, 0);
        for (int w = 0; w < 8; ++w) {
            workers.emplace_back([&store, &sent, w] {
                test::connection connection{store.database.dsn()};
                for (int i = 0; i < 10; ++i) {
                    const auto answer = connection.query(
                        "SELECT decision FROM contacts.admit($1, NULL, 'email', 'news', "
                        "ARRAY['a@x.test'], 20)",
                        {std::to_string(w * 100 + i)});
                    sent[static_cast<std::size_t>(w)] += answer == "send" ? 1 : 0;
                }
            });
        }
        for (auto& worker : workers) {
            worker.join();
        }
        int all = 0;
        for (const int of_one : sent) {
            all += of_one;
        }
        CHECK(all == 20);
    }

    TEST_CASE("one click unsubscribes from the category alone, again and again, and is on record") {
        const store store;
        const auto token = store.token("a@x.test", "news.weekly", tenant);
        CHECK(token.find('@') == std::string::npos);
        CHECK(token == store.token("A@x.test", "news.weekly", tenant));
        for (int i = 0; i < 2; ++i) {
            CHECK(store.database.query("SELECT channel || ' ' || category FROM "
                                       "contacts.unsubscribe($1)",
                                       {token}) == "email news.weekly");
        }
        const std::string now = "2026-11-21 12:00Z";
        CHECK(store.ask(1, "a@x.test", "news.weekly", now, 0, tenant) == "off");
        CHECK(store.ask(2, "a@x.test", "news", now, 0, tenant) == "send");
        CHECK(store.ask(3, "a@x.test", "news.weekly") == "send");
        const auto history = store.database.rows(
            "SELECT what, before, after, source FROM contacts.history_of($1, 'email', 'a@x.test')",
            {tenant});
        REQUIRE(history.size() == 1);
        CHECK(history[0] == test::row{"category news.weekly", std::nullopt, "false", "one-click"});
    }

    TEST_CASE("a token with any part changed is none") {
        const store store;
        const auto token = store.token("a@x.test", "news", tenant);
        int refused = 0;
        for (std::size_t at = 0; at < token.size(); ++at) {
            auto other = token;
            other[at] = other[at] == '1' ? '2' : '1';
            try {
                store.database.execute("SELECT contacts.unsubscribe($1)", {other});
            } catch (const test::sql_error& error) {
                refused += error.sqlstate() == "LQ001" ? 1 : 0;
            }
        }
        CHECK(refused == static_cast<int>(token.size()));
        CHECK(store.sqlstate("SELECT contacts.unsubscribe(NULL)") == "LQ001");
        // Another database has another key.
        const class store elsewhere;
        CHECK_THROWS_AS(elsewhere.database.execute("SELECT contacts.unsubscribe($1)", {token}),
                        test::sql_error);
    }

    TEST_CASE("no address is kept, and what is known of one can be erased") {
        const store store;
        store.database.execute(
            "SELECT contacts.preference_set(NULL, 'email', 'canary@x.test', 'news', false), "
            "contacts.suppress(NULL, 'email', 'canary@x.test', 'bounce', '550 5.1.1'), "
            "contacts.rule_set(NULL, 'email', 'canary@x.test', NULL, NULL, 'UTC', 3)");
        CHECK(store.ask(1, "canary@x.test", "critical") == "send");
        CHECK(store.database.query("SELECT masked FROM contacts.suppressions") == "c***@x.test");
        for (const std::string table : {"preference", "rule", "suppression", "change", "sending"}) {
            CHECK(store.database.query("SELECT count(*) FROM contacts." + table +
                                       " t WHERE t::text LIKE '%canary%'") == "0");
        }
        CHECK(store.database.query("SELECT contacts.forget('email', 'canary@x.test')") == "6");
        CHECK(store.database.query("SELECT count(*) FROM contacts.change") == "0");
        CHECK(store.ask(2, "canary@x.test") == "send");
    }

    TEST_CASE("pruning takes what is old, in pieces") {
        const store store;
        // First, because now and then a question prunes by itself.
        CHECK(store.ask(31, "a@x.test") == "send");
        store.database.execute(
            "INSERT INTO contacts.sending (job_id, contact, at, channel) SELECT "
            "g, 'x', '2026-11-01', 'email' FROM generate_series(1, 30) g");
        CHECK(store.database.query("SELECT contacts.prune(20, '2026-11-21 12:00Z')") == "20");
        CHECK(store.database.query("SELECT contacts.prune(20, '2026-11-21 12:00Z')") == "10");
        CHECK(store.database.query("SELECT count(*) FROM contacts.sending") == "1");
    }

    TEST_CASE("what cannot be meant is refused") {
        const store store;
        for (const std::string call :
             {"preference_set(NULL, 'e mail', 'a@x', '', true)",
              "preference_set(NULL, 'email', 'a@x', 'A B', true)",
              "preference_set(NULL, 'email', 'a@x', '', NULL)",
              "rule_set(NULL, 'email', 'a@x', '10:00', NULL)",
              "rule_set(NULL, 'email', 'a@x', '10:00', '10:00')",
              "rule_set(NULL, 'email', 'a@x', NULL, NULL, 'Nowhere')",
              "rule_set(NULL, 'email', 'a@x', NULL, NULL, 'UTC', -1)",
              "suppress(NULL, 'email', 'a@x', 'mood')", "suppress(NULL, 'email', 'a@x', NULL)"}) {
            CAPTURE(call);
            CHECK(store.sqlstate("SELECT contacts." + call) == "LQ001");
        }
    }
}
