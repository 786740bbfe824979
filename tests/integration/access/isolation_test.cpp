#include "support/pgbouncer.hpp"
#include "support/test_database.hpp"

#include <libqueue/batches.hpp>
#include <libqueue/client.hpp>
#include <libqueue/operations.hpp>
#include <libqueue/run_records.hpp>
#include <libqueue/schedules.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

// Tenants reach for what is each other's, with everything there is, over few connections that all
// of them share and that lose transactions in between. LIBQUEUE_ISOLATION_TRIES: how often (default
// 2,000); LIBQUEUE_ISOLATION_THREADS: from how many threads at once, each with its own connections
// (default 2). A try is some milliseconds of the server's work, so more threads than processors are
// no gain.

using libqueue::client;
using libqueue::client_options;
using libqueue::errc;
using libqueue::job_id;
using libqueue::new_job;
using libqueue::operations;
using libqueue::principal;
using libqueue::role;
using libqueue::statement;

namespace {

constexpr int tenants{64};
constexpr int pooled{4};

int wanted(const char* variable, int otherwise) {
    const char* const text = std::getenv(variable);
    return text == nullptr ? otherwise : std::atoi(text);
}

int wanted_tries() {
    return wanted("LIBQUEUE_ISOLATION_TRIES", 2'000);
}

std::string tenant_of(int n) {
    std::string hex = std::to_string(100 + n);
    return "00000000-0000-4000-8000-000000000" + hex;
}

/// What each tenant has, known to all others.
class property {
   public:
    job_id job{0};
    std::string payload;
    job_id dead{0};
    std::int64_t batch{0};
    std::int64_t subscription{0};
};

class world {
   public:
    explicit world(const test::test_database& db) {
        test::connection on{db.dsn()};
        for (int n = 0; n < tenants; ++n) {
            const std::string tenant = tenant_of(n);
            property one;
            one.payload = "{\"of\": " + std::to_string(n) + "}";
            one.job = number(on, "queue.enqueue('a.b', '" + one.payload +
                                     "', idempotency_key => 'k', run_at => now() + '1 h', "
                                     "tenant_id => '" +
                                     tenant + "')");
            one.dead = number(on, "queue.enqueue('a.dead', '{}', tenant_id => '" + tenant + "')");
            one.batch = number(on, "queue.create_batch('b', tenant_id => '" + tenant + "')");
            one.subscription =
                number(on, "queue.subscribe('order.paid', 'a.b', tenant_id => '" + tenant + "')");
            number(on, "queue.schedule('nightly', '@daily', 'a.b', tenant_id => '" + tenant + "')");
            on.execute(
                "INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, "
                "outcome, attempt, error) VALUES ($1, nextval('queue.lease_id_seq'), now(), "
                "now(), 'failed', 1, 'e')",
                {std::to_string(one.dead)});
            on.execute("DELETE FROM queue.ready WHERE id = $1", {std::to_string(one.dead)});
            on.execute(
                "INSERT INTO queue.dead_letter SELECT $1, now(), now(), $2, 'default', "
                "'a.dead', 5, 4, 4, 'r', 'e', 'f', '{}', NULL, '[]'",
                {std::to_string(one.dead), tenant});
            of.push_back(one);
        }
    }

    std::vector<property> of;

   private:
    static std::int64_t number(test::connection& on, const std::string& call) {
        return std::stoll(on.query("SELECT " + call));
    }
};

/// Connections that whoever comes next takes.
class pool {
   public:
    explicit pool(const std::string& dsn) {
        for (int i = 0; i < pooled; ++i) {
            all_.push_back(std::make_unique<client>(client_options{dsn}));
        }
    }
    client& take(std::mt19937& random) { return *all_[random() % all_.size()]; }

   private:
    std::vector<std::unique_ptr<client>> all_;
};

/// Everything of `theirs` that somebody else's transaction was shown or let change; empty: nothing.
class crossing {
   public:
    crossing(client& on_, const property& theirs_, std::string their_tenant_)
        : on{on_}, theirs{theirs_}, their_tenant{std::move(their_tenant_)} {}

    std::string attempt(int which) {
        operations work{on};
        switch (which % 12) {
            case 0:
                return denied(on.get(theirs.job), "get");
            case 1:
                return denied(on.cancel(theirs.job), "cancel");
            case 2:
                return denied(on.retry(theirs.dead), "retry");
            case 3:
                return denied(work.explain(theirs.job), "explain");
            case 4:
                return work.attempts(theirs.dead).rows.empty() ? "" : "attempts";
            case 5:
                return lists(work);
            case 6:
                return letters(work);
            case 7:
                return enqueues();
            case 8:
                return batches();
            case 9:
                return schedules();
            case 10:
                return tables();
            default:
                return functions();
        }
    }

   private:
    template <typename Answer>
    static std::string denied(const Answer& answer, const char* what) {
        return answer.has_error() && answer.error().code == errc::not_found ? "" : what;
    }

    std::string lists(operations& work) {
        libqueue::job_filter filter;
        filter.tenant_id = their_tenant;
        const auto asked = work.list_jobs(filter).rows.size();
        const auto all = work.list_jobs({});
        for (const auto& row : all.rows) {
            if (row.at(1) != on.acting_as()->tenant_id) {
                return "list";
            }
        }
        return asked == 0 ? "" : "list by tenant";
    }

    std::string letters(operations& work) {
        libqueue::dead_letter_filter filter;
        filter.ids = {theirs.dead};
        if (!work.list_dead_letters(filter).rows.empty() || work.count_dead_letters(filter) != 0) {
            return "dead letters";
        }
        if (work.replay(filter, {}).value() != 0 || work.discard(filter, false) != 0) {
            return "replay or discard";
        }
        return count("SELECT count(*) FROM queue.replay(ARRAY[$1::bigint])", theirs.dead) +
               count("SELECT queue.discard(ARRAY[$1::bigint])", theirs.dead);
    }

    std::string enqueues() {
        new_job foreign{"a.b", "{}"};
        foreign.for_tenant(their_tenant);
        if (!denied(on.enqueue(foreign), "x").empty()) {
            return "enqueue for another";
        }
        new_job item{"a.b", "{}"};
        item.in_batch(theirs.batch);
        if (!denied(on.enqueue(item), "x").empty()) {
            return "enqueue into a batch";
        }
        // As they enqueued it: the same key and payload.
        new_job keyed{"a.b", theirs.payload};
        keyed.unique_key("k");
        const auto made = on.enqueue(keyed);
        return made.has_value() ? "idempotency key" : "";
    }

    std::string batches() {
        libqueue::batches all{on};
        return denied(all.show(theirs.batch), "batch show ") +
               denied(all.cancel(theirs.batch), "batch cancel ") +
               denied(all.seal(theirs.batch), "batch seal");
    }

    std::string schedules() {
        libqueue::schedules all{on};
        for (const auto& row : all.list({}).rows) {
            for (const auto& value : row) {
                if (value == their_tenant) {
                    return "schedule list";
                }
            }
        }
        return denied(all.show("nightly", their_tenant), "schedule show ") +
               denied(all.pause("nightly", their_tenant), "schedule pause ") +
               denied(all.run_now("nightly", their_tenant), "schedule run");
    }

    std::string tables() {
        // One statement for all: by itself each would be a transaction and a plan.
        std::string all;
        for (const char* table : {"job", "jobs", "dead_letter", "dead_letters", "idempotency",
                                  "batch", "batches", "schedule", "schedules", "subscription",
                                  "subscriptions", "erasure", "archived_job", "audit"}) {
            all += (all.empty() ? "" : " UNION ALL ") + std::string{"SELECT '"} + table +
                   "' AS name WHERE EXISTS (SELECT FROM queue." + table +
                   " t WHERE t.tenant_id IS DISTINCT FROM $1::uuid)";
        }
        const auto seen =
            on.query(statement{"SELECT coalesce(string_agg(name, ' '), '') FROM (" + all + ") s",
                               {on.acting_as()->tenant_id}});
        return std::string{seen.value().text(0, 0)} +
               count("SELECT count(*) FROM queue.attempt WHERE job_id = $1", theirs.dead) +
               count("SELECT count(*) FROM queue.ready WHERE id = $1", theirs.job);
    }

    std::string functions() {
        return count("SELECT (queue.unsubscribe($1::bigint))::int", theirs.subscription) +
               refused("SELECT queue.cancel($1::bigint)", theirs.job) +
               refused("SELECT queue.cancel_batch($1::bigint)", theirs.batch) +
               refused("SELECT queue.batch_items($1::bigint)", theirs.batch) +
               refused("SELECT queue.effect_resolve($1::bigint, NULL, 'x', true)", theirs.job) +
               refused("UPDATE queue.job SET payload = '{}' WHERE id = $1::bigint", theirs.job) +
               refused("DELETE FROM queue.ready WHERE id = $1::bigint", theirs.job);
    }

    std::string count(const std::string& sql, std::int64_t id) {
        const auto seen = on.query(statement{sql, {std::to_string(id)}});
        return seen.has_value() && seen->text(0, 0) == "0" ? "" : sql + "; ";
    }

    std::string refused(const std::string& sql, std::int64_t id) {
        try {
            const auto answer = on.query(statement{sql, {std::to_string(id)}});
            return answer.has_error() && answer.error().code == errc::not_found ? "" : sql + "; ";
        } catch (const libqueue::failure& what) {
            return what.sqlstate() == "42501" ? "" : sql + "; ";
        }
    }

    client& on;
    const property& theirs;
    std::string their_tenant;
};

/// A transaction that ends badly, in the middle of somebody's work, or a session that does.
void abort_something(const test::test_database& db, client& on, std::mt19937& random) {
    constexpr std::array<const char*, 2> faults{"SELECT 1 / 0", "SELECT pg_sleep(10)"};
    const auto which = random() % 3;
    if (which == faults.size()) {
        db.execute(
            "SELECT pg_terminate_backend(a.pid, 5000) FROM pg_stat_activity a "
            "WHERE a.datname = current_database() AND a.application_name = 'libqueue' "
            "ORDER BY random() LIMIT 1");
        return;
    }
    try {
        static_cast<void>(on.query(statement{faults.at(which)}));
    } catch (const libqueue::failure&) {
        return;
    }
}

/// A connection that was cut shows nobody anything; all else that fails is for the test to see.
std::string attempt(crossing what, int which) {
    try {
        return what.attempt(which);
    } catch (const libqueue::failure& failed) {
        return failed.poisons_connection() ? "" : failed.what();
    }
}

/// Crossings one after another; those that got through.
class crosser {
   public:
    crosser(const test::test_database& db, const world& all, bool pooler)
        : db_{db}, all_{all}, patience_{pooler ? 5'000 : 2'000} {}

    std::string run(const std::string& dsn, int tries, unsigned seed) const {
        pool shared{dsn};
        std::mt19937 random{seed};
        std::string through;
        for (int i = 0; i < tries; ++i) {
            const int me = static_cast<int>(random() % tenants);
            const int other = (me + 1 + static_cast<int>(random() % (tenants - 1))) % tenants;
            client& on = shared.take(random);
            act(on, me, patience_);
            const std::string got = attempt(
                crossing{on, all_.of.at(static_cast<std::size_t>(other)), tenant_of(other)}, i);
            if (!got.empty()) {
                through += "tenant " + std::to_string(me) + " of " + std::to_string(other) + ": " +
                           got + "\n";
            }
            if (random() % 200 == 0) {
                act(on, me, std::chrono::milliseconds{20});
                abort_something(db_, on, random);
            }
        }
        return through;
    }

   private:
    static void act(client& on, int tenant, std::chrono::milliseconds patience) {
        on.act_as(principal{"tester", role::admin, tenant_of(tenant)}, patience).value();
    }

    const test::test_database& db_;
    const world& all_;
    std::chrono::milliseconds patience_;
};

/// Which of `tries` crossings got through.
std::string cross(const test::test_database& db, const std::string& dsn, int tries, bool pooler) {
    const world all{db};
    // Whether a try is refused is asked, not how fast: compiling what runs once is most of its
    // time.
    db.execute(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET jit = off', current_database()); END "
        "$$");
    const crosser each{db, all, pooler};
    const int threads = std::max(1, wanted("LIBQUEUE_ISOLATION_THREADS", 2));
    std::vector<std::string> through(static_cast<std::size_t>(threads));
    std::vector<std::jthread> running;
    unsigned seed = 4711;
    for (std::string& mine : through) {
        running.emplace_back([&each, &dsn, &mine, tries, threads, seed] {
            try {
                mine = each.run(dsn, (tries + threads - 1) / threads, seed);
            } catch (const std::exception& failed) {
                mine = failed.what();
            }
        });
        ++seed;
    }
    running.clear();
    return std::accumulate(through.begin(), through.end(), std::string{});
}

/// What nobody but its owner could have changed is as it was.
std::string untouched(const test::test_database& db) {
    return db.query(
        "SELECT count(*) FILTER (WHERE state = 'scheduled' AND payload ? 'of') || ' ' || "
        "count(*) FILTER (WHERE state = 'dead') FROM queue.jobs");
}

}  // namespace

TEST_SUITE("tenant isolation") {
    TEST_CASE("crossed reads and writes over shared connections get nothing") {
        test::test_database db;
        const int tries = wanted_tries();
        CHECK(cross(db, db.dsn(), tries, false) == "");
        CHECK(untouched(db) == "64 64");
        CHECK(
            db.query("SELECT count(*) FROM queue.batches WHERE state = 'PENDING' AND NOT sealed") ==
            "64");
        CHECK(db.query("SELECT count(*) FROM queue.subscription") == "64");
        MESSAGE(tries << " tries");
    }

    TEST_CASE("the same attempts with one's own succeed, so they are not refused for nothing") {
        test::test_database db;
        world all{db};
        client on{client_options{db.dsn()}};
        for (int which = 0; which < 12; ++which) {
            CAPTURE(which);
            REQUIRE(on.act_as(principal{"tester", role::admin, tenant_of(which)}).has_value());
            const bool is_neutral = which == 10;
            const auto got =
                crossing{on, all.of.at(static_cast<std::size_t>(which)), tenant_of(which)}.attempt(
                    which);
            CHECK((is_neutral || !got.empty()));
        }
    }

    TEST_CASE("behind a transaction pooler the same holds") {
        test::test_database db;
        test::pgbouncer pooler{db.cluster().socket_dir()};
        CHECK(cross(db, pooler.dsn(db.name()), wanted_tries() / 10, true) == "");
        CHECK(untouched(db) == "64 64");
    }
}
