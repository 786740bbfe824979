// Workers killed between begin and commit, also right after the provider acted: the reconcile
// handler finds out, and the provider is never called a second time.

#include "support/process.hpp"
#include "support/test_database.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>

using namespace std::chrono_literals;

namespace {

/// LIBQUEUE_EFFECT_KILLS=500 for a long run.
int kills_wanted() {
    const char* const set = std::getenv("LIBQUEUE_EFFECT_KILLS");
    return set == nullptr ? 60 : std::atoi(set);
}

std::uint64_t seed() {
    const char* const set = std::getenv("LIBQUEUE_FAULT_SEED");
    return set == nullptr ? std::random_device{}() : std::strtoull(set, nullptr, 10);
}

class payments {
   public:
    payments() : on{db.dsn()} {
        on.execute("CREATE TABLE provider_call (key text NOT NULL)");
        on.execute("CREATE TABLE surprise (key text NOT NULL)");
    }

    /// Runs jobs under two mortal workers until that many have died.
    void run(int kills) {
        const std::uint64_t chosen = seed();
        CAPTURE(chosen);
        MESSAGE("LIBQUEUE_FAULT_SEED=" << chosen);
        std::mt19937_64 random{chosen};
        std::array<std::unique_ptr<test::process>, 2> workers;
        int died = 0;
        int enqueued = 0;
        const auto mortal = [&] {
            return launch(std::to_string(random() | 1U));
        };
        // The others die too soon to take back what the dead owe.
        const auto rescuer = launch("rescue");
        for (auto& each : workers) {
            each = mortal();
        }
        const auto ended = test::wait_until(
            [&] {
                if (std::stoi(on.query("SELECT count(*) FROM queue.ready")) < 20) {
                    on.execute(
                        "SELECT queue.enqueue_many('pay', array_fill('{}'::jsonb, ARRAY[50]))");
                    enqueued += 50;
                }
                for (auto& each : workers) {
                    if (!each->running()) {
                        ++died;
                        each = mortal();
                    } else if (random() % 200 == 0) {
                        each->kill();
                    }
                }
                return died >= kills;
            },
            test::scaled(20s + kills * 3s));
        CHECK_MESSAGE(ended, died << " died");
        MESSAGE(died << " deaths, " << enqueued << " jobs, "
                     << on.query("SELECT count(*) FROM queue.attempt WHERE outcome = 'lost'")
                     << " runs lost, "
                     << on.query("SELECT count(*) FROM queue.attempt WHERE reconcile")
                     << " to be reconciled");
    }

    /// Runs what is left under workers that do not die, until this is so.
    template <typename Condition>
    void settle(Condition reached) {
        std::array<std::unique_ptr<test::process>, 2> workers;
        for (auto& each : workers) {
            each = launch("0");
        }
        CHECK(test::wait_until(reached, test::scaled(120s)));
        for (auto& each : workers) {
            each->signal(15);
        }
        for (auto& each : workers) {
            CHECK(each->wait().has_value());
        }
    }

    [[nodiscard]] std::unique_ptr<test::process> launch(const std::string& part) const {
        test::process_options options{test::binary("effects_worker"), {part}};
        options.env.emplace_back("DATABASE_URL", db.dsn());
        return std::make_unique<test::process>(options);
    }
    [[nodiscard]] std::string called_twice() {
        return on.query(
            "SELECT count(*) FROM (SELECT key FROM provider_call GROUP BY key "
            "HAVING count(*) > 1) x");
    }
    [[nodiscard]] std::string surprises() { return on.query("SELECT count(*) FROM surprise"); }

    test::test_database db;
    test::connection on;
};

}  // namespace

TEST_SUITE("effects under kills") {
    TEST_CASE("a worker killed around a call: never a second call, nor a run that does not know") {
        payments t;
        t.run(kills_wanted());
        t.settle([&] {
            return t.on.query("SELECT count(*) FROM queue.attempt WHERE next_run_at IS NULL") ==
                   t.on.query("SELECT count(*) FROM queue.job");
        });

        CHECK(t.called_twice() == "0");
        CHECK(t.surprises() == "0");
        CHECK(t.on.query("SELECT count(*) FROM queue.job") ==
              t.on.query("SELECT count(DISTINCT key) FROM provider_call"));
        CHECK(t.on.query("SELECT count(*) FROM queue.jobs WHERE state <> 'completed'") == "0");
        CHECK(t.on.query("SELECT count(*) FROM queue.effects WHERE state <> 'committed'") == "0");
        CHECK(std::stoi(t.on.query("SELECT count(*) FROM queue.attempt a WHERE outcome = 'lost' "
                                   "AND reconcile")) > 0);
    }

    TEST_CASE("planted: a rescue that forgets open effects is seen") {
        payments t;
        t.on.execute(
            "CREATE OR REPLACE FUNCTION queue.has_open_effect(job_id bigint) RETURNS boolean "
            "STABLE LANGUAGE sql AS 'SELECT false'");
        t.run(8);

        t.settle([&] { return t.surprises() != "0"; });
        // The ledger is the second guard.
        CHECK(t.called_twice() == "0");
    }

    TEST_CASE("planted: a ledger that forgets, too, is seen by the provider") {
        payments t;
        t.on.execute(
            "CREATE OR REPLACE FUNCTION queue.has_open_effect(job_id bigint) RETURNS boolean "
            "STABLE LANGUAGE sql AS 'SELECT false'");
        t.on.execute(
            "DO $do$ BEGIN EXECUTE replace(pg_get_functiondef('queue.effect_begin'::regproc), "
            "$$WHEN 'begun' THEN 'unknown'$$, $$WHEN 'begun' THEN 'begun'$$); END $do$");
        t.run(8);

        t.settle([&] { return t.called_twice() != "0"; });
    }
}
