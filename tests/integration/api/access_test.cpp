#include "support/test_database.hpp"

#include <libqueue/access.hpp>
#include <libqueue/client.hpp>
#include <libqueue/operations.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

using libqueue::access_control;
using libqueue::client;
using libqueue::client_options;
using libqueue::errc;
using libqueue::new_job;
using libqueue::operations;
using libqueue::principal;
using libqueue::role;
using libqueue::statement;
using libqueue::token_options;

namespace {

constexpr const char* somebody{"00000000-0000-4000-8000-00000000000a"};
constexpr const char* another{"00000000-0000-4000-8000-00000000000b"};

class bench {
   public:
    test::test_database db;
    client on{client_options{db.dsn()}};
    access_control who{on};
    operations work{on};

    void act_as(role what, std::optional<std::string> tenant = {}) {
        REQUIRE(on.act_as(principal{"test", what, std::move(tenant), "request-1"}).has_value());
    }
    libqueue::job_id enqueue(const char* tenant) {
        new_job job{"a.b", "{}"};
        if (tenant != nullptr) {
            job.for_tenant(tenant);
        }
        return on.enqueue(job).value().id;
    }
    std::string audited() {
        return db.query(
            "SELECT string_agg(actor || ' ' || role || ' ' || action || ' ' || "
            "coalesce(target, '-') || ' ' || coalesce(request_id, '-'), ', ' ORDER BY id) "
            "FROM queue.audit");
    }
    std::string problem() {
        return db.query("SELECT coalesce(problem, 'none') FROM queue.verify_audit()");
    }
    /// As one who owns the database and turns the triggers off.
    void tamper(const std::string& sql) {
        db.execute("SET session_replication_role = replica; " + sql);
    }
};

}  // namespace

TEST_SUITE("principal") {
    TEST_CASE("without one nothing is set and nothing audited") {
        bench t;
        CHECK_FALSE(t.on.acting_as().has_value());
        REQUIRE(t.work.pause("default", "why").has_value());
        CHECK(t.db.query("SELECT count(*) FROM queue.audit") == "0");
    }

    TEST_CASE("one with a tenant sees, cancels and retries its own jobs; others' do not exist") {
        bench t;
        const auto mine = t.enqueue(somebody);
        const auto theirs = t.enqueue(another);
        const auto nobodys = t.enqueue(nullptr);
        t.act_as(role::admin, somebody);
        CHECK(t.work.list_jobs({}).rows.size() == 1);
        CHECK(t.on.get(mine).has_value());
        for (const auto id : {theirs, nobodys, libqueue::job_id{999'999}}) {
            CHECK(t.on.get(id).error().code == errc::not_found);
            CHECK(t.on.cancel(id).error().code == errc::not_found);
            CHECK(t.on.retry(id).error().code == errc::not_found);
            CHECK(t.work.explain(id).error().code == errc::not_found);
            CHECK(t.work.attempts(id).rows.empty());
        }
        CHECK(t.on.cancel(mine).value());
        CHECK(t.on.retry(mine).has_value());
        t.on.act_as_self();
        CHECK(t.work.list_jobs({}).rows.size() == 3);
    }

    TEST_CASE("what it enqueues is its tenant's; for another's it may not") {
        bench t;
        t.act_as(role::operate, somebody);
        const auto id = t.enqueue(nullptr);
        CHECK(t.on.get(id).value().tenant_id == std::optional<std::string>{somebody});
        new_job foreign{"a.b", "{}"};
        foreign.for_tenant(another);
        CHECK(t.on.enqueue(foreign).error().code == errc::not_found);
        const std::vector<new_job> two(2, new_job{"a.b", "{}"});
        for (const auto made : t.on.enqueue_many(two).value()) {
            CHECK(t.on.get(made).value().tenant_id == std::optional<std::string>{somebody});
        }
        new_job keyed{"a.b", "{}"};
        keyed.unique_key("k");
        const auto first = t.on.enqueue(keyed).value();
        t.act_as(role::operate, another);
        const auto second = t.on.enqueue(keyed).value();
        CHECK_FALSE(second.duplicate);
        CHECK(second.id != first.id);
    }

    TEST_CASE("a viewer's transactions only read") {
        bench t;
        const auto id = t.enqueue(nullptr);
        t.act_as(role::viewer);
        CHECK(t.work.list_jobs({}).rows.size() == 1);
        try {
            static_cast<void>(t.on.cancel(id));
            FAIL("expected a failure");
        } catch (const libqueue::failure& what) {
            CHECK(what.sqlstate() == "25006");
        }
        CHECK(t.on.get(id).value().state == libqueue::job_state::ready);
    }

    TEST_CASE("nothing of it stays in the session behind, after errors either") {
        bench t;
        t.enqueue(somebody);
        t.act_as(role::admin, somebody);
        CHECK(t.on.query(statement{"SELECT current_user"}).value().text(0, 0) == "queue_operator");
        CHECK(t.on.cancel(4711).has_error());
        CHECK_THROWS_AS(static_cast<void>(t.on.query(statement{"SELECT 1 / 0"})),
                        libqueue::failure);
        t.on.act_as_self();
        const auto now = t.on.query(statement{"SELECT current_user = session_user, "
                                              "coalesce(current_setting('queue.tenant', true), "
                                              "''), coalesce(current_setting('queue.actor', "
                                              "true), '')"})
                             .value();
        CHECK(now.text(0, 0) == "t");
        CHECK(now.text(0, 1).empty());
        CHECK(now.text(0, 2).empty());
    }

    TEST_CASE("a statement that takes too long is ended, and the next is not") {
        bench t;
        REQUIRE(t.on.act_as(principal{"test"}, std::chrono::milliseconds{50}).has_value());
        try {
            static_cast<void>(t.on.query(statement{"SELECT pg_sleep(30)"}));
            FAIL("expected a failure");
        } catch (const libqueue::failure& what) {
            CHECK(what.sqlstate() == "57014");
        }
        CHECK(t.on.query(statement{"SELECT 1"}).value().text(0, 0) == "1");
    }

    TEST_CASE("bad ones are refused before anything is sent; any other text is taken as it is") {
        bench t;
        CHECK(t.on.act_as(principal{""}).error().code == errc::invalid_argument);
        CHECK(t.on.act_as(principal{std::string(201, 'x')}).has_error());
        CHECK(t.on.act_as(principal{"a\xff"}).has_error());
        CHECK(t.on.act_as(principal{"a", role::admin, "x' OR true --"}).has_error());
        CHECK(t.on.act_as(principal{"a", role::admin, {}, std::string(201, 'r')}).has_error());
        CHECK_FALSE(t.on.acting_as().has_value());
        const std::string odd{"o'neil\\'; DROP TABLE queue.job; --"};
        REQUIRE(t.on.act_as(principal{odd, role::admin, {}, "$1\\"}).has_value());
        REQUIRE(t.work.pause("default", "").has_value());
        CHECK(t.db.query("SELECT actor FROM queue.audit") == odd);
        CHECK(t.db.query("SELECT request_id FROM queue.audit") == "$1\\");
    }

    TEST_CASE("a tenant is refused with the cure while the roles are not installed") {
        bench t;
        t.db.execute(
            "REVOKE USAGE ON SCHEMA queue FROM queue_engine, queue_producer, "
            "queue_auditor");
        t.act_as(role::viewer, somebody);
        const auto refused = t.on.get(1);
        REQUIRE(refused.has_error());
        CHECK(refused.error().code == errc::schema_mismatch);
        CHECK(refused.error().hint.find("qctl roles install") != std::string::npos);
        t.on.act_as_self();
        REQUIRE(t.who.install_roles().has_value());
        t.act_as(role::viewer, somebody);
        CHECK(t.on.get(1).error().code == errc::not_found);
    }

    TEST_CASE("an action and its record stand or fall together") {
        bench t;
        t.act_as(role::admin);
        CHECK(t.on.query_audited("things.make", "x", R"({"n": 1})",
                                 statement{"SELECT queue.create_queue('made')"})
                  .has_value());
        CHECK(t.audited() ==
              "test admin queues.create made request-1, test admin things.make x "
              "request-1");
        CHECK(t.on.query_audited("Bad Action", "x", "",
                                 statement{"SELECT queue.create_queue('other')"})
                  .error()
                  .code == errc::invalid_argument);
        CHECK(t.db.query("SELECT count(*) FROM queue.queue WHERE name = 'other'") == "0");
        CHECK(t.on.query_audited("things.make", "x", "{", statement{"SELECT 1"}).has_error());
    }
}

TEST_SUITE("tokens") {
    TEST_CASE("found by what was printed once; kept as a hash") {
        bench t;
        const std::string tenant = t.who.create_tenant("acme").value();
        token_options wanted;
        wanted.role = role::operate;
        wanted.tenant_id = tenant;
        wanted.name = "ci";
        const auto made = t.who.create_token(wanted).value();
        CHECK(made.text.size() == 46);
        CHECK(made.text.starts_with("lq_"));
        const auto holder = t.who.find_token(made.text).value();
        CHECK(holder.who.actor == "token:ci");
        CHECK(holder.who.role == role::operate);
        CHECK(holder.who.tenant_id == std::optional<std::string>{tenant});
        CHECK(holder.token_id == made.id);
        CHECK_FALSE(holder.expires_at.has_value());
        CHECK(t.db.query("SELECT count(*) FROM queue.api_token WHERE last_used_at IS NOT NULL") ==
              "1");
        CHECK(t.db.query("SELECT count(*) FROM queue.api_token t WHERE t::text LIKE $1",
                         {"%" + made.text.substr(3, 20) + "%"}) == "0");
    }

    TEST_CASE("wrong, expired and revoked ones look the same") {
        bench t;
        const auto good = t.who.create_token({}).value();
        CHECK(t.who.find_token(good.text).value().who.actor == "token:" + good.id);
        token_options brief;
        brief.ttl = std::chrono::hours{1};
        const auto ended = t.who.create_token(brief).value();
        CHECK(ended.expires_at.has_value());
        t.db.execute(
            "UPDATE queue.api_token SET expires_at = now() - interval '1 s' "
            "WHERE id = $1",
            {ended.id});
        const auto revoked = t.who.create_token({}).value();
        REQUIRE(t.who.revoke_token(revoked.id).has_value());
        std::set<std::string> answers;
        for (const std::string& text :
             {std::string{}, std::string{"lq_"}, good.text + "x", good.text.substr(0, 45),
              "LQ_" + good.text.substr(3), std::string{"\0", 1}, std::string(100'000, 'a'),
              ended.text, revoked.text}) {
            const auto found = t.who.find_token(text);
            REQUIRE(found.has_error());
            CHECK(found.error().code == errc::not_found);
            answers.insert(found.error().message);
        }
        CHECK(answers.size() == 1);
        const auto all = t.who.list_tokens();
        REQUIRE(all.rows.size() == 3);
        CHECK(all.rows[0].back() == "revoked");
        CHECK(all.rows[1].back() == "expired");
        CHECK(all.rows[2].back() == "active");
        CHECK(t.who.list_tokens(1, revoked.id).rows.at(0).at(0) == ended.id);
    }

    TEST_CASE("limits of what is asked for") {
        bench t;
        token_options wanted;
        wanted.tenant_id = somebody;
        CHECK(t.who.create_token(wanted).error().code == errc::not_found);
        wanted.tenant_id.reset();
        wanted.name = "a b";
        CHECK(t.who.create_token(wanted).error().code == errc::invalid_argument);
        wanted.name.clear();
        wanted.ttl = std::chrono::seconds{0};
        CHECK(t.who.create_token(wanted).error().code == errc::invalid_argument);
        CHECK(t.who.revoke_token("x").error().code == errc::invalid_argument);
        CHECK(t.who.revoke_token(somebody).error().code == errc::not_found);
        CHECK(t.who.create_tenant("a b").error().code == errc::invalid_argument);
        REQUIRE(t.who.create_tenant("a").has_value());
        CHECK(t.who.create_tenant("a").error().code == errc::conflict);
    }

    TEST_CASE("an admin of a tenant has to do with its tokens and audit alone") {
        bench t;
        const std::string mine = t.who.create_tenant("mine").value();
        const std::string theirs = t.who.create_tenant("theirs").value();
        token_options of_them;
        of_them.tenant_id = theirs;
        const auto foreign = t.who.create_token(of_them).value();
        t.act_as(role::admin, mine);
        const auto own = t.who.create_token({}).value();
        CHECK(t.who.create_token(of_them).error().code == errc::not_found);
        CHECK(t.who.revoke_token(foreign.id).error().code == errc::not_found);
        CHECK(t.who.list_tokens().rows.size() == 1);
        CHECK(t.who.list_tenants().rows.size() == 1);
        CHECK(t.who.create_tenant("more").error().code == errc::conflict);
        CHECK(t.who.verify_audit().error().code == errc::conflict);
        CHECK(t.who.list_audit({}).rows.size() == 1);
        t.on.act_as_self();
        CHECK(t.who.find_token(own.text).value().who.tenant_id == std::optional<std::string>{mine});
    }
}

TEST_SUITE("audit") {
    TEST_CASE("each action is recorded once, by whom and on what") {
        bench t;
        const auto id = t.enqueue(nullptr);
        t.act_as(role::admin);
        REQUIRE(t.work.pause("default", "secret reason").has_value());
        REQUIRE(t.work.resume("default").has_value());
        REQUIRE(t.on.cancel(id, "secret reason").has_value());
        CHECK(t.on.cancel(id).error().code == errc::conflict);
        CHECK(t.audited() ==
              "test admin queues.pause default request-1, "
              "test admin queues.resume default request-1, "
              "test admin jobs.cancel " +
                  std::to_string(id) + " request-1");
        CHECK(t.problem() == "none");
        libqueue::audit_filter filter;
        filter.action = "queues.*";
        CHECK(t.who.list_audit(filter).rows.size() == 2);
        filter.limit = 1;
        const auto page = t.who.list_audit(filter);
        REQUIRE(page.next.has_value());
        filter.before = page.next;
        CHECK(t.who.list_audit(filter).rows.at(0).at(5) == "queues.pause");
        CHECK(t.db.query("SELECT count(*) FROM queue.audit a WHERE a::text LIKE '%secret%'") ==
              "0");
    }

    TEST_CASE("an action that is made of others is one record, and what did nothing is none") {
        bench t;
        const auto id = [&](const libqueue::job_id job) {
            return std::to_string(job);
        };
        const auto waiting = t.enqueue(nullptr);
        const auto erased = t.db.query("SELECT queue.enqueue('a.b', '{}', subject => 'ann')");
        const auto query = [&](const std::string& sql) {
            return t.on.query(statement{"SELECT " + sql}).has_value();
        };
        t.act_as(role::admin);
        CHECK(query("queue.retry_edited(" + id(waiting) + ", '{\"n\": 2}')"));
        CHECK_FALSE(query("queue.retry_edited(" + id(waiting) + " + 1000, '{}')"));
        CHECK(query("queue.erase('ann')"));
        CHECK(query("queue.unschedule('none')"));
        CHECK(query("queue.unsubscribe(7)"));
        REQUIRE(t.work.pause("default", "").has_value());
        CHECK(t.db.query("SELECT state FROM queue.jobs WHERE id = $1::bigint", {erased}) ==
              "cancelled");
        CHECK(t.audited() == "test admin jobs.retry " + id(waiting) +
                                 " request-1, test admin subjects.erase - request-1, "
                                 "test admin queues.pause default request-1");
    }

    TEST_CASE("alteration, deletion, another order and a cut end are found") {
        bench t;
        t.act_as(role::admin);
        for (int i = 0; i < 10; ++i) {
            REQUIRE(t.work.pause("default", "").has_value());
        }
        const auto head = t.who.verify_audit().value().rows.at(0);
        CHECK(head.at(0) == "t");
        CHECK(head.at(1) == "10");
        SUBCASE("changed") {
            for (const char* column :
                 {"actor = 'you'", "at = at + interval '1 microsecond'", "action = 'a.b'",
                  "target = NULL", "role = 'viewer'", "detail = '{}'", "request_id = ''",
                  "tenant_id = gen_random_uuid()", "hash = sha256('')"}) {
                t.tamper("UPDATE queue.audit SET " + std::string{column} + " WHERE id = 5");
                CHECK(t.problem() != "none");
                t.tamper(
                    "DELETE FROM queue.audit; DELETE FROM queue.audit_head; "
                    "INSERT INTO queue.audit_head (id, hash) VALUES (0, "
                    "sha256('libqueue audit'))");
                for (int i = 0; i < 10; ++i) {
                    REQUIRE(t.work.pause("default", "").has_value());
                }
            }
        }
        SUBCASE("deleted in the middle, at the start, at the end") {
            for (const char* id : {"5", "1", "10"}) {
                t.tamper("CREATE TABLE kept AS SELECT * FROM queue.audit WHERE id = " +
                         std::string{id} + "; DELETE FROM queue.audit WHERE id = " + id);
                CHECK(t.problem() != "none");
                t.tamper("INSERT INTO queue.audit SELECT * FROM kept; DROP TABLE kept");
                CHECK(t.problem() == "none");
            }
        }
        SUBCASE("two exchanged") {
            t.tamper(
                "UPDATE queue.audit SET id = 0 WHERE id = 4; "
                "UPDATE queue.audit SET id = 4 WHERE id = 5; "
                "UPDATE queue.audit SET id = 5 WHERE id = 0");
            CHECK(t.problem() != "none");
        }
        SUBCASE("cut off with the head put back, found against the anchor") {
            t.tamper(
                "DELETE FROM queue.audit WHERE id > 7; UPDATE queue.audit_head SET id = 7, "
                "hash = (SELECT hash FROM queue.audit WHERE id = 7)");
            CHECK(t.problem() == "none");
            const auto cut = t.who.verify_audit(10, head.at(5).value()).value();
            CHECK(cut.rows.at(0).at(0) == "f");
            REQUIRE(t.work.pause("default", "").has_value());
            REQUIRE(t.work.pause("default", "").has_value());
            REQUIRE(t.work.pause("default", "").has_value());
            CHECK(t.problem() == "none");
            const auto anew = t.who.verify_audit(10, head.at(5).value()).value();
            CHECK(anew.rows.at(0).at(0) == "f");
        }
    }

    TEST_CASE("it is not changed by accident, and pruned only by a record that says so") {
        bench t;
        t.act_as(role::admin);
        for (int i = 0; i < 5; ++i) {
            REQUIRE(t.work.pause("default", "").has_value());
        }
        for (const char* change : {"UPDATE queue.audit SET actor = 'x'", "DELETE FROM queue.audit",
                                   "TRUNCATE queue.audit"}) {
            CHECK_THROWS_AS(t.db.execute(change), test::sql_error);
        }
        t.tamper("UPDATE queue.audit SET at = at - interval '2 days' WHERE id <= 3");
        // The times are part of the hash, so this chain is a new one from record 4 on.
        CHECK(t.problem() != "none");
        CHECK(t.who.prune_audit(std::chrono::hours{24}).value() == 3);
        CHECK(t.db.query("SELECT min(id) || ' ' || max(id) FROM queue.audit") == "4 6");
        CHECK(t.problem() == "none");
        CHECK(t.who.prune_audit(std::chrono::hours{24}).value() == 0);
        CHECK(t.db.query("SELECT action || ' ' || (detail ->> 'rows') FROM queue.audit "
                         "WHERE id = 6") == "audit.prune 3");
        t.tamper("DELETE FROM queue.audit WHERE id = 4");
        CHECK(t.problem() != "none");
    }

    TEST_CASE("an action that takes long keeps no other waiting, and is recorded when it ends") {
        bench with;
        test::connection slow{with.db.dsn()};
        slow.execute("BEGIN");
        slow.execute("SELECT queue.act_as('slow', 'admin')");
        slow.execute("SELECT queue.pause('default', 'for long')");
        with.act_as(role::admin);
        CHECK(with.work.create_queue("another").has_value());
        CHECK(with.audited() == "test admin queues.create another request-1");
        slow.execute("COMMIT");
        CHECK(with.audited() ==
              "test admin queues.create another request-1, slow admin queues.pause default -");
        CHECK(with.problem() == "none");
        CHECK(with.db.query("SELECT count(*) FROM queue.audit_entry") == "0");
    }

    TEST_CASE("writers at the same time make one chain") {
        bench t;
        std::vector<std::thread> writers;
        for (int i = 0; i < 4; ++i) {
            writers.emplace_back([&t, i] {
                client mine{client_options{t.db.dsn()}};
                operations acts{mine};
                if (mine.act_as(principal{"writer " + std::to_string(i), role::admin})
                        .has_error()) {
                    return;
                }
                for (int n = 0; n < 25; ++n) {
                    static_cast<void>(acts.create_queue("q" + std::to_string(i * 100 + n)));
                }
            });
        }
        for (std::thread& one : writers) {
            one.join();
        }
        CHECK(t.db.query("SELECT checked FROM queue.verify_audit() WHERE ok") == "100");
    }
}
