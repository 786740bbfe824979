// The tester tested: bugs that queues have shipped are put in, one at a time, and each must be
// seen. The same provocation without a bug must be clean, or seeing it would prove nothing.

#include "campaign.hpp"
#include "planted_bugs.hpp"
#include "support/query.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <signal.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace {

using namespace std::chrono_literals;

/// Some bugs stop everything.
constexpr auto soon = 5s;

/// What a bug needs to show itself.
enum class provocation { load, stops, kills, restarts, leaving, cuts };

provocation provocation_of(std::string_view bug) {
    if (bug == "finish_by_id_only" || bug == "zombie_accepted") {
        return provocation::stops;
    }
    if (bug == "neighbours_charged" || bug == "rescue_forgets" || bug == "rescue_never_comes") {
        return provocation::kills;
    }
    if (bug == "reused_identity") {
        return provocation::restarts;
    }
    if (bug == "drain_drops_unstarted") {
        return provocation::leaving;
    }
    return bug == "forgotten_for_ever" ? provocation::cuts : provocation::load;
}

void stop_past_lease(const std::string& dsn, faults::trial& t, int most) {
    test::connection db{dsn};
    const auto ids = [&] {
        return db.query(
            "SELECT string_agg(id::text, ' ' ORDER BY id) FROM queue.worker "
            "WHERE name IN ($1, $2)",
            {t.workers.name(0), t.workers.name(1)});
    };
    // Whether a zombie says something before it learns that it is one is a matter of microseconds:
    // until one has.
    const auto shown = [&] {
        return db.query("SELECT count(*) FROM audit.event WHERE NOT fenced") != "0";
    };
    for (int round = 0; round < most && !shown(); ++round) {
        static_cast<void>(t.wait_for_more(100, soon));
        const auto before = ids();
        t.workers.at(0).signal(SIGSTOP);
        t.workers.at(1).signal(SIGSTOP);
        static_cast<void>(test::wait_until([&] { return ids().empty(); }, soon));
        // Until something they held is being run again.
        static_cast<void>(test::wait_until(
            [&] {
                return db.query(
                           "SELECT count(*) FROM queue.lease s, unnest(s.job_ids) j (id) "
                           "JOIN queue.attempt a ON a.job_id = j.id "
                           "WHERE a.outcome = 'lost'") != "0";
            },
            soon));
        t.workers.at(0).signal(SIGCONT);
        t.workers.at(1).signal(SIGCONT);
        static_cast<void>(test::wait_until([&] { return ids() != before; }, soon));
    }
}

/// Workers that leave with a backlog, and so with jobs claimed that they have not started.
void leave_in_the_middle(const std::string& dsn, faults::trial& t) {
    test::connection db{dsn};
    const auto ended = [&] {
        return std::stoi(db.query("SELECT count(*) FROM queue.attempt"));
    };
    for (int round = 0; round < 6; ++round) {
        for (std::size_t place = 0; place < t.workers.size(); ++place) {
            t.workers.at(place).signal(SIGTERM);
            static_cast<void>(t.workers.at(place).wait(10s));
        }
        static_cast<void>(test::wait_until(
            [&] { return std::stoi(db.query("SELECT count(*) FROM queue.ready")) >= 500; }, soon));
        const int before = ended();
        for (std::size_t place = 0; place < t.workers.size(); ++place) {
            t.workers.restart(place);
        }
        static_cast<void>(test::wait_until([&] { return ended() > before + 50; }, soon));
    }
}

void provoke(provocation how, const std::string& dsn, faults::trial& t, bool planted) {
    switch (how) {
        case provocation::load:
        case provocation::cuts:
            break;
        case provocation::stops:
            stop_past_lease(dsn, t, planted ? 12 : 2);
            break;
        case provocation::kills:
        case provocation::restarts:
            for (int round = 0; round < 6; ++round) {
                static_cast<void>(t.wait_for_more(100, soon));
                const std::size_t victim = static_cast<std::size_t>(round) % 2;
                static_cast<void>(t.workers.kill(victim));
                t.workers.restart(victim);
            }
            break;
        case provocation::leaving:
            leave_in_the_middle(dsn, t);
            break;
    }
}

faults::fleet_options fleet_of(const std::string& dsn, provocation how, std::string_view bug) {
    faults::fleet_options options{dsn};
    options.planted_bug = bug;
    options.names_stay = how == provocation::restarts;
    options.crash_budget = bug == "neighbours_charged" ? 1 : 100;
    return options;
}

faults::audit_options patience(std::string_view bug) {
    faults::audit_options options;
    options.settle = bug.empty() ? 60s : 4s;
    return options;
}

/// One provocation, with a bug or (empty) without one. `applied` gets the log lines of its edits.
faults::findings run(provocation how, std::string_view bug, std::string& applied) {
    const test::test_database db;
    faults::trial t{db.dsn(), fleet_of(db.dsn(), how, bug)};
    t.workers.grow(3, how == provocation::cuts ? "answer.awaited=cut%25" : "");
    const bool stopping = how == provocation::stops;
    // Who is killed must hold jobs, and who is stopped be about to finish some.
    const bool killing = how == provocation::kills || how == provocation::restarts;
    t.produce(stopping ? 500 : (killing ? 80 : 5), stopping ? 60 : 1'000);
    static_cast<void>(t.wait_for_more(stopping ? 100 : 400, soon));
    provoke(how, db.dsn(), t, !bug.empty());
    static_cast<void>(t.wait_for_more(100, soon));
    auto found = t.finish_quietly(patience(bug));
    applied = t.workers.lines_of("planted_bug");
    return found;
}

void check_caught(std::string_view name, faults::breach as, const faults::findings& found) {
    const std::string what{faults::breach_names.at(static_cast<std::size_t>(as))};
    CHECK_MESSAGE(found.count(as) > 0, name << " was not seen as " << what << ": " << found.text());
    MESSAGE(name << ": seen as " << what << " " << found.count(as) << " times");
}

/// Replaces text in a function of the database; the function must have it.
void edit_function(const std::string& dsn, const std::string& function, const std::string& from,
                   const std::string& to) {
    std::string text = test::query(dsn, "SELECT pg_get_functiondef($1::regprocedure)", {function});
    const auto at = text.find(from);
    REQUIRE_MESSAGE(at != std::string::npos, function << " has no '" << from << "'");
    test::execute(dsn, text.replace(at, from.size(), to));
}

/// Dead letters replayed twice.
faults::findings replay_twice(bool with_bug) {
    const test::test_database db;
    if (with_bug) {
        const std::string function = "queue.replay(bigint[],interval,timestamptz,jsonb,text)";
        edit_function(db.dsn(), function,
                      "DELETE FROM queue.dead_letter d WHERE d.job_id = ANY (gone);", "");
    }
    faults::trial t{db.dsn()};
    t.workers.grow(2);
    t.produce(5, 1'000);
    REQUIRE(test::wait_until(
        [&] { return std::stoi(db.query("SELECT count(*) FROM queue.dead_letter")) >= 5; }, 30s));
    test::connection operators{db.dsn()};
    const auto letters = operators.query("SELECT array_agg(job_id) FROM queue.dead_letter");
    for (int time = 0; time < 2; ++time) {
        // Far enough ahead that the second comes before the first has run.
        static_cast<void>(operators.query(
            "SELECT count(*) FROM queue.replay($1::bigint[], start_at => now() + interval '1 s')",
            {letters}));
    }
    return t.finish_quietly(patience(with_bug ? "double_replay" : ""));
}

/// Keys that go with their job.
faults::findings lose_keys() {
    const test::test_database db;
    db.execute(
        "CREATE FUNCTION public.forget() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "DELETE FROM queue.idempotency i WHERE i.job_id = NEW.job_id; RETURN NULL; END $$;"
        "CREATE TRIGGER forget AFTER INSERT ON queue.attempt FOR EACH ROW "
        "WHEN (NEW.outcome = 'completed') EXECUTE FUNCTION public.forget()");
    faults::trial t{db.dsn()};
    t.workers.grow(2);
    t.produce(5, 1'000);
    static_cast<void>(t.wait_for_more(300));
    return t.finish_quietly(patience("key_lost_with_job"));
}

/// Enqueues acknowledged before they are on the disk, and a server that dies.
faults::findings acknowledge_early(bool with_bug) {
    test::pg_cluster_options options;
    options.settings = {"wal_writer_delay=10s"};
    test::pg_cluster cluster{options};
    const test::test_database db{cluster};
    if (with_bug) {
        db.execute("ALTER DATABASE " + db.name() + " SET synchronous_commit = off");
    }
    faults::trial t{db.dsn()};
    // Nobody else commits: what a worker flushes would take the enqueues along.
    t.produce(5, 10'000);
    REQUIRE(t.wait_for_more(300));
    t.producer(0).signal(SIGSTOP);
    cluster.kill();
    cluster.start();
    t.producer(0).signal(SIGCONT);
    t.workers.grow(2);
    return t.finish_quietly(patience(with_bug ? "early" : ""));
}

}  // namespace

TEST_SUITE("faults: planted bugs") {
    TEST_CASE("faults: without a bug no provocation finds anything") {
        for (const auto how : {provocation::load, provocation::stops, provocation::kills,
                               provocation::restarts, provocation::leaving, provocation::cuts}) {
            std::string applied;
            const auto found = run(how, "", applied);
            CAPTURE(static_cast<int>(how));
            CHECK_MESSAGE(found.clean(), found.text());
            CHECK(applied.empty());
        }
    }

    TEST_CASE("faults: every bug planted in a worker is seen") {
        for (const faults::planted_bug& bug : faults::planted_bugs()) {
            CAPTURE(bug.name);
            std::string applied;
            const auto found = run(provocation_of(bug.name), bug.name, applied);
            for (const faults::text_edit& edit : bug.edits) {
                const bool is_there =
                    applied.find("\"" + std::string{edit.statement} + "\"") != std::string::npos;
                CHECK_MESSAGE(is_there, "nobody prepared " << edit.statement);
            }
            check_caught(bug.name, bug.caught_as, found);
        }
    }

    TEST_CASE("faults: a letter that two can replay is seen") {
        CHECK(replay_twice(false).clean());
        check_caught("double_replay", faults::breach::illegal, replay_twice(true));
    }

    TEST_CASE("faults: a key that goes with its job is seen") {
        check_caught("key_lost_with_job", faults::breach::lost, lose_keys());
    }

    TEST_CASE("faults: an acknowledgement that comes before the commit is on the disk is seen") {
        CHECK(acknowledge_early(false).clean());
        check_caught("acknowledged_early", faults::breach::lost, acknowledge_early(true));
    }
}
