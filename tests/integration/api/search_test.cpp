#include "stand_in_worker.hpp"
#include "support/test_database.hpp"

#include <libqueue/bulk.hpp>
#include <libqueue/client.hpp>
#include <libqueue/failures.hpp>
#include <libqueue/filter.hpp>
#include <libqueue/jobs.hpp>
#include <libqueue/overview.hpp>
#include <libqueue/principal.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <set>

using libqueue::bulk_action;
using libqueue::client;
using libqueue::client_options;
using libqueue::errc;
using libqueue::job_id;
using libqueue::new_job;
using libqueue::parse_filter;
using libqueue::report;

namespace {

using ids = std::vector<job_id>;

std::string cell(const report& in, std::size_t row, std::string_view name) {
    const auto found = std::find_if(in.columns.begin(), in.columns.end(),
                                    [&](const libqueue::column& one) { return one.name == name; });
    REQUIRE_MESSAGE(found != in.columns.end(), name);
    return in.rows.at(row).at(static_cast<std::size_t>(found - in.columns.begin())).value_or("");
}

/// A database with a client, somebody to run jobs, and shorthands.
class bench {
   public:
    bench() : worker{db}, on{client_options{db.dsn()}} {}

    job_id enqueue(new_job job = new_job{"a.b", "{}"}) { return on.enqueue(job).value().id; }
    job_id dead(const std::string& error = "boom", new_job job = new_job{"a.b", "{}"}) {
        const job_id id = enqueue(std::move(job));
        worker.kill(id, error);
        return id;
    }
    /// All pages, so many at a time.
    ids found(std::string_view text, int limit = 50) {
        ids all;
        std::optional<std::string> behind;
        do {
            const auto page =
                libqueue::jobs{on}.find(parse_filter(text).value(), behind, limit).value();
            for (const auto& row : page.rows.rows) {
                all.push_back(std::stoll(row.front().value()));
            }
            behind = page.next;
        } while (behind);
        return all;
    }
    /// Steps of operations until none is left; how many.
    int run_operations() {
        int steps = 0;
        while (!db.query("SELECT wait_ms FROM queue.run_operations()").empty()) {
            db.execute("UPDATE queue.operation SET next_at = now() WHERE finished_at IS NULL");
            REQUIRE(++steps < 1000);
        }
        return steps;
    }

    test::test_database db;
    test::stand_in_worker worker;
    client on;
};

ids sorted(ids all) {
    std::sort(all.begin(), all.end());
    return all;
}

}  // namespace

TEST_SUITE("search: jobs") {
    TEST_CASE("every field finds what it names and nothing else") {
        bench with;
        with.db.execute("SELECT queue.create_queue('mail')");
        const std::string tenant = "11111111-1111-1111-1111-111111111111";
        const auto plain = with.enqueue();
        const auto mail = with.enqueue(
            new_job{"email.send", R"({"user": {"id": 42}, "total": 7.5})"}.in_queue("mail").tag(
                "vip"));
        const auto later = with.enqueue(new_job{"email.later", R"({"user": {"id": "42"}})"}
                                            .run_in(std::chrono::hours{1})
                                            .with_priority(1));
        const auto owned = with.enqueue(new_job{"a.b", "{}"}.for_tenant(tenant));
        const auto dead = with.dead("Time Out of host 7");
        const auto retrying = with.enqueue();
        with.worker.fail(retrying, "refused", 3600);
        const auto completed = with.enqueue();
        with.worker.complete(completed);
        const auto running = with.enqueue();
        with.worker.claim(running);
        const auto fingerprint = with.db.query("SELECT fingerprint FROM queue.dead_letter");

        CHECK(with.found("").size() == 8);
        CHECK(with.found("queue:mail") == ids{mail});
        CHECK(with.found("queue:ma*") == ids{mail});
        CHECK(sorted(with.found("kind:email.*")) == ids{mail, later});
        CHECK(with.found("kind:email.* -queue:mail") == ids{later});
        CHECK(with.found("tag:vip") == ids{mail});
        CHECK(with.found("tag:v*") == ids{mail});
        CHECK(with.found("-tag:vip").size() == 7);
        CHECK(sorted(with.found("args.user.id:42")) == ids{mail, later});
        CHECK(with.found("args.total:>7") == ids{mail});
        CHECK(with.found("args.user.id:>41") == ids{mail});
        CHECK(with.found("args.total:none").size() == 7);
        CHECK(with.found("tenant:" + tenant) == ids{owned});
        CHECK(with.found("tenant:none").size() == 7);
        CHECK(with.found("priority:<5") == ids{later});
        CHECK(with.found("id:" + std::to_string(plain)) == ids{plain});
        CHECK(with.found(std::to_string(plain)) == ids{plain});
        CHECK(with.found("id:>" + std::to_string(completed)) == ids{running});
        CHECK(with.found("state:dead") == ids{dead});
        CHECK(with.found("state:failed error:\"time out\"") == ids{dead});
        CHECK(with.found("error:refused") == ids{retrying});
        CHECK(with.found("fingerprint:" + fingerprint) == ids{dead});
        CHECK(sorted(with.found("state:dead,retrying")) == ids{dead, retrying});
        CHECK(with.found("state:completed") == ids{completed});
        CHECK(with.found("state:running") == ids{running});
        CHECK(sorted(with.found("state:waiting")) == ids{plain, mail, later, owned, retrying});
        CHECK(with.found("state:ready,scheduled,running,retrying,dead").size() == 7);
        CHECK(with.found("refused") == ids{retrying});
        CHECK(sorted(with.found("EMAIL")) == ids{mail, later});
        CHECK(with.found("age:<1h").size() == 8);
        CHECK(with.found("age:>1h").empty());
        CHECK(with.found("created:..2000-01-01").empty());
        CHECK(with.found("attempt:>=1 state:retrying") == ids{retrying});
        CHECK(with.found("state:dead died:2000-01-01..") == ids{dead});
        CHECK(with.found("-state:dead,completed state:dead").empty());
        CHECK(with.found("kind:a_b").empty());
    }

    TEST_CASE("small pages put together are the whole list, in every order there is") {
        bench with;
        for (int i = 0; i < 15; ++i) {
            with.enqueue();
            with.enqueue(new_job{"c.d", "{}"}.run_in(std::chrono::minutes{i}).with_priority(i));
            with.dead();
            const auto completed = with.enqueue();
            with.worker.complete(completed);
            with.worker.claim(with.enqueue());
        }
        for (const auto* const text :
             {"", "state:waiting", "state:dead", "state:completed", "state:running",
              "state:dead,ready,running", "state:dead,completed", "kind:c.*", "-state:dead"}) {
            CAPTURE(text);
            const auto whole = with.found(text, 500);
            CHECK(with.found(text, 4) == whole);
            CHECK(std::set<job_id>(whole.begin(), whole.end()).size() == whole.size());
            CHECK(!whole.empty());
        }
    }

    TEST_CASE("a cursor of another list is refused") {
        bench with;
        for (int i = 0; i < 3; ++i) {
            with.dead();
        }
        libqueue::jobs jobs{with.on};
        const auto dead =
            jobs.find(parse_filter("state:dead").value(), std::nullopt, 1).value().next;
        REQUIRE(dead);
        CHECK(jobs.find(parse_filter("state:completed").value(), dead, 1).error().code ==
              errc::invalid_argument);
        CHECK(jobs.find({}, "'; DROP TABLE queue.job; --", 1).error().code ==
              errc::invalid_argument);
    }

    TEST_CASE("whatever text a filter holds, it is data") {
        bench with;
        const auto odd = with.dead("100% \\ 'quoted' \"too\" $1 ; --");
        CHECK(with.found("state:dead error:\"100% \\\\ 'quoted'\"") == ids{odd});
        CHECK(with.found("error:\"$1 ; --\"") == ids{odd});
        std::mt19937 random{7};
        const std::string letters = "'\"\\%_$();-*,: a1é{}[]|";
        for (int i = 0; i < 300; ++i) {
            std::string value;
            for (int n = 0; n < 6; ++n) {
                value += letters[random() % letters.size()];
            }
            for (const std::string field : {"error:", "kind:", "tag:", "args.x:", ""}) {
                std::string quoted = "\"";
                for (const char c : value) {
                    quoted += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
                }
                if (const auto read = parse_filter(field + quoted + "\"")) {
                    CHECK(libqueue::jobs{with.on}.find(*read).has_value());
                }
            }
        }
        CHECK(with.db.query("SELECT count(*) FROM queue.job") == "1");
    }

    TEST_CASE("counts are exact up to their bound and say so beyond") {
        bench with;
        for (int i = 0; i < 12; ++i) {
            with.enqueue();
        }
        libqueue::jobs jobs{with.on};
        const auto all = jobs.count(parse_filter("state:ready").value()).value();
        CHECK(all.count == 12);
        CHECK(all.exact);
        const auto some = jobs.count(parse_filter("state:ready").value(), 5).value();
        CHECK(some.count == 5);
        CHECK_FALSE(some.exact);
    }

    TEST_CASE("explain tells the place in line and what would help") {
        bench with;
        with.enqueue();
        const auto second = with.enqueue();
        libqueue::jobs jobs{with.on};
        const auto in_line = jobs.explain(second).value();
        CHECK(cell(in_line, 0, "reason") == "in line");
        CHECK(cell(in_line, 0, "ahead") == "1");
        CHECK(cell(in_line, 0, "cure").empty());
        with.db.execute("SELECT queue.pause('default', 'fire')");
        const auto paused = jobs.explain(second).value();
        CHECK(cell(paused, 0, "reason") == "queue paused");
        CHECK(cell(paused, 0, "cure") == R"({"queue": "default", "action": "resume_queue"})");
        CHECK(jobs.explain(999).error().code == errc::not_found);
    }

    TEST_CASE("snooze, clone and retry with another payload leave a trail") {
        bench with;
        libqueue::jobs jobs{with.on};
        const auto first = with.enqueue(new_job{"a.b", R"({"n": 1})"}.tag("t"));
        const auto until = std::chrono::time_point_cast<std::chrono::microseconds>(
            std::chrono::system_clock::now() + std::chrono::hours{2});
        CHECK(jobs.snooze(first, until).has_value());
        CHECK(with.found("state:scheduled") == ids{first});
        libqueue::clone_changes changes;
        changes.payload = R"({"n": 2})";
        changes.priority = 3;
        const auto second = jobs.clone(first, changes).value();
        CHECK(with.db.query("SELECT payload ->> 'n' || ' ' || priority FROM queue.jobs "
                            "WHERE id = " +
                            std::to_string(second)) == "2 3");
        const auto third = jobs.retry_edited(first, R"({"n": 3})").value();
        CHECK(cell(jobs.show(first).value(), 0, "state") == "cancelled");
        const auto killed = with.dead();
        const auto replayed = jobs.retry_edited(killed, "{}").value();
        CHECK(cell(jobs.show(replayed).value(), 0, "follows_from") == std::to_string(killed));
        const auto chain = jobs.lineage(third).value();
        REQUIRE(chain.rows.size() == 3);
        CHECK(chain.rows[0][0] == std::to_string(first));
        CHECK(cell(chain, 1, "relation") == "clone_of");

        with.worker.claim(second);
        CHECK(jobs.snooze(second, until).error().code == errc::conflict);
        CHECK(jobs.retry_edited(second, "{}").error().code == errc::conflict);
        CHECK(jobs.clone(999).error().code == errc::not_found);
        CHECK(jobs.retry_edited(first, "{").error().code == errc::invalid_payload);
    }
}

TEST_SUITE("search: failures") {
    TEST_CASE("groups have counts, times and what people said about them") {
        bench with;
        for (int i = 0; i < 5; ++i) {
            with.dead("timeout after " + std::to_string(i) + " s");
        }
        with.dead("refused");
        libqueue::failures failures{with.on};
        const auto groups = failures.groups({}).value();
        REQUIRE(groups.rows.size() == 2);
        const std::size_t timeouts = cell(groups, 0, "count") == "5" ? 0 : 1;
        CHECK(cell(groups, timeouts, "count_exact") == "t");
        CHECK(cell(groups, timeouts, "is_new") == "t");
        CHECK(cell(groups, timeouts, "series").ends_with(", 5]"));
        const auto fingerprint = cell(groups, timeouts, "fingerprint");
        CHECK(failures.note_group(fingerprint, "known, see #12", true).has_value());
        const auto noted = failures.groups({}).value();
        CHECK(cell(noted, 1, "note") == "known, see #12");
        CHECK(cell(noted, 1, "muted") == "t");
        CHECK(failures.groups(parse_filter("error:refused").value()).value().rows.size() == 1);
        CHECK(failures.note_group("none", "x", false).error().code == errc::not_found);
        CHECK(failures.find(parse_filter("error:refused").value()).value().rows.rows.size() == 1);
    }
}

TEST_SUITE("search: operations") {
    TEST_CASE("each action is done to what matched, and counted") {
        bench with;
        for (int i = 0; i < 60; ++i) {
            with.dead(i % 2 == 0 ? "timeout" : "refused");
            with.enqueue();
            with.enqueue(new_job{"c.d", "{}"}.run_in(std::chrono::hours{1}));
        }
        libqueue::bulk bulk{with.on};
        const auto start = [&](bulk_action action, std::string_view text) {
            libqueue::new_bulk wanted{action, parse_filter(text).value()};
            wanted.undo = std::chrono::milliseconds{0};
            return bulk.create(wanted).value();
        };
        CHECK(
            bulk.count(bulk_action::replay, parse_filter("error:timeout").value()).value().count ==
            30);
        const auto replay = start(bulk_action::replay, "error:timeout");
        const auto discard = start(bulk_action::discard, "error:refused");
        const auto retry = start(bulk_action::retry, "state:scheduled kind:c.d");
        const auto cancel = start(bulk_action::cancel, "kind:nothing.like.it");
        with.run_operations();
        for (const auto& [id, count] : std::vector<std::pair<std::int64_t, std::string>>{
                 {replay, "30"}, {discard, "30"}, {retry, "60"}, {cancel, "0"}}) {
            const auto shown = bulk.show(id).value();
            CHECK(cell(shown, 0, "state") == "completed");
            CHECK(cell(shown, 0, "matched") == count);
            CHECK(cell(shown, 0, "done") == count);
            CHECK(cell(shown, 0, "failed") == "0");
        }
        CHECK(with.found("state:dead").empty());
        CHECK(with.found("state:ready").size() == 60 + 30 + 60);
        start(bulk_action::purge, "queue:default");
        with.run_operations();
        CHECK(with.found("state:waiting").empty());
        CHECK(bulk.list(true).rows.empty());
        CHECK(bulk.list().rows.size() == 5);
        CHECK(with.db.query("SELECT count(*) FROM queue.audit WHERE action = 'operations.end'") ==
              "5");
    }

    TEST_CASE("what died after an operation was created is left alone") {
        bench with;
        const auto before = with.dead();
        libqueue::bulk bulk{with.on};
        libqueue::new_bulk wanted{bulk_action::replay, parse_filter("kind:a.b").value()};
        wanted.undo = std::chrono::milliseconds{0};
        static_cast<void>(bulk.create(wanted).value());
        const auto after = with.dead();
        with.run_operations();
        CHECK(with.found("state:dead") == ids{after});
        CHECK(with.found("state:ready") == ids{before});
    }

    TEST_CASE("an operation can be undone before it starts, and ended in the middle") {
        bench with;
        for (int i = 0; i < 60; ++i) {
            with.dead();
        }
        libqueue::bulk bulk{with.on};
        const libqueue::new_bulk patient{bulk_action::discard, parse_filter("kind:a.b").value()};
        const auto undone = bulk.create(patient).value();
        CHECK(with.db.query("SELECT worked FROM queue.run_operations()") == "f");
        CHECK(bulk.cancel(undone).has_value());
        CHECK(bulk.cancel(undone).error().code == errc::conflict);
        CHECK(bulk.cancel(999).error().code == errc::not_found);
        CHECK(with.found("state:dead", 500).size() == 60);

        libqueue::new_bulk slow = patient;
        slow.undo = std::chrono::milliseconds{0};
        slow.per_second = 1;
        const auto ended = bulk.create(slow).value();
        CHECK(with.db.query("SELECT worked FROM queue.run_operations()") == "t");
        CHECK(cell(bulk.show(ended).value(), 0, "done") == "1");
        CHECK(bulk.cancel(ended).has_value());
        CHECK(with.found("state:dead", 500).size() == 59);
    }

    TEST_CASE("a job that is in the way is counted and stops nobody else") {
        bench with;
        ids all;
        for (int i = 0; i < 30; ++i) {
            all.push_back(with.dead());
        }
        // Its payload is sealed and its job is gone: it cannot be replayed.
        with.db.execute(
            "UPDATE queue.dead_letter SET payload = jsonb_build_object('libqueue.sealed', 1, "
            "'alg', "
            "'A256GCM', 'kid', 'k', 'nonce', 'x', 'data', 'x') WHERE job_id = " +
            std::to_string(all[7]));
        REQUIRE(with.db.query("SELECT queue.is_sealed(payload) FROM queue.dead_letter WHERE "
                              "job_id = " +
                              std::to_string(all[7])) == "t");
        with.db.execute("DELETE FROM queue.job WHERE id = " + std::to_string(all[7]));
        libqueue::bulk bulk{with.on};
        libqueue::new_bulk wanted{bulk_action::replay, parse_filter("kind:a.b").value()};
        wanted.undo = std::chrono::milliseconds{0};
        const auto id = bulk.create(wanted).value();
        with.run_operations();
        const auto shown = bulk.show(id).value();
        CHECK(cell(shown, 0, "state") == "completed");
        CHECK(cell(shown, 0, "done") == "29");
        CHECK(cell(shown, 0, "failed") == "1");
        CHECK(cell(shown, 0, "last_error").find("sealed") != std::string::npos);
    }

    TEST_CASE("a job that fails again while its retry goes on is retried once") {
        bench with;
        ids all;
        for (int i = 0; i < 30; ++i) {
            all.push_back(with.enqueue());
            with.worker.fail(all.back(), "refused", 3600 + i);
        }
        libqueue::bulk bulk{with.on};
        libqueue::new_bulk wanted{bulk_action::retry, parse_filter("state:retrying").value()};
        wanted.undo = std::chrono::milliseconds{0};
        wanted.per_second = 1;
        const auto id = bulk.create(wanted).value();
        CHECK(with.db.query("SELECT worked FROM queue.run_operations()") == "t");
        // The one that is due last was retried; now it is due before all others: behind the cursor.
        CHECK(with.found("state:ready") == ids{all.back()});
        with.worker.fail(all.back(), "refused", 60);
        with.db.execute("UPDATE queue.operation SET next_at = now(), rate = NULL");
        with.run_operations();
        CHECK(cell(bulk.show(id).value(), 0, "state") == "completed");
        CHECK(cell(bulk.show(id).value(), 0, "done") == "30");
        CHECK(with.found("state:retrying") == ids{all.back()});
    }

    TEST_CASE("one whose step fails ends alone; one that is only held up is tried again") {
        bench with;
        const auto first = with.dead();
        with.enqueue(new_job{"c.d", "{}"});
        libqueue::bulk bulk{with.on};
        const auto start = [&](bulk_action action, std::string_view text) {
            libqueue::new_bulk wanted{action, parse_filter(text).value()};
            wanted.undo = std::chrono::milliseconds{0};
            return bulk.create(wanted).value();
        };
        const auto held = start(bulk_action::discard, "kind:a.b");
        const auto broken = start(bulk_action::cancel, "kind:c.d");
        const auto good = start(bulk_action::cancel, "kind:c.d");
        with.db.execute("UPDATE queue.operation SET behind = 'no place' WHERE id = $1::bigint",
                        {std::to_string(broken)});
        test::connection other{with.db.dsn()};
        other.execute("BEGIN");
        other.execute("SELECT FROM queue.dead_letter FOR UPDATE");
        for (int i = 0; i < 3; ++i) {
            CHECK(with.db.query("SELECT worked FROM queue.run_operations()") == "t");
        }
        CHECK(cell(bulk.show(held).value(), 0, "state") == "pending");
        CHECK(cell(bulk.show(held).value(), 0, "last_error").find("lock") != std::string::npos);
        CHECK(cell(bulk.show(broken).value(), 0, "state") == "failed");
        CHECK(cell(bulk.show(broken).value(), 0, "last_error") != "");
        CHECK(cell(bulk.show(good).value(), 0, "state") == "completed");
        CHECK(cell(bulk.show(good).value(), 0, "done") == "1");
        other.execute("ROLLBACK");
        with.db.execute("UPDATE queue.operation SET next_at = now() WHERE finished_at IS NULL");
        with.run_operations();
        CHECK(cell(bulk.show(held).value(), 0, "state") == "completed");
        CHECK(cell(bulk.show(held).value(), 0, "done") == "1");
        CHECK(with.found("state:dead").empty());
        CHECK(with.db.query("SELECT count(*) FROM queue.dead_letter WHERE job_id = " +
                            std::to_string(first)) == "0");
    }

    TEST_CASE("what cannot be meant is refused") {
        bench with;
        libqueue::bulk bulk{with.on};
        CHECK(bulk.create({bulk_action::discard, {}}).error().code == errc::invalid_argument);
        CHECK(bulk.create({bulk_action::retry, parse_filter("kind:a").value()}).error().code ==
              errc::invalid_argument);
        libqueue::new_bulk fast{bulk_action::discard, parse_filter("kind:a").value()};
        fast.per_second = -1;
        CHECK(bulk.create(fast).error().code == errc::invalid_argument);
        fast.per_second = std::nullopt;
        fast.undo = std::chrono::hours{48};
        CHECK(bulk.create(fast).error().code == errc::invalid_argument);
    }
}

TEST_SUITE("search: tenants") {
    TEST_CASE("who is kept to one tenant finds, counts and touches its own only") {
        bench with;
        const std::string mine = "11111111-1111-1111-1111-111111111111";
        const std::string theirs = "22222222-2222-2222-2222-222222222222";
        const auto own = with.enqueue(new_job{"a.b", "{}"}.for_tenant(mine));
        const auto own_dead = with.dead("boom", new_job{"a.b", "{}"}.for_tenant(mine));
        const auto foreign = with.enqueue(new_job{"a.b", "{}"}.for_tenant(theirs));
        const auto foreign_dead = with.dead("boom", new_job{"a.b", "{}"}.for_tenant(theirs));
        with.enqueue();
        REQUIRE(with.on.act_as(libqueue::principal{"test:me", libqueue::role::admin, mine})
                    .has_value());
        libqueue::jobs jobs{with.on};
        libqueue::failures failures{with.on};
        libqueue::bulk bulk{with.on};

        CHECK(sorted(with.found("")) == ids{own, own_dead});
        CHECK(with.found("state:ready") == ids{own});
        CHECK(with.found("state:dead") == ids{own_dead});
        CHECK(with.found("tenant:" + theirs).empty());
        CHECK(with.found("-tenant:" + mine).empty());
        CHECK(with.found(std::to_string(foreign)).empty());
        CHECK(jobs.count(parse_filter("state:ready").value()).value().count == 1);
        const auto groups = failures.groups({}).value();
        REQUIRE(groups.rows.size() == 1);
        CHECK(cell(groups, 0, "count") == "1");
        const auto queues = libqueue::overview{with.on}.queues();
        REQUIRE(queues.rows.size() == 1);
        CHECK(cell(queues, 0, "ready") == "1");
        CHECK(cell(queues, 0, "dead") == "1");

        CHECK(jobs.show(foreign).error().code == errc::not_found);
        CHECK(jobs.explain(foreign).error().code == errc::not_found);
        CHECK(jobs.lineage(foreign).error().code == errc::not_found);
        CHECK(jobs.clone(foreign).error().code == errc::not_found);
        CHECK(jobs.retry_edited(foreign_dead, "{}").error().code == errc::not_found);
        CHECK(jobs.snooze(foreign, libqueue::time_point{}).error().code == errc::not_found);
        CHECK(failures.show(foreign_dead).error().code == errc::not_found);

        libqueue::new_bulk wanted{bulk_action::discard, parse_filter("kind:a.b").value()};
        wanted.undo = std::chrono::milliseconds{0};
        const auto id = bulk.create(wanted).value();
        with.run_operations();
        CHECK(cell(bulk.show(id).value(), 0, "done") == "1");
        with.on.act_as_self();
        CHECK(with.found("state:dead") == ids{foreign_dead});
        REQUIRE(with.on.act_as(libqueue::principal{"test:they", libqueue::role::admin, theirs})
                    .has_value());
        CHECK(bulk.list().rows.empty());
        CHECK(bulk.show(id).error().code == errc::not_found);
        CHECK(bulk.cancel(id).error().code == errc::not_found);
    }
}

TEST_SUITE("search: overview") {
    TEST_CASE("queues are told of worst first, with what stands in them") {
        bench with;
        with.db.execute("SELECT queue.create_queue('other')");
        for (int i = 0; i < 7; ++i) {
            with.enqueue(new_job{"a.b", "{}"}.in_queue("other"));
        }
        with.enqueue(new_job{"a.b", "{}"}.run_in(std::chrono::hours{1}));
        const auto retrying = with.enqueue();
        with.worker.fail(retrying, "no", 3600);
        with.dead();
        libqueue::overview seen{with.on};
        CHECK(seen.set_objective("default", std::chrono::milliseconds{1}).has_value());
        CHECK(seen.set_objective("none", std::nullopt).error().code == errc::unknown_queue);
        with.enqueue();
        const auto queues = seen.queues();
        REQUIRE(queues.rows.size() == 2);
        CHECK(cell(queues, 0, "queue") == "default");
        CHECK(cell(queues, 0, "late") == "t");
        CHECK(cell(queues, 0, "ready") == "1");
        CHECK(cell(queues, 0, "scheduled") == "1");
        CHECK(cell(queues, 0, "retrying") == "1");
        CHECK(cell(queues, 0, "dead") == "1");
        CHECK(cell(queues, 0, "count_exact") == "t");
        CHECK(cell(queues, 0, "workers") == "1");
        CHECK(cell(queues, 1, "ready") == "7");
        CHECK(std::stod(cell(queues, 0, "failed_percent")) > 0);
        const auto one = with.db.query(
            "SELECT (SELECT string_agg(o::text, ' ') FROM (SELECT ready, scheduled, dead, late "
            "FROM queue.overview('default')) o) = (SELECT string_agg(o::text, ' ') FROM (SELECT "
            "ready, scheduled, dead, late FROM queue.overview() WHERE queue = 'default') o)");
        CHECK(one == "t");
        CHECK(seen.database().rows.size() == 1);
        CHECK(seen.tables().rows.size() > 40);
    }

    TEST_CASE("a long line is estimated and says so") {
        bench with;
        with.db.execute("SELECT queue.enqueue_many('a.b', array_fill('{}'::jsonb, ARRAY[20000]))");
        const auto queues = libqueue::overview{with.on}.queues();
        CHECK(cell(queues, 0, "count_exact") == "f");
        const auto ready = std::stoll(cell(queues, 0, "ready"));
        CHECK(ready > 18'000);
        CHECK(ready < 22'000);
    }
}
